#include "config.h"

#include "reload.h"

#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "control.h"
#include "limit.h"
#include "log.h"
#include "notify.h"
#include "queue.h"
#include "tell.h"

/* Errors that are shown of one configuration. */
#define CHECKED_ERRORS 50

static const char *conf_path;
static struct conf prepared; /* until the start */
static bool has_group;
static gid_t group;
static configured_done_cb *on_applied; /* NULL: nobody */
static void *on_applied_arg;
static bool asked_again;

static void
log_failure(const struct error *e)
{
	tell(TELL_RELOAD_FAILED, NULL, TELL_TEXT("why", e->text), TELL_END);
}

static void
applied(void *arg, const struct configured_counts *counts)
{
	configured_done_cb *told = on_applied;

	(void)arg;
	log_info("event=configured added=%u changed=%u removed=%u unchanged=%u failed=%u",
		 counts->added, counts->changed, counts->removed, counts->unchanged,
		 counts->failed);
	on_applied = NULL;
	notify_reloaded();
	if (told != NULL)
		told(on_applied_arg, counts);
	if (asked_again)
		reload_asked();
}

/* Members that are connected stay so when nothing changes for them. */
static int
admit_group(const struct conf *conf, struct error *e)
{
	bool same = conf->has_control_group == has_group && conf->control_group == group;

	if (!same &&
	    control_admit_group(conf->has_control_group ? &conf->control_group : NULL, e) != 0)
		return -1;
	has_group = conf->has_control_group;
	group = conf->control_group;
	return 0;
}

/* The group comes first, because it can fail. */
static int
apply(struct conf *conf, configured_done_cb *told, void *arg, struct error *e)
{
	if (admit_group(conf, e) != 0)
		return -1;
	log_set(conf->log_facility, conf->log_level);
	limits_set(&conf->limits);
	queue_set_limit(conf->limits.runs);
	on_applied = told;
	on_applied_arg = arg;
	return configured_apply(conf, applied, NULL, e);
}

int
reload_prepare(const char *path, struct error *e)
{
	conf_path = path;
	if (conf_load(path, &prepared, e, 1) != 0) {
		conf_clear(&prepared);
		return -1;
	}
	log_set(prepared.log_facility, prepared.log_level);
	limits_set(&prepared.limits);
	return 0;
}

int
reload_start(struct error *e)
{
	return apply(&prepared, NULL, NULL, e);
}

int
reload_begin(configured_done_cb *told, void *arg, struct error *e)
{
	struct conf conf;
	int result = -1;

	if (configured_is_busy())
		return error_set(e, ERR_LIMIT, "a reload is under way already");
	notify_reloading();
	if (conf_load(conf_path, &conf, e, 1) == 0)
		result = apply(&conf, told, arg, e);
	conf_clear(&conf);
	if (result != 0)
		notify_reloaded();
	return result;
}

void
reload_asked(void)
{
	struct error e;

	asked_again = configured_is_busy();
	if (!asked_again && reload_begin(NULL, NULL, &e) != 0)
		log_failure(&e);
}

bool
reload_check(const char *path)
{
	struct error errors[CHECKED_ERRORS];
	struct conf conf;
	size_t count = conf_load(path, &conf, errors, CHECKED_ERRORS);

	for (size_t i = 0; i < count && i < CHECKED_ERRORS; i++)
		fprintf(stderr, "jaildaemon: %s\n", errors[i].text);
	if (count > CHECKED_ERRORS)
		fprintf(stderr, "jaildaemon: and %zu errors more\n", count - CHECKED_ERRORS);
	conf_clear(&conf);
	return count == 0;
}
