/* table.c - cells of JSON values, laid out by libsmartcols. */
#include "table.h"

#include <locale.h>
#include <stdbool.h>
#include <string.h>

#include <libsmartcols/libsmartcols.h>

#include <omerta/text.h>

static void show_scaled(char *buf, double value, const char *const *units, double step)
{
    unsigned i = 0;

    while (value >= step && units[i + 1]) {
        value /= step;
        i++;
    }
    snprintf(buf, OM_CELL_MAX, i ? "%.1f %s" : "%.0f %s", value, units[i]);
}

static void show_age(char *buf, double s)
{
    if (s < 60)
        snprintf(buf, OM_CELL_MAX, "%.0f s", s);
    else if (s < 3600)
        snprintf(buf, OM_CELL_MAX, "%.0f m", s / 60);
    else if (s < 86400)
        snprintf(buf, OM_CELL_MAX, "%.0f h", s / 3600);
    else
        snprintf(buf, OM_CELL_MAX, "%.0f d", s / 86400);
}

static char *ascii(char *cell)
{
    for (char *c = cell; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    return cell;
}

/* Cut off what is left of a character that did not fit, or in the middle of a list make all of
 * UTF-8 unknown: libsmartcols goes round and round where it cannot measure. */
static char *whole(char *cell)
{
    size_t n = strlen(cell);

    for (unsigned cut = 0; cut < 4 && cut <= n; cut++)
        if (om_text_is_utf8(om_bytes(cell, n - cut))) {
            cell[n - cut] = '\0';
            return cell;
        }
    return ascii(cell);
}

static void show_text(char *buf, const json_t *value)
{
    char shown[OM_OUT_TEXT_MAX];

    if (json_is_string(value))
        snprintf(buf, OM_CELL_MAX, "%.*s", OM_CELL_MAX - 1,
                 om_out_escape(shown, json_string_value(value)));
    else if (json_is_boolean(value))
        snprintf(buf, OM_CELL_MAX, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_number(value))
        snprintf(buf, OM_CELL_MAX, "%.15g", json_number_value(value));
    else if (json_is_array(value) || json_is_object(value))
        snprintf(buf, OM_CELL_MAX, "%zu",
                 json_is_array(value) ? json_array_size(value) : json_object_size(value));
}

static void show_list(char *buf, const json_t *list)
{
    char shown[OM_CELL_MAX];
    size_t at = 0, i;
    const json_t *one;

    json_array_foreach(list, i, one)
    {
        int n;

        show_text(shown, one);
        n = snprintf(buf + at, OM_CELL_MAX - at, "%s%s", at ? ", " : "", shown);
        at += n > 0 ? (size_t)n : 0;
        if (at >= OM_CELL_MAX - 1)
            break;
    }
}

char *om_table_cell(char buf[static OM_CELL_MAX], enum om_column_kind kind, const json_t *value)
{
    static const char *const bytes[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};

    char shown[OM_OUT_TEXT_MAX];

    memcpy(buf, "-", 2);
    if (!value || json_is_null(value))
        return buf;
    if (json_is_number(value) && kind == OM_COLUMN_BYTES)
        show_scaled(buf, json_number_value(value), bytes, 1024);
    else if (json_is_number(value) && kind == OM_COLUMN_MS)
        snprintf(buf, OM_CELL_MAX, "%.1f ms", json_number_value(value));
    else if (json_is_number(value) && kind == OM_COLUMN_AGE)
        show_age(buf, json_number_value(value));
    else if (json_is_string(value) && kind == OM_COLUMN_SHORT)
        snprintf(buf, OM_CELL_MAX, "%.10s", om_out_escape(shown, json_string_value(value)));
    else if (json_is_array(value) && kind == OM_COLUMN_TEXT)
        show_list(buf, value);
    else
        show_text(buf, value);
    return whole(buf);
}

static int fill(struct libscols_table *t, const struct om_column *columns, unsigned count,
                const json_t *rows)
{
    /* It measures text as LC_CTYPE says, which is not UTF-8 where nobody has set any. */
    bool is_utf8 = setlocale(LC_CTYPE, "C.UTF-8") != NULL;
    const json_t *row;
    size_t i;

    for (unsigned c = 0; c < count; c++) {
        int flags = columns[c].kind == OM_COLUMN_TEXT || columns[c].kind == OM_COLUMN_YES ||
                            columns[c].kind == OM_COLUMN_SHORT
                        ? 0
                        : SCOLS_FL_RIGHT;

        if (!scols_table_new_column(t, columns[c].title, 0, flags))
            return -1;
    }
    json_array_foreach(rows, i, row)
    {
        struct libscols_line *line = scols_table_new_line(t, NULL);

        for (unsigned c = 0; line && c < count; c++) {
            char cell[OM_CELL_MAX];

            om_table_cell(cell, columns[c].kind, json_object_get(row, columns[c].field));
            if (scols_line_set_data(line, c, is_utf8 ? cell : ascii(cell)))
                return -1;
        }
        if (!line)
            return -1;
    }
    return 0;
}

int om_table_print(struct om_out *out, const struct om_column *columns, unsigned count,
                   const json_t *rows)
{
    struct libscols_table *t = scols_new_table();
    int failed = -1;

    if (!t)
        return -1;
    om_out_progress_done(out);
    scols_table_enable_noencoding(t, 1); /* the cells are escaped already */
    if (scols_table_set_stream(t, out->to) == 0 && fill(t, columns, count, rows) == 0)
        failed = scols_print_table(t) ? -1 : 0;
    scols_unref_table(t);
    return failed;
}
