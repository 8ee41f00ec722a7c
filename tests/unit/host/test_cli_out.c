/* test_cli_out.c - what is printed: lines, tables, JSON, figures, the man page. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

#include "commands.h"
#include "man.h"
#include "out.h"
#include "pong.h"
#include "table.h"
#include "walk.h"

enum { PAGE_MAX = 65536 };

static const char nasty[] = "a\033[2J\xe2\x80\xae"
                            "b\n";

/* What was written to @f, which is closed. */
static void read_back(FILE *f, char *buf, size_t n)
{
    size_t got;

    rewind(f);
    got = fread(buf, 1, n - 1, f);
    buf[got] = 0;
    (void)fclose(f);
}

OM_TEST(out_peer_text_moves_no_cursor)
{
    char shown[OM_OUT_TEXT_MAX], long_text[2 * OM_OUT_TEXT_MAX] = "";

    om_out_escape(shown, nasty);
    CHECK(strchr(shown, '\033') == NULL && strchr(shown, '\n') == NULL);
    CHECK(strstr(shown, "\xe2\x80\xae") == NULL);
    CHECK_STR(om_out_escape(shown, "Ann"), "Ann");
    CHECK_STR(om_out_escape(shown, NULL), "");
    CHECK_STR(om_out_escape(shown, "key \"po\033rt\": \\ \""), "key \"po\\x1brt\": \\x5c \"");
    memset(long_text, '"', sizeof long_text - 1);
    CHECK(strlen(om_out_escape(shown, long_text)) < OM_OUT_TEXT_MAX);
    memset(long_text, '\033', sizeof long_text - 1);
    CHECK(strlen(om_out_escape(shown, long_text)) < OM_OUT_TEXT_MAX);
}

OM_TEST(out_colours_are_for_terminals)
{
    FILE *f = tmpfile();
    struct om_out out;
    char text[64];

    OM_TRY(f != NULL);
    om_out_init(&out, f, f, false, OM_COLOR_AUTO);
    CHECK_STR(om_out_on(&out, OM_PAINT_BAD), "");
    om_out_progress(&out, "hidden");
    om_out_init(&out, f, f, false, OM_COLOR_ALWAYS);
    CHECK_STR(om_out_on(&out, OM_PAINT_BAD), "\033[31m");
    CHECK_STR(om_out_off(&out), "\033[0m");
    om_out_line(&out, "one %d", 1);
    om_out_error(&out, "two");
    om_out_lines(f, "th\033ree\n\nfour");
    read_back(f, text, sizeof text);
    CHECK_STR(text, "one 1\nomerta: two\nth\\x1bree\n\nfour\n");
out:
    return;
}

OM_TEST(out_json_is_ascii)
{
    FILE *f = tmpfile();
    json_t *value = NULL;
    struct om_out out;
    char text[128];

    OM_TRY(f != NULL);
    om_out_init(&out, f, f, true, OM_COLOR_AUTO);
    value = json_pack("{s:s}", "name", nasty);
    om_out_json_line(&out, value);
    read_back(f, text, sizeof text);
    CHECK_STR(text, "{\"name\":\"a\\u001B[2J\\u202Eb\\n\"}\n");
out:
    json_decref(value);
}

static const struct om_column columns[] = {
    {"NAME", "name", OM_COLUMN_TEXT},
    {"UP", "up", OM_COLUMN_YES},
    {"RTT", "rtt", OM_COLUMN_MS},
    {"IN", "in", OM_COLUMN_BYTES},
};

OM_TEST(table_aligns_and_escapes)
{
    FILE *f = tmpfile();
    json_t *rows = NULL;
    struct om_out out;
    char text[512], *line;

    OM_TRY(f != NULL);
    om_out_init(&out, f, f, false, OM_COLOR_AUTO);
    rows = json_pack("[{s:s,s:b,s:f,s:i},{s:s,s:b,s:n}]", "name", nasty, "up", 1, "rtt", 12.34,
                     "in", 2048, "name", "bo", "up", 0, "rtt");
    CHECK_EQ(om_table_print(&out, columns, OM_ARRAY_SIZE(columns), rows), 0);
    read_back(f, text, sizeof text);
    CHECK(strchr(text, '\033') == NULL);
    CHECK(strstr(text, "\na\\x1b[2J\\xe2") != NULL);
    CHECK(strstr(text, "12.3 ms") != NULL && strstr(text, "2.0 KiB") != NULL);
    line = strchr(text, '\n');
    CHECK(line != NULL);
    CHECK_EQ(strstr(text, "UP") - text, strstr(line, "yes") - line - 1);
out:
    json_decref(rows);
}

OM_TEST(table_shows_a_dash_for_nothing)
{
    char cell[OM_CELL_MAX];
    json_t *list = json_pack("[s, s]", "a", "b"), *age = json_integer(7200);

    CHECK_STR(om_table_cell(cell, OM_COLUMN_MS, NULL), "-");
    CHECK_STR(om_table_cell(cell, OM_COLUMN_TEXT, json_null()), "-");
    CHECK_STR(om_table_cell(cell, OM_COLUMN_TEXT, list), "a, b");
    CHECK_STR(om_table_cell(cell, OM_COLUMN_AGE, age), "2 h");
    CHECK_STR(om_table_cell(cell, OM_COLUMN_COUNT, age), "7200");
    json_decref(list);
    json_decref(age);
}

OM_TEST(table_of_any_text_comes_to_its_end)
{
    char cell[OM_CELL_MAX], many[2 * OM_CELL_MAX + 2] = "x", text[16 * OM_CELL_MAX];
    FILE *f = tmpfile();
    json_t *rows = NULL;
    struct om_out out;

    for (size_t i = 1; i + 2 < sizeof many; i += 2)
        memcpy(many + i, "\xc3\xa4", 3);
    OM_TRY(f != NULL);
    om_out_init(&out, f, f, false, OM_COLOR_AUTO);
    rows = json_pack("[{s:s},{s:s},{s:[s,s]}]", "name", "g\xc3\xabrt", "name", many, "name",
                     "\xe4\xb8\xad", many);
    OM_TRY(rows != NULL);
    CHECK_EQ(om_table_print(&out, columns, OM_ARRAY_SIZE(columns), rows), 0);
    read_back(f, text, sizeof text);
    CHECK(strstr(text, "\ng\xc3\xabrt ") != NULL);
    CHECK(om_text_is_utf8(om_bytes(text, strlen(text))));
    for (size_t i = 0; i < 4; i++) { /* wherever it is cut */
        json_t *value = json_pack("[s, s, s]", many + 1, &"abcdefg"[i], many + 1);
        om_table_cell(cell, OM_COLUMN_TEXT, value);
        CHECK(om_text_is_utf8(om_bytes(cell, strlen(cell))));
        json_decref(value);
    }
out:
    json_decref(rows);
}

OM_TEST(walk_sees_every_value_in_order)
{
    json_t *root = json_pack("{s:i, s:[i, {s:i}], s:{s:{s:i}}, s:i}", "a", 1, "list", 2, "b", 3,
                             "o", "secret", "deep", 4, "z", 5);
    char seen[64] = "";
    struct om_step step;
    struct om_walk w;

    om_walk_init(&w, root);
    while (om_walk_next(&w, &step)) {
        size_t n = strlen(seen);

        if (step.key && strcmp(step.key, "secret") == 0)
            om_walk_replace(&w, &step, json_integer(9));
        else if (json_is_integer(step.value))
            snprintf(seen + n, sizeof seen - n, "%u:%d ", step.depth,
                     (int)json_integer_value(step.value));
    }
    CHECK_STR(seen, "0:1 1:2 2:3 0:5 ");
    CHECK_EQ(json_integer_value(json_object_get(json_object_get(root, "o"), "secret")), 9);
    json_decref(root);
}

OM_TEST(walk_goes_no_deeper_than_it_says)
{
    json_t *root = json_array();
    struct om_step step;
    struct om_walk w;
    unsigned count = 0;

    for (int i = 0; i < 100; i++)
        root = json_pack("[o]", root);
    om_walk_init(&w, root);
    while (om_walk_next(&w, &step))
        count++;
    CHECK_EQ(count, OM_WALK_DEPTH_MAX);
    om_walk_init(&w, NULL);
    CHECK(!om_walk_next(&w, &step));
    json_decref(root);
}

OM_TEST(pong_counts_loss_and_extremes)
{
    struct om_pong p = {0};
    char text[200];
    json_t *figures;

    om_pong_add(&p, 2);
    om_pong_add(&p, -1);
    om_pong_add(&p, 1);
    om_pong_add(&p, 6);
    CHECK_STR(om_pong_print(&p, text, sizeof text),
              "4 sent, 3 answered, 25% loss\nrtt min/avg/max = 1.000/3.000/6.000 ms");
    figures = om_pong_json(&p);
    CHECK_EQ(json_integer_value(json_object_get(figures, "answered")), 3);
    json_decref(figures);
}

OM_TEST(pong_of_nothing_divides_by_nothing)
{
    struct om_pong p = {0};
    char text[200];
    json_t *figures = om_pong_json(&p);

    CHECK_STR(om_pong_print(&p, text, sizeof text), "0 sent, 0 answered, 0% loss");
    CHECK(json_is_null(json_object_get(figures, "avg_ms")));
    json_decref(figures);
}

OM_TEST(commands_are_sorted_and_complete)
{
    for (const struct om_command *c = om_commands; c->name; c++) {
        CHECK(c->args && c->summary && *c->summary && c->help && c->run);
        CHECK(c == om_commands || strcmp(c[-1].name, c->name) < 0);
        CHECK(om_command_find(c->name) == c);
        for (const struct om_option *o = c->options; o && o->name; o++)
            CHECK(o->help && *o->help);
    }
    CHECK(om_command_find("omerta") == NULL);
}

OM_TEST(commands_misspelt_one_names_the_nearest)
{
    CHECK_STR(om_command_near("stauts"), "status");
    CHECK_STR(om_command_near("pign"), "ping");
    CHECK(om_command_near("whatever") == NULL);
}

OM_TEST(man_names_every_command_and_exit_code)
{
    static char page[PAGE_MAX];
    FILE *f = tmpfile();

    OM_TRY(f != NULL);
    om_man_print(f);
    read_back(f, page, sizeof page);
    CHECK(strstr(page, ".SH EXIT STATUS") != NULL);
    for (const struct om_command *c = om_commands; c->name; c++) {
        char head[64];

        if (strchr(c->name, '-'))
            continue; /* its dash is escaped */
        snprintf(head, sizeof head, ".SS \"omerta %s", c->name);
        CHECK(strstr(page, head) != NULL);
    }
    for (unsigned i = 0; i < OM_EXIT_COUNT; i++) {
        char head[16];

        snprintf(head, sizeof head, "\n.B %u\n", i);
        CHECK(strstr(page, head) != NULL);
    }
out:
    return;
}
