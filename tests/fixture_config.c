#include "config.h"

#include "fixture_config.h"

#include <sys/stat.h>

#include <check.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture_ctl.h"
#include "fixture_daemon.h"
#include "fixture_exec.h"
#include "fixture_file.h"
#include "fixture_place.h"
#include "fixture_probe.h"
#include "fixture_wait.h"

void
config_write(const char *name, const struct jailfix *jail, const char *text)
{
	char written[4096];
	size_t used = 0;

	for (; *text != '\0' && used < sizeof(written) - 32; text++) {
		if (*text == '%')
			used += (size_t)snprintf(written + used, 32, "%s", probe_jid(jail));
		else
			written[used++] = *text == '\'' ? '"' : *text;
	}
	written[used] = '\0';
	ck_assert_int_eq(*text, '\0');
	(void)mkdir(place_at("jaildaemon.d"), 0755);
	file_write(place_at(name), written);
	ck_assert_int_eq(chmod(place_at(name), 0644), 0);
}

void
config_remove(const char *name)
{
	ck_assert_int_eq(unlink(place_at(name)), 0);
}

pid_t
config_start(void)
{
	const char *words[] = {
	    daemon_binary(),  "-F", "-C", place_at("conf"), "-f", place()->sock, "-p",
	    place()->pidfile, "-S", place()->state, NULL};
	char *argv[sizeof(words) / sizeof(words[0])];
	struct launch launch = {.argv = argv};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		argv[i] = (char *)(uintptr_t)words[i];
	return (daemon_start_as(&launch));
}

int
config_probe(const char *name)
{
	char request[128];
	json_t *answer;
	int probe = 0;

	(void)snprintf(request, sizeof(request), "{\"op\":\"get\",\"probe\":\"%s\"}", name);
	answer = ctl_ask(request);
	if (json_is_true(json_object_get(answer, "ok")))
		probe = (int)ctl_int(ctl_member(answer, "probe"), "probe");
	json_decref(answer);
	return (probe);
}

static bool
config_is_there(void *arg)
{
	return (config_probe(arg) != 0);
}

int
config_wait_armed(const char *name)
{
	int probe;

	ck_assert_msg(wait_until(config_is_there, (void *)(uintptr_t)name), "%s never came", name);
	probe = config_probe(name);
	probe_wait_state(probe, "armed");
	return (probe);
}
