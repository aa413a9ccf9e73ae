#include "config.h"

#include "fixture_bundle.h"

#include <sys/stat.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_place.h"

/* busybox has no pkill everywhere: the host's is brought in with what it needs. */
static const char *const borrowed[] = {"/usr", "/lib", "/lib64"};

static const char description[] =
    "{\"ociVersion\":\"1.0.2\",\"hostname\":\"test\",\"root\":{\"path\":\"root\"},"
    "\"process\":{\"terminal\":false,\"user\":{\"uid\":0,\"gid\":0},\"cwd\":\"/\","
    "\"env\":[\"PATH=/bin:/usr/bin\"],\"args\":[\"/bin/sleep\",\"3600\"],\"noNewPrivileges\":true,"
    "\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],"
    "\"permitted\":[\"CAP_KILL\"]}},\"linux\":{\"namespaces\":[{\"type\":\"pid\"},"
    "{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"network\"}]},"
    "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
    "\"options\":[\"nosuid\",\"mode=755\"]}";

static void
copy_program(const char *from, const char *to)
{
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	char block[65536];
	size_t got;

	ck_assert(in != NULL && out != NULL);
	while ((got = fread(block, 1, sizeof(block), in)) > 0)
		ck_assert_uint_eq(fwrite(block, 1, got, out), got);
	(void)fclose(in);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(chmod(to, 0755), 0);
}

/* A busybox that needs libraries does not start in a root without any. */
static bool
bundle_starts(const char *root)
{
	struct outcome outcome;
	bool starts;

	exec_words(&outcome, "chroot", root, "/bin/busybox", "true", NULL);
	starts = outcome.exit == 0;
	outcome_free(&outcome);
	return (starts);
}

const char *
bundle_root(const char **reason)
{
	static const char *const directories[] = {"root",     "root/bin", "root/proc",
						  "root/dev", "root/tmp", "root/sbin",
						  "root/usr", "root/lib", "root/lib64"};
	static const char *const names[] = {"sh", "ps", "sleep", "true"};
	const char *busybox = place_tool("busybox");
	char link[64];
	size_t i;

	if (busybox == NULL) {
		*reason = "no busybox here";
		return (NULL);
	}
	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		ck_assert_int_eq(mkdir(place_at(directories[i]), 0755), 0);
	copy_program(busybox, place_at("root/bin/busybox"));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(link, sizeof(link), "root/bin/%s", names[i]);
		ck_assert_int_eq(symlink("busybox", place_at(link)), 0);
	}
	file_write(place_at("root/dev/null"), "");
	if (!bundle_starts(place_at("root"))) {
		*reason = "busybox is not static";
		return (NULL);
	}
	return (place_at("root"));
}

void
bundle_describe(void)
{
	char text[4096];
	size_t i, length;

	length = (size_t)snprintf(text, sizeof(text), "%s", description);
	for (i = 0; i < sizeof(borrowed) / sizeof(borrowed[0]); i++)
		if (file_exists(borrowed[i]))
			length += (size_t)snprintf(
			    text + length, sizeof(text) - length,
			    ",{\"destination\":\"%s\",\"source\":\"%s\",\"options\":[\"rbind\",\"ro\"]}",
			    borrowed[i], borrowed[i]);
	(void)snprintf(text + length, sizeof(text) - length, "]}\n");
	file_write(place_at("config.json"), text);
}

const char *
bundle_lxc(const char *name)
{
	char text[4096];
	size_t i, length;

	length = (size_t)snprintf(text, sizeof(text),
				  "lxc.rootfs.path = dir:%s\nlxc.uts.name = %s\nlxc.autodev = 0\n"
				  "lxc.mount.auto = proc:rw\nlxc.net.0.type = empty\n"
				  "lxc.mount.entry = /dev/null dev/null none bind 0 0\n",
				  place_at("root"), name);
	for (i = 0; i < sizeof(borrowed) / sizeof(borrowed[0]); i++)
		if (file_exists(borrowed[i]))
			length += (size_t)snprintf(text + length, sizeof(text) - length,
						   "lxc.mount.entry = %s %s none rbind,ro 0 0\n",
						   borrowed[i], borrowed[i] + 1);
	file_write(place_at("lxc.conf"), text);
	return (place_at("lxc.conf"));
}

const char *
bundle_name(void)
{
	static char name[64];
	char *dot;

	(void)snprintf(name, sizeof(name), "jdtest%s", strrchr(place()->dir, '/') + 3);
	while ((dot = strchr(name, '.')) != NULL)
		*dot = '-';
	return (name);
}
