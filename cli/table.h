/*
 * table.h - JSON objects as lines of a table
 *
 * What:  columns name a field of each object, how to show it and how wide it may be.
 * Why:   peers, networks and messages are shown alike, aligned, escaped, and cut to the terminal.
 * Keeps: table_aligns_and_escapes; table_shows_a_dash_for_nothing;
 *        table_of_any_text_comes_to_its_end.
 */
#ifndef OM_CLI_TABLE_H
#define OM_CLI_TABLE_H

#include <jansson.h>

#include <omerta/attr.h>

#include "out.h"

enum { OM_CELL_MAX = 256 };

enum om_column_kind {
    OM_COLUMN_TEXT,  /* strings as they are; arrays of strings with commas */
    OM_COLUMN_COUNT, /* right, whole number */
    OM_COLUMN_BYTES, /* right, 12.3 KiB */
    OM_COLUMN_MS,    /* right, milliseconds: 1.2 ms */
    OM_COLUMN_AGE,   /* right, seconds ago: 3 m */
    OM_COLUMN_YES,   /* yes or no */
    OM_COLUMN_SHORT, /* an id: its first 10 characters, which are enough to name it by */
};

struct om_column {
    const char *title, *field;
    enum om_column_kind kind;
};

/**
 * om_table_cell() - one value as text for people
 * @buf:    terminated
 * @kind:   how to show it
 * @value:  NULL or null: "-"
 *
 * Return: @buf; text of others is escaped.
 */
char *om_table_cell(char buf[static OM_CELL_MAX], enum om_column_kind kind, const json_t *value);

/**
 * om_table_print() - the table
 * @out:      where to
 * @columns:  from left to right
 * @count:    of them
 * @rows:     array of objects
 *
 * Return: 0, or -1 when memory ran out.
 */
OM_MUST int om_table_print(struct om_out *out, const struct om_column *columns, unsigned count,
                           const json_t *rows);

#endif
