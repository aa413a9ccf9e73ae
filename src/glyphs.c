#include "config.h"

#include "glyphs.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

struct range {
	uint32_t first;
	uint32_t last;
	int width;
};

/* What takes another width than one column, by blocks: near enough to line up, and independent of
 * the locale. Marks that change the direction of what follows count as control characters. */
static const struct range ranges[] = {
    {0x0300, 0x036f, 0},   {0x0483, 0x0489, 0},	  {0x0591, 0x05bd, 0},	 {0x0610, 0x061a, 0},
    {0x064b, 0x065f, 0},   {0x0e47, 0x0e4e, 0},	  {0x1100, 0x115f, 2},	 {0x1ab0, 0x1aff, 0},
    {0x1dc0, 0x1dff, 0},   {0x200b, 0x200d, 0},	  {0x20d0, 0x20ff, 0},	 {0x2e80, 0x303e, 2},
    {0x3041, 0xa4cf, 2},   {0xa960, 0xa97f, 2},	  {0xac00, 0xd7a3, 2},	 {0xf900, 0xfaff, 2},
    {0xfe00, 0xfe0f, 0},   {0xfe20, 0xfe2f, 0},	  {0xfe30, 0xfe6f, 2},	 {0xff00, 0xff60, 2},
    {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1faff, 2},
    {0x20000, 0x3fffd, 2}, {0xe0100, 0xe01ef, 0},
};

/* The character at *text, its bytes in *length; 0xfffd: it is none, and one byte long. */
static uint32_t
decode(const char *text, int *length)
{
	const unsigned char *c = (const unsigned char *)text;
	int more = *c < 0x80 ? 0 : *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc2 ? 1 : -1;
	uint32_t code = more == 0 ? *c : *c & (0x3fu >> (more > 0 ? more : 0));

	*length = 1;
	if (more < 0 || *c > 0xf4)
		return 0xfffd;
	for (int i = 1; i <= more; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0xfffd;
		code = code << 6 | (c[i] & 0x3f);
	}
	*length = 1 + more;
	return code;
}

static bool
is_control(uint32_t code)
{
	return code < ' ' || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static int
width_of(uint32_t code)
{
	for (size_t i = 0; i < UTIL_COUNT(ranges) && code >= ranges[i].first; i++)
		if (code <= ranges[i].last)
			return ranges[i].width;
	return 1;
}

char *
glyphs_clean(const char *text)
{
	char *copy = malloc(strlen(text) + 1), *end = copy;
	int length;

	if (copy == NULL)
		return NULL;
	for (; *text != '\0'; text += length) {
		uint32_t code = decode(text, &length);

		if (is_control(code) || (code == 0xfffd && length == 1)) {
			*end++ = '?';
		} else {
			memcpy(end, text, (size_t)length);
			end += length;
		}
	}
	*end = '\0';
	return copy;
}

int
glyphs_width(const char *text)
{
	int width = 0, length;

	for (; *text != '\0'; text += length)
		width += width_of(decode(text, &length));
	return width;
}

int
glyphs_fitting(const char *text, int width)
{
	const char *c = text;
	int length;

	for (; *c != '\0'; c += length) {
		width -= width_of(decode(c, &length));
		if (width < 0)
			break;
	}
	return (int)(c - text);
}
