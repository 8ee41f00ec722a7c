/* test_guest_reader.c - lines and bodies, whole and cut. */
#include "harness.h"

#include "vm/guest/reader.h"

static struct guest_reader r;

/* One read of the port gave @text. */
static void feed(om_time now, const char *text)
{
    size_t n = strlen(text);
    struct om_mut room = guest_reader_room(&r);

    CHECK(n <= room.n);
    memcpy(room.p, text, n);
    guest_reader_fed(&r, now, n);
}

static void expect(enum guest_item_kind kind, const char *text)
{
    struct guest_item i = guest_reader_next(&r);

    CHECK_EQ(i.kind, kind);
    CHECK_EQ(i.bytes.n, strlen(text));
    if (i.bytes.n > 0)
        CHECK_MEM(i.bytes.p, text, i.bytes.n);
}

OM_TEST(reader_gives_lines_and_bodies)
{
    r = (struct guest_reader){0};
    expect(GUEST_NOTHING, "");
    feed(0, "hello a\n\nrun b sh 5\necho\nnext");
    expect(GUEST_LINE, "hello a");
    expect(GUEST_LINE, "");
    expect(GUEST_LINE, "run b sh 5");
    guest_reader_body(&r, 5);
    expect(GUEST_BODY, "echo\n");
    CHECK_EQ(r.body, 0);
    expect(GUEST_NOTHING, "");
    feed(0, " line\n");
    expect(GUEST_LINE, "next line");
    guest_reader_body(&r, 4);
    expect(GUEST_NOTHING, "");
    feed(0, "ab");
    expect(GUEST_BODY, "ab");
    CHECK_EQ(r.body, 2);
    feed(0, "cde\n");
    expect(GUEST_BODY, "cd");
    expect(GUEST_LINE, "e");
}

OM_TEST(reader_bytes_may_come_in_any_pieces)
{
    static const char all[] = "one\ntwo 3\nabcthree\n";

    for (size_t piece = 1; piece < sizeof all; piece++) {
        char body[4] = "";
        size_t body_n = 0, lines = 0;
        r = (struct guest_reader){0};
        for (size_t at = 0; at + 1 < sizeof all; at += piece) {
            char part[sizeof all] = "";
            struct guest_item i;
            size_t left = sizeof all - 1 - at;
            memcpy(part, all + at, left < piece ? left : piece);
            feed(0, part);
            while ((i = guest_reader_next(&r)).kind != GUEST_NOTHING) {
                CHECK(i.kind == GUEST_LINE || i.kind == GUEST_BODY);
                if (i.kind == GUEST_BODY) {
                    memcpy(body + body_n, i.bytes.p, i.bytes.n);
                    body_n += i.bytes.n;
                } else if (++lines == 2) {
                    guest_reader_body(&r, 3);
                }
            }
        }
        CHECK_EQ(lines, 3);
        CHECK_STR(body, "abc");
    }
}

OM_TEST(reader_long_lines_are_said)
{
    char line[GUEST_LINE_MAX + 2];

    r = (struct guest_reader){0};
    memset(line, 'x', sizeof line - 1);
    line[GUEST_LINE_MAX] = '\0';
    feed(0, line);
    expect(GUEST_NOTHING, "");
    feed(0, "\n");
    expect(GUEST_LINE, line);
    line[GUEST_LINE_MAX] = 'x';
    line[GUEST_LINE_MAX + 1] = '\0';
    feed(0, line);
    expect(GUEST_NOTHING, "");
    feed(0, line);
    expect(GUEST_NOTHING, "");
    feed(0, "the end\nnext\n");
    expect(GUEST_LONG, "the end");
    expect(GUEST_LINE, "next");
}

OM_TEST(reader_forgets_what_was_cut)
{
    r = (struct guest_reader){0};
    feed(0, "put\nabc");
    expect(GUEST_LINE, "put");
    guest_reader_body(&r, 10);
    expect(GUEST_BODY, "abc");
    guest_reader_gone(&r);
    feed(0, "\nhello b\n");
    expect(GUEST_CUT, "");
    expect(GUEST_LINE, "");
    expect(GUEST_LINE, "hello b");
    /* Half a line is forgotten, too, and nobody is told. */
    feed(0, "cance");
    expect(GUEST_NOTHING, "");
    guest_reader_gone(&r);
    feed(0, "hello c\n");
    expect(GUEST_LINE, "hello c");
}

OM_TEST(reader_knows_a_new_host_by_its_greeting)
{
    r = (struct guest_reader){0};
    feed(0, "put\nabc");
    expect(GUEST_LINE, "put");
    guest_reader_body(&r, 1000);
    expect(GUEST_BODY, "abc");
    feed(OM_SEC(1), "\nhello 0123456789abcdef\n");
    expect(GUEST_BODY, "\nhello 0123456789abcdef\n");
    feed(OM_SEC(1) + OM_MS(GUEST_GREETING_MS) - 1, "\nhello 0123456789abcdef\n");
    expect(GUEST_BODY, "\nhello 0123456789abcdef\n");
    feed(OM_SEC(2), "\nhello 0123456789abcdef\n");
    expect(GUEST_CUT, "");
    expect(GUEST_LINE, "");
    expect(GUEST_LINE, "hello 0123456789abcdef");
    expect(GUEST_NOTHING, "");
    CHECK_EQ(r.body, 0);
}

OM_TEST(reader_takes_a_body_like_a_greeting)
{
    /* Others, or with something between, or with more around: all of it is body. */
    static const char *const pieces[] = {"\nhello a\n", "\nhello b\n",   "\nhello a\n",
                                         "x",           "\nhello a\n",   "\nhello a\nx",
                                         "\nhello a\n", "\nhello a b\n", "\nhello \n"};
    uint64_t n = 0;

    r = (struct guest_reader){0};
    feed(0, "put\n");
    expect(GUEST_LINE, "put");
    guest_reader_body(&r, 1000);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(pieces); i++) {
        feed(OM_SEC(10) * i, pieces[i]);
        expect(GUEST_BODY, pieces[i]);
        n += strlen(pieces[i]);
    }
    CHECK_EQ(r.body, 1000 - n);
}
