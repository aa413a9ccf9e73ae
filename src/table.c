#include "config.h"

#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "glyphs.h"

#define GAP 2 /* between two columns */
#define NARROWEST \
	8 /* to which a column is cut, if it is wider, before the one before it is cut, too */
#define CUT_SIGN    "\xe2\x80\xa6"
#define COLUMNS_MAX 16

static bool
make_room(struct table *table)
{
	size_t room = table->room == 0 ? 64 : 2 * table->room;
	struct table_cell *larger;

	if (table->count < table->room)
		return true;
	larger = reallocarray(table->cells, room, sizeof(*larger));
	if (larger == NULL)
		return false;
	table->cells = larger;
	table->room = room;
	return true;
}

void
table_add(struct table *table, const char *text, const char *colour)
{
	char *copy = glyphs_clean(text);

	if (copy == NULL || !make_room(table)) {
		free(copy);
		table->failed = true;
		return;
	}
	table->cells[table->count++] = (struct table_cell){copy, colour};
}

void
table_clear(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	*table = (struct table){.columns = table->columns};
}

static void
measure(const struct table *table, int *widths)
{
	for (size_t i = 0; i < table->count; i++) {
		int width = glyphs_width(table->cells[i].text);

		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
}

static int
smaller(int a, int b)
{
	return a < b ? a : b;
}

/* The last columns are cut first, and where that isn't enough they go; what room is left then is
 * for the last one that stays. Returns how many do. */
static size_t
fit(int *widths, size_t columns, int room)
{
	int excess = -room - GAP, wanted[COLUMNS_MAX];

	for (size_t i = 0; i < columns; i++) {
		wanted[i] = widths[i];
		excess += widths[i] + GAP;
	}
	for (size_t i = columns; i-- > 0 && excess > 0;)
		if (widths[i] > NARROWEST) {
			int less = smaller(widths[i] - NARROWEST, excess);

			widths[i] -= less;
			excess -= less;
		}
	while (columns > 1 && excess > 0)
		excess -= widths[--columns] + GAP;
	/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): there is no table without a column */
	widths[columns - 1] = smaller(wanted[columns - 1], widths[columns - 1] - excess);
	return columns;
}

static void
print_cell(FILE *to, const struct table_cell *cell, int width, bool coloured, bool last)
{
	int whole = glyphs_width(cell->text);
	bool cut = whole > width;
	int bytes = glyphs_fitting(cell->text, cut ? width - 1 : width);
	int shown = whole - glyphs_width(cell->text + bytes) + cut;
	bool painted = coloured && cell->colour != NULL;

	if (painted)
		fprintf(to, "\033[%sm", cell->colour);
	fprintf(to, "%.*s%s", bytes, cell->text, cut ? CUT_SIGN : "");
	if (painted)
		fputs("\033[0m", to);
	if (!last)
		fprintf(to, "%*s", width + GAP - shown, "");
}

void
table_print(const struct table *table, FILE *to, int width, bool coloured)
{
	int widths[COLUMNS_MAX] = {0};
	size_t shown = table->columns;

	measure(table, widths);
	if (width > 0)
		shown = fit(widths, shown, width);
	for (size_t row = 0; row + table->columns <= table->count; row += table->columns) {
		for (size_t i = 0; i < shown; i++)
			print_cell(to, &table->cells[row + i], widths[i], coloured, i + 1 == shown);
		fputc('\n', to);
	}
}
