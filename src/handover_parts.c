#include "config.h"

#include "handover_parts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Most are 0 or false most of the time; those are left out, because everybody waits for every member. */
static bool
put_field(json_t *object, const struct handover_field *field, const char *place)
{
	int64_t wide = 0;
	int narrow;

	switch (field->type) {
	case HANDOVER_BOOL:
		return !*(const bool *)place || json_object_set_new(object, field->name, json_true()) == 0;
	case HANDOVER_INT:
		memcpy(&narrow, place, sizeof(narrow));
		wide = narrow;
		break;
	case HANDOVER_INT64:
		memcpy(&wide, place, sizeof(wide));
		break;
	}
	return wide == 0 || json_object_set_new(object, field->name, json_integer(wide)) == 0;
}

json_t *
handover_put_fields(const void *from, const struct handover_field *field)
{
	json_t *object = json_object();

	for (; field->name != NULL; field++)
		if (!put_field(object, field, (const char *)from + field->offset)) {
			json_decref(object);
			return NULL;
		}
	return object;
}

int
handover_refuse(const char *what, struct error *e)
{
	return error_set(e, ERR_BAD_REQUEST, "the handed over \"%s\" is not understood", what);
}

static bool
read_field(json_t *value, char *place, enum handover_type type)
{
	int64_t wide = json_integer_value(value);
	int narrow = (int)wide;
	bool truth = json_is_true(value);

	switch (type) {
	case HANDOVER_BOOL:
		memcpy(place, &truth, sizeof(truth));
		return value == NULL || json_is_boolean(value);
	case HANDOVER_INT:
		memcpy(place, &narrow, sizeof(narrow));
		return value == NULL || (json_is_integer(value) && narrow == wide);
	case HANDOVER_INT64:
		memcpy(place, &wide, sizeof(wide));
		return value == NULL || json_is_integer(value);
	}
	return false;
}

int
handover_get_fields(json_t *from, void *to, const struct handover_field *field, struct error *e)
{
	if (!json_is_object(from))
		return handover_refuse("members", e);
	for (; field->name != NULL; field++)
		if (!read_field(json_object_get(from, field->name), (char *)to + field->offset, field->type))
			return handover_refuse(field->name, e);
	return 0;
}

/* False: no memory. */
static bool
make_room(struct handover_out *out, size_t length)
{
	size_t capacity = out->capacity == 0 ? 65536 : out->capacity;
	char *larger;

	while (capacity < out->used + length)
		capacity *= 2;
	if (capacity == out->capacity)
		return true;
	if ((larger = realloc(out->bytes, capacity)) == NULL)
		return false;
	out->bytes = larger;
	out->capacity = capacity;
	return true;
}

json_t *
handover_put_bytes(struct handover_out *out, const char *bytes, size_t length)
{
	if (!make_room(out, length)) {
		out->failed = true;
		return NULL;
	}
	if (length > 0)
		memcpy(out->bytes + out->used, bytes, length);
	out->used += length;
	return json_pack("[II]", (json_int_t)(out->used - length), (json_int_t)length);
}

int
handover_get_bytes(const struct handover_in *in, json_t *from, const char **bytes, size_t *length,
		   struct error *e)
{
	json_int_t place, count;

	if (json_unpack(from, "[II!]", &place, &count) != 0 || place < 0 || count < 0 ||
	    (size_t)place > in->size || (size_t)count > in->size - (size_t)place)
		return handover_refuse("bytes", e);
	*bytes = in->bytes + place;
	*length = (size_t)count;
	return 0;
}

/* Nothing may be missing: the next daemon couldn't tell. */
void
handover_put(struct handover_out *out, json_t *object, const char *name, json_t *value)
{
	out->failed |= json_object_set_new(object, name, value) != 0;
}

void
handover_put_fd(struct handover_out *out, int fd)
{
	int *larger;

	if (fd < 0)
		return;
	if ((out->fd_count & (out->fd_count - 1)) == 0) { /* 0, or a power of two: full */
		larger = realloc(out->fds, (out->fd_count == 0 ? 1 : out->fd_count * 2) * sizeof(*larger));
		if (larger == NULL) {
			out->failed = true;
			return;
		}
		out->fds = larger;
	}
	out->fds[out->fd_count++] = fd;
}

void
handover_out_clear(struct handover_out *out)
{
	free(out->bytes);
	free(out->fds);
	*out = (struct handover_out){0};
}

json_t *
handover_get_array(json_t *from, const char *name, struct error *e)
{
	json_t *array = json_object_get(from, name);

	if (json_is_array(array))
		return array;
	handover_refuse(name, e);
	return NULL;
}
