/* Jails, probes and runs of the handover. Jails are named by their place in the list of jails. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "handover.h"
#include "handover_parts.h"
#include "probe.h"
#include "registry.h"
#include "run.h"

static const struct handover_field jail_fields[] = {
    HANDOVER_FIELD(struct jail_saved, identity.jid, HANDOVER_INT),
    HANDOVER_FIELD(struct jail_saved, identity.born, HANDOVER_INT64),
    HANDOVER_FIELD(struct jail_saved, identity.pid_namespace, HANDOVER_INT64),
    HANDOVER_FIELD(struct jail_saved, watch_fd, HANDOVER_INT),
    HANDOVER_FIELD(struct jail_saved, descriptor, HANDOVER_INT),
    HANDOVER_END,
};

static const struct handover_field moment_fields[] = {
    HANDOVER_FIELD(struct probe_moment, presence, HANDOVER_INT),
    HANDOVER_FIELD(struct probe_moment, pid, HANDOVER_INT),
    HANDOVER_FIELD(struct probe_moment, gone, HANDOVER_BOOL),
    HANDOVER_FIELD(struct probe_moment, remembered, HANDOVER_BOOL),
    HANDOVER_FIELD(struct probe_moment, kept, HANDOVER_BOOL),
    HANDOVER_FIELD(struct probe_moment, dropped, HANDOVER_BOOL),
    HANDOVER_FIELD(struct probe_moment, kept_started, HANDOVER_BOOL),
    HANDOVER_FIELD(struct probe_moment, kept_pending, HANDOVER_INT),
    HANDOVER_FIELD(struct probe_moment, kept_triggers, HANDOVER_INT64),
    HANDOVER_FIELD(struct probe_moment, kept_last_ms, HANDOVER_INT64),
    HANDOVER_FIELD(struct probe_moment, logged_triggers, HANDOVER_INT64),
    HANDOVER_FIELD(struct probe_moment, failures, HANDOVER_INT),
    HANDOVER_FIELD(struct probe_moment, armed_at, HANDOVER_INT64),
    HANDOVER_FIELD(struct probe_moment, rate_due, HANDOVER_INT64),
    HANDOVER_FIELD(struct probe_moment, output_total, HANDOVER_INT64),
    HANDOVER_END,
};

static const struct handover_field job_fields[] = {
    HANDOVER_FIELD(struct run_saved, number, HANDOVER_INT64),
    HANDOVER_FIELD(struct run_saved, job.pid, HANDOVER_INT),
    HANDOVER_FIELD(struct run_saved, job.output_fd, HANDOVER_INT),
    HANDOVER_FIELD(struct run_saved, job.exited, HANDOVER_BOOL),
    HANDOVER_FIELD(struct run_saved, job.terminating, HANDOVER_BOOL),
    HANDOVER_FIELD(struct run_saved, job.group_gone, HANDOVER_BOOL),
    HANDOVER_FIELD(struct run_saved, job.timed_out, HANDOVER_BOOL),
    HANDOVER_FIELD(struct run_saved, job.status, HANDOVER_INT),
    HANDOVER_FIELD(struct run_saved, job.started_ms, HANDOVER_INT64),
    HANDOVER_FIELD(struct run_saved, job.finished_ms, HANDOVER_INT64),
    HANDOVER_FIELD(struct run_saved, job.began_ms, HANDOVER_INT64),
    HANDOVER_FIELD(struct run_saved, job.took_ms, HANDOVER_INT64),
    HANDOVER_FIELD(struct run_saved, job.limit_due, HANDOVER_INT64),
    HANDOVER_FIELD(struct run_saved, job.output_total, HANDOVER_INT64),
    HANDOVER_FIELD(struct run_saved, job.line_seen, HANDOVER_INT64),
    HANDOVER_END,
};

/* In the document's order; while it is written or read. */
static struct jail_instance **jails;
static size_t jail_total;

/* ---- writing ---- */

/* -1: none. */
static int
place_of(const struct jail_instance *jail)
{
	static size_t last; /* neighbours are often of one jail */

	if (jail == NULL)
		return -1;
	if (last < jail_total && jails[last] == jail)
		return (int)last;
	for (last = 0; last < jail_total; last++)
		if (jails[last] == jail)
			return (int)last;
	return -1;
}

static json_t *
put_jail(struct handover_out *out, const struct jail_instance *jail)
{
	struct jail_saved saved;
	json_t *object;

	jail_save(jail, &saved);
	handover_put_fd(out, saved.watch_fd);
	handover_put_fd(out, saved.descriptor);
	object = handover_put_fields(&saved, jail_fields);
	if (object != NULL)
		handover_put(out, object, "known_as",
				    handover_put_bytes(out, saved.identity.known_as,
						       strlen(saved.identity.known_as)));
	return object;
}

json_t *
handover_put_jails(struct handover_out *out)
{
	struct jail_instance *jail = NULL;
	json_t *list = json_array();

	jails = calloc(jail_count() + 1, sizeof(struct jail_instance *));
	if (jails == NULL) {
		out->failed = true;
		return list;
	}
	while ((jail = jail_next(jail)) != NULL) {
		jails[jail_total++] = jail_hold(jail);
		out->failed |= json_array_append_new(list, put_jail(out, jail)) != 0;
	}
	return list;
}

static json_t *
put_run(struct handover_out *out, const struct run_saved *run)
{
	json_t *object = handover_put_fields(run, job_fields);

	handover_put_fd(out, run->job.output_fd);
	if (object == NULL)
		return NULL;
	handover_put(out, object, "jail", json_integer(place_of(run->jail)));
	handover_put(out, object, "output",
			    handover_put_bytes(out, run->job.output, run->job.output_length));
	handover_put(out, object, "line", handover_put_bytes(out, run->job.line, run->job.line_length));
	handover_put(out, object, "begun",
			    handover_put_bytes(out, run->job.begun, run->job.begun_length));
	return object;
}

static json_t *
put_runs(struct handover_out *out, const struct probe *probe)
{
	json_t *list = json_array();
	struct run_saved run;

	for (unsigned place = 0; run_save(probe, place, &run); place++)
		out->failed |= json_array_append_new(list, put_run(out, &run)) != 0;
	return list;
}

static json_t *
put_probe(struct handover_out *out, struct probe *probe)
{
	struct probe_moment moment;

	probe_save(probe, &moment);
	return json_pack("{so so si si so so}",					   //
			 "record", codec_record(probe, false),			   //
			 "moment", handover_put_fields(&moment, moment_fields),	   //
			 "jail", place_of(moment.jail),				   //
			 "entry_jail", place_of(moment.entry_jail),		   //
			 "output", handover_put_bytes(out, moment.output, moment.output_length), //
			 "runs", put_runs(out, probe));
}

json_t *
handover_put_probes(struct handover_out *out)
{
	struct probe *probe = NULL;
	json_t *list = json_array();

	while ((probe = registry_every(probe)) != NULL)
		out->failed |= json_array_append_new(list, put_probe(out, probe)) != 0;
	return list;
}

static void
put_spent(void *arg, const struct definition *def, uint64_t number)
{
	struct handover_out *out = arg;

	out->failed |= json_array_append_new(out->spent, json_pack("{sI so}",		 //
								   "probe", (json_int_t)number, //
								   "definition", codec_definition(def))) != 0;
}

json_t *
handover_put_spent(struct handover_out *out, const struct handover *h)
{
	out->spent = json_array();
	h->each_spent(put_spent, out);
	return out->spent;
}

void
handover_forget_jails(void)
{
	for (size_t i = 0; i < jail_total; i++)
		jail_release(jails[i]);
	free(jails);
	jails = NULL;
	jail_total = 0;
}

/* ---- reading ---- */

static int
get_jail(const struct handover_in *in, json_t *object, struct error *e)
{
	struct jail_saved saved = {.watch_fd = -1};
	const char *known_as;
	size_t length;

	if (handover_get_fields(object, &saved, jail_fields, e) != 0 ||
	    handover_get_bytes(in, json_object_get(object, "known_as"), &known_as, &length, e) != 0)
		return -1;
	if (length >= sizeof(saved.identity.known_as))
		return handover_refuse("known_as", e);
	memcpy(saved.identity.known_as, known_as, length);
	if (in->really) {
		handover_take_fd(saved.watch_fd);
		handover_take_fd(saved.descriptor);
		if ((jails[jail_total] = jail_resume(&saved)) == NULL)
			return error_no_memory(e);
	}
	jail_total++;
	return 0;
}

int
handover_get_jails(const struct handover_in *in, json_t *list, struct error *e)
{
	json_t *object;
	size_t i;

	jails = calloc(json_array_size(list) + 1, sizeof(struct jail_instance *));
	if (jails == NULL)
		return error_no_memory(e);
	json_array_foreach(list, i, object)
		if (get_jail(in, object, e) != 0)
			return -1;
	return 0;
}

static int
jail_at(json_t *object, const char *name, struct jail_instance **jail, struct error *e)
{
	json_t *place = json_object_get(object, name);

	*jail = NULL;
	if (!json_is_integer(place) || json_integer_value(place) < -1 ||
	    json_integer_value(place) >= (json_int_t)jail_total)
		return handover_refuse(name, e);
	if (json_integer_value(place) >= 0)
		*jail = jails[json_integer_value(place)];
	return 0;
}

static int
get_run(const struct handover_in *in, json_t *object, struct probe *probe, struct error *e)
{
	struct run_saved run = {0};

	if (handover_get_fields(object, &run, job_fields, e) != 0 ||
	    jail_at(object, "jail", &run.jail, e) != 0 ||
	    handover_get_bytes(in, json_object_get(object, "output"), &run.job.output,
			       &run.job.output_length, e) != 0 ||
	    handover_get_bytes(in, json_object_get(object, "line"), &run.job.line, &run.job.line_length,
			       e) != 0 ||
	    handover_get_bytes(in, json_object_get(object, "begun"), &run.job.begun,
			       &run.job.begun_length, e) != 0)
		return -1;
	if (!in->really)
		return 0;
	handover_take_fd(run.job.output_fd);
	return run_resume(probe, &run) == 0 ? 0 : error_no_memory(e);
}

/* The youngest came first, and each is put before those that are there. */
static int
get_runs(const struct handover_in *in, json_t *list, struct probe *probe, struct error *e)
{
	for (size_t i = json_array_size(list); i > 0; i--)
		if (get_run(in, json_array_get(list, i - 1), probe, e) != 0)
			return -1;
	return 0;
}

static int
get_moment(const struct handover_in *in, json_t *object, struct probe_moment *moment, struct error *e)
{
	if (handover_get_fields(json_object_get(object, "moment"), moment, moment_fields, e) != 0 ||
	    jail_at(object, "jail", &moment->jail, e) != 0 ||
	    jail_at(object, "entry_jail", &moment->entry_jail, e) != 0)
		return -1;
	return handover_get_bytes(in, json_object_get(object, "output"), &moment->output,
				  &moment->output_length, e);
}

/* Its triggers take their places behind its runs. Of one that has ended perhaps nobody wants anything: what
 * the configuration has of it goes another way. */
static void
go_on(struct probe *probe, const struct probe_moment *moment, unsigned pending)
{
	if (pending > 0 && moment->entry_jail != NULL)
		run_restore(probe, moment->entry_jail, pending);
	if (moment->gone)
		probe_free_if_unused(probe);
	else
		probe_go_on(probe);
}

static int
get_probe(const struct handover_in *in, json_t *object, struct error *e)
{
	json_t *runs = handover_get_array(object, "runs", e);
	struct probe_moment moment = {0};
	struct probe_saved saved;
	struct definition def;
	struct probe *probe = NULL;

	if (runs == NULL || get_moment(in, object, &moment, e) != 0)
		return -1;
	if (codec_read_record(json_object_get(object, "record"), &def, &saved, e) != 0) {
		definition_clear(&def);
		return -1;
	}
	if (in->really && (probe = probe_resume(&def, &saved, &moment)) == NULL)
		return error_no_memory(e);
	definition_clear(&def);
	if (get_runs(in, runs, probe, e) != 0)
		return -1;
	if (in->really)
		go_on(probe, &moment, saved.pending);
	return 0;
}

int
handover_get_probes(const struct handover_in *in, json_t *list, struct error *e)
{
	json_t *object;
	size_t i;

	json_array_foreach(list, i, object)
		if (get_probe(in, object, e) != 0)
			return -1;
	return 0;
}

static int
get_spent(const struct handover_in *in, json_t *object, const struct handover *h, struct error *e)
{
	const struct codec_member *const lists[] = {codec_definition_members, NULL};
	json_t *number = json_object_get(object, "probe");
	json_t *words = json_object_get(object, "definition");
	struct definition def;
	int result = -1;

	definition_init(&def);
	if (!json_is_integer(number) || !json_is_object(words))
		return handover_refuse("spent", e);
	if (codec_check_object(words, lists, e) == 0)
		result = codec_read_definition(words, &def, e);
	if (result == 0 && in->really)
		h->note_spent(&def, (uint64_t)json_integer_value(number));
	definition_clear(&def);
	return result;
}

int
handover_get_spent(const struct handover_in *in, json_t *list, const struct handover *h, struct error *e)
{
	json_t *object;
	size_t i;

	json_array_foreach(list, i, object)
		if (get_spent(in, object, h, e) != 0)
			return -1;
	return 0;
}
