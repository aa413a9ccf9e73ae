/* What container runtimes write below /run, written by the test. */
#include "config.h"

#include "jailfix_names.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_file.h"

static void
make_directories(char *path)
{
	char *slash;

	for (slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

/* config.v2.json of a container, as dockerd writes it, but shorter. */
static void
docker_writes(const char *id, const char *name)
{
	char path[256], text[1024];

	(void)snprintf(path, sizeof(path), "/var/lib/docker/containers/%s/config.v2.json", id);
	make_directories(path);
	(void)snprintf(text, sizeof(text),
		       "{\"StreamConfig\":{},\"State\":{\"Running\":true,\"Paused\":false,"
		       "\"Restarting\":false,\"OOMKilled\":false,\"RemovalInProgress\":false,"
		       "\"Dead\":false,\"Pid\":1,\"ExitCode\":0,\"Error\":\"\"},\"ID\":\"%s\","
		       "\"Managed\":false,\"Path\":\"sleep\",\"Args\":[\"3600\"],"
		       "\"Config\":{\"Hostname\":\"4f6a\",\"Image\":\"debian\"},"
		       "\"Name\":\"/%s\",\"Driver\":\"overlay2\",\"OS\":\"linux\"}\n",
		       id, name);
	file_write(path, text);
}

/* containers.json, the list of all containers, as podman 4 writes it, with another one before. */
static void
podman_writes(const char *id, const char *name)
{
	char path[] = "/var/lib/containers/storage/overlay-containers/containers.json";
	char text[1024];

	make_directories(path);
	(void)snprintf(
	    text, sizeof(text),
	    "[{\"id\":\"00%s\",\"names\":[\"not-%s\"],\"image\":\"\",\"layer\":\"b235\","
	    "\"metadata\":\"{\\\"name\\\":\\\"not-%s\\\"}\",\"flags\":{\"MountLabel\":\"\"}},"
	    "{\"id\":\"%s\",\"names\":[\"%s\"],\"image\":\"\",\"layer\":\"c335\","
	    "\"metadata\":\"{\\\"name\\\":\\\"%s\\\"}\",\"flags\":{\"MountLabel\":\"\"}}]",
	    id + 2, name, name, id, name, name);
	file_write(path, text);
}

/* A runtime's directory, and what it has of each container: a folder with a JSON file in it;
 * without a file, a file of KEY=value lines itself. */
static const struct kind {
	const char *prefix;
	const char *directory;
	const char *file;
	const char *pid_key;
	const char *began_key;
	void (*write_name)(const char *id, const char *name); /* null: the name is the id */
} kinds[] = {
    {"machined:", "/run/systemd/machines", NULL, NULL, NULL, NULL},
    {"runc:", "/run/runc", "state.json", "init_process_pid", "init_process_start", NULL},
    {"containerd:", "/run/containerd/runc/k8s.io", "state.json", "init_process_pid",
     "init_process_start", NULL},
    {"crun:", "/run/crun", "status", "pid", "process-start-time", NULL},
    {"docker:", "/run/docker/runtime-runc/moby", "state.json", "init_process_pid",
     "init_process_start", docker_writes},
    {"podman:", "/run/crun", "status", "pid", "process-start-time", podman_writes},
};

void
jailfix_names_begin(void)
{
	static const char *const own[] = {"/run", "/var/lib"};
	size_t i;

	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		ck_assert_int_eq(mount("tmpfs", own[i], "tmpfs", 0, "mode=755"), 0);
}

static unsigned long long
began(long pid)
{
	unsigned long long ticks;
	char path[64], *text, *at;
	int field;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	text = file_text(path);
	at = strrchr(text, ')');
	for (field = 2; at != NULL && field < 22; field++)
		at = strchr(at + 1, ' ');
	ck_assert_ptr_nonnull(at);
	ticks = strtoull(at, NULL, 10);
	free(text);
	return (ticks);
}

static const struct kind *
kind_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(name, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
			return (&kinds[i]);
	return (&kinds[0]);
}

static void
write_state(const char *path, const struct kind *kind, long pid)
{
	char text[256];

	if (kind->file == NULL)
		(void)snprintf(text, sizeof(text), "CLASS=container\nLEADER=%ld\n", pid);
	else
		(void)snprintf(text, sizeof(text), "{\"%s\":%ld,\"%s\":%llu}\n", kind->pid_key, pid,
			       kind->began_key, began(pid));
	file_write(path, text);
}

/* 64 digits, as docker and podman make them, but of the name and not of chance. */
static const char *
make_id(const char *name)
{
	static char id[65];
	size_t i, length = strlen(name);

	for (i = 0; i < 64; i++)
		id[i] = "0123456789abcdef"[((unsigned char)name[i % length] + i / length) % 16];
	return (id);
}

/* As most of them do: written beside, and then moved to its place. */
void
jailfix_call(const struct jailfix *jail, const char *name)
{
	const struct kind *kind = kind_of(name);
	const char *colon = strchr(name, ':');
	const char *plain = colon == NULL ? name : colon + 1;
	const char *id = kind->write_name == NULL ? plain : make_id(plain);
	char path[256], beside[264];

	if (kind->write_name != NULL)
		kind->write_name(id, plain);
	(void)snprintf(path, sizeof(path), "%s/%s%s%s", kind->directory, id,
		       kind->file == NULL ? "" : "/", kind->file == NULL ? "" : kind->file);
	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	make_directories(path);
	write_state(beside, kind, jailfix_number(jail));
	ck_assert_int_eq(rename(beside, path), 0);
}
