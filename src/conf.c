#include "config.h"

#include "conf.h"

#include <errno.h>
#include <grp.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"

#define GID_MAX 4294967294LL

static const struct codec_member members[] = {
    {"control_group", CODEC_GROUP, false, 0, GID_MAX},
    {NULL, CODEC_ANY, false, 0, 0},
};

static int
read_control_group(json_t *value, struct conf *conf, struct error *e)
{
	const struct group *group;

	if (value == NULL)
		return 0;
	conf->has_control_group = true;
	conf->control_group = (gid_t)json_integer_value(value);
	if (!json_is_string(value))
		return 0;
	if ((group = getgrnam(json_string_value(value))) == NULL)
		return error_set(e, ERR_BAD_REQUEST, "the host knows no group \"%s\"",
				 json_string_value(value));
	conf->control_group = group->gr_gid;
	return 0;
}

static int
read_object(const char *path, json_t *object, struct conf *conf, struct error *e)
{
	const struct codec_member *const lists[] = {members, NULL};
	struct error why;

	if (!json_is_object(object))
		return error_set(e, ERR_BAD_REQUEST, "%s: it must be one JSON object", path);
	if (codec_check_object(object, lists, &why) != 0 ||
	    read_control_group(json_object_get(object, "control_group"), conf, &why) != 0)
		return error_set(e, ERR_BAD_REQUEST, "%s: %.400s", path, why.text);
	return 0;
}

int
conf_load(const char *path, struct conf *conf, struct error *e)
{
	json_error_t why;
	json_t *object;
	int result;

	*conf = (struct conf){0};
	if (path == NULL && access(CONF_FILE, F_OK) != 0 && errno == ENOENT)
		return 0;
	if (path == NULL)
		path = CONF_FILE;
	object = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	if (object == NULL && why.line < 0)
		return error_set(e, ERR_BAD_REQUEST, "%s", why.text);
	if (object == NULL)
		return error_set(e, ERR_BAD_REQUEST, "%s:%d:%d: %s", path, why.line, why.column,
				 why.text);
	result = read_object(path, object, conf, e);
	json_decref(object);
	return result;
}
