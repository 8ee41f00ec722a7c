/* test_cli_link.c - links of networks: read from files, shown as QR codes. */
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "link_text.h"
#include "qr.h"

static const char link_new[] = "omerta://connect?key=00&host=192.0.2.1&port=1&peer=aa";
static const char link_old[] = "omerta://connect?key=00&host=192.0.2.1&port=1";

/* What om_link_text_read() says to a file with the @n bytes of @text. */
static enum om_err read_file(char out[static OM_LINK_TEXT_MAX], const char *text, size_t n)
{
    char path[] = "/tmp/om-link-XXXXXX";
    struct om_error err;
    int fd = mkstemp(path);

    CHECK(fd >= 0 && write(fd, text, n) == (ssize_t)n);
    (void)close(fd);
    enum om_err e = om_link_text_read(out, path, &err);
    (void)unlink(path);
    return e;
}

OM_TEST(link_text_is_all_of_a_file)
{
    char out[OM_LINK_TEXT_MAX];

    CHECK_OK(read_file(out, "omerta://\njoin/x\n", 17));
    CHECK_STR(out, "omerta://\njoin/x\n");
}

OM_TEST(link_text_of_a_wrong_size_is_refused)
{
    char out[OM_LINK_TEXT_MAX], text[OM_LINK_TEXT_MAX];
    struct om_error err;

    memset(text, 'a', sizeof text);
    CHECK_OK(read_file(out, text, sizeof text - 1)); /* the control */
    CHECK_EQ(read_file(out, text, sizeof text), OM_E_RANGE);
    for (size_t i = 0; i < sizeof out; i++)
        CHECK_EQ(out[i], 0);
    CHECK_EQ(read_file(out, "", 0), OM_E_RANGE);
    CHECK_EQ(read_file(out, "a\0b", 3), OM_E_RANGE);
    CHECK_EQ(om_link_text_read(out, "/nonexistent/link", &err), OM_E_MISSING);
}

OM_TEST(link_text_without_a_peer_is_noticed)
{
    CHECK(om_link_text_is_old(link_old));
    CHECK(!om_link_text_is_old(link_new));
    CHECK(!om_link_text_is_old("omerta://join/AAAA"));
}

/* What om_qr_print() writes of @text; "" when it refuses. */
static enum om_err qr_of(const char *text, char *buf, size_t n)
{
    FILE *f = tmpfile();
    struct om_out out;

    if (!f)
        return OM_E_NO_MEM;
    om_out_init(&out, f, f, false, OM_COLOR_NEVER);
    enum om_err e = om_qr_print(&out, text, NULL);
    rewind(f);
    buf[fread(buf, 1, n - 1, f)] = '\0';
    (void)fclose(f);
    return e;
}

/* Two lines of margin, all light, then the corner of a finder: dark, 7 modules wide. */
OM_TEST(qr_has_margin_and_finders)
{
    static char buf[200000];
    const char *line = buf;

    enum om_err e = qr_of(link_new, buf, sizeof buf);
    if (om_test_oom_hit())
        return;
    CHECK_OK(e);
    for (int i = 0; i < 2; i++) {
        const char *end = strchr(line, '\n');
        CHECK(end && (end - line) % 3 == 0);
        for (const char *c = line; end && c < end; c += 3)
            CHECK(memcmp(c, "\xe2\x96\x88", 3) == 0);
        line = end ? end + 1 : line;
    }
    CHECK(strncmp(line, "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88 ", 13) == 0);
}

OM_TEST(qr_of_too_long_a_text_is_refused)
{
    static char text[4001], buf[200000];

    memset(text, 'x', sizeof text - 1);
    enum om_err e = qr_of(text, buf, sizeof buf);
    CHECK(e == OM_E_RANGE || om_test_oom_hit());
}
