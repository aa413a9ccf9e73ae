#include "config.h"

#include "handover.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "handover_parts.h"
#include "jsontext.h"
#include "registry.h"
#include "util.h"

static const struct handover_field server_fields[] = {
    HANDOVER_FIELD(struct handover, foreground, HANDOVER_BOOL),
    HANDOVER_FIELD(struct handover, started_ms, HANDOVER_INT64),
    HANDOVER_FIELD(struct handover, began_ms, HANDOVER_INT64),
    HANDOVER_FIELD(struct handover, files, HANDOVER_INT64),
    HANDOVER_FIELD(struct handover, last_event, HANDOVER_INT64),
    HANDOVER_FIELD(struct handover, dropped_event, HANDOVER_INT64),
    HANDOVER_FIELD(struct handover, listener_fd, HANDOVER_INT),
    HANDOVER_FIELD(struct handover, store_fd, HANDOVER_INT),
    HANDOVER_FIELD(struct handover, pidfile_fd, HANDOVER_INT),
    HANDOVER_END,
};

static const struct handover_field client_fields[] = {
    HANDOVER_FIELD(struct handover_client, fd, HANDOVER_INT),
    HANDOVER_FIELD(struct handover_client, looks_only, HANDOVER_BOOL),
    HANDOVER_FIELD(struct handover_client, asked, HANDOVER_BOOL),
    HANDOVER_FIELD(struct handover_client, keep, HANDOVER_BOOL),
    HANDOVER_FIELD(struct handover_client, discarding, HANDOVER_BOOL),
    HANDOVER_FIELD(struct handover_client, at_end, HANDOVER_BOOL),
    HANDOVER_FIELD(struct handover_client, waits, HANDOVER_BOOL),
    HANDOVER_END,
};

/* Paths are what they are, not always UTF-8. */
static const struct {
	const char *name;
	size_t offset;
} paths[] = {
    {"socket", offsetof(struct handover, socket)},
    {"pidfile", offsetof(struct handover, pidfile)},
    {"state", offsetof(struct handover, state)},
    {"config", offsetof(struct handover, config)},
};

/* ---- writing ---- */

static json_t *
put_client(struct handover_out *out, const struct handover_client *client)
{
	json_t *object = handover_put_fields(client, client_fields);

	handover_put_fd(out, client->fd);
	if (object == NULL)
		return NULL;
	handover_put(out, object, "input", handover_put_bytes(out, client->input, client->input_length));
	handover_put(out, object, "output",
			    handover_put_bytes(out, client->output, client->output_length));
	if (client->follows)
		handover_put(out, object, "feed", handover_put_feed(out, &client->feed));
	return object;
}

static json_t *
put_clients(struct handover_out *out, const struct handover *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->client_count; i++)
		out->failed |= json_array_append_new(list, put_client(out, &h->clients[i])) != 0;
	return list;
}

static json_t *
put_all(struct handover_out *out, const struct handover *h)
{
	json_t *root = json_object();
	size_t id_length = h->id == NULL ? 0 : strlen(h->id);

	handover_put_fd(out, h->listener_fd);
	handover_put_fd(out, h->store_fd);
	handover_put_fd(out, h->pidfile_fd);
	handover_put(out, root, "format", json_integer(HANDOVER_FORMAT));
	handover_put(out, root, "version", json_string(PACKAGE_VERSION));
	handover_put(out, root, "next_number", json_integer((json_int_t)registry_next_number()));
	handover_put(out, root, "server", handover_put_fields(h, server_fields));
	for (size_t i = 0; i < UTIL_COUNT(paths); i++) {
		const char *path = (const char *)h + paths[i].offset;

		handover_put(out, root, paths[i].name, handover_put_bytes(out, path, strlen(path)));
	}
	handover_put(out, root, "id", handover_put_bytes(out, h->id, id_length));
	handover_put(out, root, "clients", put_clients(out, h));
	handover_put(out, root, "events", handover_put_events(out, h));
	handover_put(out, root, "jails", handover_put_jails(out));
	handover_put(out, root, "probes", handover_put_probes(out));
	handover_put(out, root, "spent", handover_put_spent(out, h));
	handover_put(out, root, "stats", codec_stats());
	handover_forget_jails();
	return root;
}

/* Memory that no path leads to. */
static int
make_memory(size_t size)
{
#ifdef SHM_ANON
	int fd = shm_open(SHM_ANON, O_RDWR, 0600);
#else
	int fd = memfd_create("jaildaemon-handover", MFD_CLOEXEC);
#endif

	if (fd >= 0 && ftruncate(fd, (off_t)size) != 0)
		util_close(&fd);
	return fd;
}

static int
write_document(const char *text, const struct handover_out *out)
{
	size_t length = strlen(text), size = length + 1 + out->used;
	int fd = make_memory(size);
	char *memory;

	if (fd < 0)
		return -1;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		util_close(&fd);
		return -1;
	}
	memcpy(memory, text, length);
	memory[length] = '\n';
	if (out->used > 0)
		memcpy(memory + length + 1, out->bytes, out->used);
	munmap(memory, size);
	return fd;
}

int
handover_write(const struct handover *h, int **inherit, size_t *count, struct error *e)
{
	struct handover_out out = {0};
	json_t *root = put_all(&out, h);
	char *text = out.failed ? NULL : jsontext_dump(root, JSON_COMPACT);
	int fd = -1;

	json_decref(root);
	if (text == NULL)
		error_no_memory(e);
	else if ((fd = write_document(text, &out)) < 0)
		error_set(e, ERR_INTERNAL, "memory for the handover: %s", strerror(errno));
	free(text);
	if (fd >= 0) {
		*inherit = out.fds;
		*count = out.fd_count;
		out.fds = NULL;
	}
	handover_out_clear(&out);
	return fd;
}

/* ---- reading ---- */

static int
get_path(const struct handover_in *in, json_t *root, const char *name, char path[PATH_MAX],
	 struct error *e)
{
	const char *bytes;
	size_t length;

	if (handover_get_bytes(in, json_object_get(root, name), &bytes, &length, e) != 0)
		return -1;
	if (length >= PATH_MAX)
		return handover_refuse(name, e);
	memcpy(path, bytes, length);
	path[length] = '\0';
	return 0;
}

static int
get_id(const struct handover_in *in, json_t *root, struct handover *h, struct error *e)
{
	const char *bytes;
	size_t length;

	if (handover_get_bytes(in, json_object_get(root, "id"), &bytes, &length, e) != 0)
		return -1;
	if (length > 0 && (h->id = strndup(bytes, length)) == NULL)
		return error_no_memory(e);
	return 0;
}

static int
get_client_bytes(const struct handover_in *in, json_t *from, char **bytes, size_t *length, struct error *e)
{
	const char *place = NULL;

	if (handover_get_bytes(in, from, &place, length, e) != 0)
		return -1;
	*bytes = (char *)(uintptr_t)place;
	return 0;
}

static int
get_client(const struct handover_in *in, json_t *object, struct handover_client *client, struct error *e)
{
	json_t *feed = json_object_get(object, "feed");

	client->follows = feed != NULL;
	if (feed != NULL && handover_get_feed(feed, &client->feed, e) != 0)
		return -1;
	if (handover_get_fields(object, client, client_fields, e) != 0 ||
	    get_client_bytes(in, json_object_get(object, "input"), &client->input, &client->input_length,
			     e) != 0)
		return -1;
	return get_client_bytes(in, json_object_get(object, "output"), &client->output,
				&client->output_length, e);
}

static int
get_clients(const struct handover_in *in, json_t *list, struct handover *h, struct error *e)
{
	h->client_count = json_array_size(list);
	h->clients = calloc(h->client_count + 1, sizeof(*h->clients));
	if (h->clients == NULL)
		return error_no_memory(e);
	for (size_t i = 0; i < h->client_count; i++)
		if (get_client(in, json_array_get(list, i), &h->clients[i], e) != 0)
			return -1;
	return 0;
}

static int
get_server(const struct handover_in *in, json_t *root, struct handover *h, struct error *e)
{
	json_t *clients = handover_get_array(root, "clients", e);

	for (size_t i = 0; i < UTIL_COUNT(paths); i++)
		if (get_path(in, root, paths[i].name, (char *)h + paths[i].offset, e) != 0)
			return -1;
	if (clients == NULL ||
	    handover_get_fields(json_object_get(root, "server"), h, server_fields, e) != 0 ||
	    get_id(in, root, h, e) != 0)
		return -1;
	return get_clients(in, clients, h, e);
}

static int
check_format(json_t *root, struct error *e)
{
	json_int_t format = json_integer_value(json_object_get(root, "format"));

	if (format == HANDOVER_FORMAT)
		return 0;
	return error_set(e, ERR_BAD_REQUEST,
			 "version %s can't take over from one that hands over in format %lld, only in %d: "
			 "stop the old daemon and start the new one",
			 PACKAGE_VERSION, (long long)format, HANDOVER_FORMAT);
}

static struct handover_in
reader(const struct handover *h, bool really)
{
	return (struct handover_in){.bytes = h->memory + h->object_size,
				    .size = h->memory_size - h->object_size,
				    .really = really};
}

static int
map_document(int fd, struct handover *h, struct error *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_size <= 0)
		return error_set(e, ERR_BAD_REQUEST, "there is no handover to read");
	h->memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (h->memory == MAP_FAILED) {
		h->memory = NULL;
		return error_set(e, ERR_INTERNAL, "the handover can't be read: %s", strerror(errno));
	}
	h->memory_size = (size_t)st.st_size;
	return 0;
}

int
handover_read(int fd, struct handover *h, struct error *e)
{
	struct handover_in in;
	json_error_t why;

	*h = (struct handover){.listener_fd = -1, .store_fd = -1};
	if (map_document(fd, h, e) != 0)
		return -1;
	h->object = jsontext_load(h->memory, h->memory_size, JSON_DISABLE_EOF_CHECK, &why);
	if (h->object == NULL && errno == ENOMEM)
		return error_no_memory(e);
	if (h->object == NULL || (size_t)why.position >= h->memory_size)
		return error_set(e, ERR_BAD_REQUEST, "the handover is not understood: %s", why.text);
	h->object_size = (size_t)why.position + 1;
	in = reader(h, false);
	if (check_format(h->object, e) != 0)
		return -1;
	return get_server(&in, h->object, h, e);
}

int
handover_resume(const struct handover *h, bool really, struct error *e)
{
	struct handover_in in = reader(h, really);
	json_t *events = handover_get_array(h->object, "events", e);
	json_t *jails = handover_get_array(h->object, "jails", e);
	json_t *probes = handover_get_array(h->object, "probes", e);
	json_t *spent = handover_get_array(h->object, "spent", e);
	int result = -1;

	if (events == NULL || jails == NULL || probes == NULL || spent == NULL ||
	    handover_get_events(&in, events, h, e) != 0)
		return -1;
	if (handover_get_jails(&in, jails, e) == 0 && handover_get_probes(&in, probes, e) == 0)
		result = handover_get_spent(&in, spent, h, e);
	if (really)
		codec_read_stats(json_object_get(h->object, "stats")); /* over what the resuming counted */
	handover_forget_jails();
	registry_skip_numbers((uint64_t)json_integer_value(json_object_get(h->object, "next_number")));
	return result;
}

void
handover_clear(struct handover *h)
{
	free(h->id);
	free(h->clients);
	json_decref(h->object);
	if (h->memory != NULL)
		munmap(h->memory, h->memory_size);
	*h = (struct handover){0};
}

void
handover_take_fd(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}
