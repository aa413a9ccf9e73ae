/*
 * What another version may have left in memory for this one: looking at it changes nothing, and says whether
 * it can be gone on with; what it says of clients lies within it.
 */
#include "config.h"

#include "handover.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "fuzz.h"
#include "registry.h"

static void must_not_go_on(void) __attribute__((noreturn));

static void
must_not_go_on(void)
{
	fuzz_fail(__FILE__, __LINE__, "it is only looked at", NULL, 0);
}

static void
note_spent(const struct definition *def, uint64_t number)
{
	(void)def;
	(void)number;
	must_not_go_on();
}

static int
note_event(const struct codec_event_head *head, const char *line, size_t length)
{
	(void)head;
	(void)line;
	(void)length;
	must_not_go_on();
}

static void
check_error(const struct error *e)
{
	FUZZ_CHECK(e->code > ERR_NONE && e->code < ERR_COUNT && e->text[0] != '\0');
	fuzz_check_printable(e->text, strlen(e->text));
}

static void
check_bytes(const struct handover *h, const char *bytes, size_t length)
{
	const char *end = h->memory + h->memory_size;

	FUZZ_CHECK(bytes >= h->memory + h->object_size && bytes <= end && length <= (size_t)(end - bytes));
}

static void
check_clients(const struct handover *h)
{
	for (size_t i = 0; i < h->client_count; i++) {
		check_bytes(h, h->clients[i].input, h->clients[i].input_length);
		check_bytes(h, h->clients[i].output, h->clients[i].output_length);
		FUZZ_CHECK(strlen(h->clients[i].feed.name) <= DEFINITION_NAME_MAX);
	}
}

/* As a file, which is the same to who reads it. */
static int
make_memory(const uint8_t *bytes, size_t length)
{
	int fd = open(fuzz_path("memory"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	FUZZ_CHECK(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	return fd;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fuzz_world_begin();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	int fd = make_memory(bytes, length);
	struct handover h;
	struct error e = {0};

	if (handover_read(fd, &h, &e) != 0) {
		check_error(&e);
	} else {
		check_clients(&h);
		h.note_spent = note_spent;
		h.note_event = note_event;
		if (handover_resume(&h, false, &e) != 0)
			check_error(&e);
	}
	handover_clear(&h);
	close(fd);
	FUZZ_CHECK(registry_count() == 0 && jail_count() == 0);
	fuzz_world_end();
	return 0;
}
