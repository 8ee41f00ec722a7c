/* test_cli_strip.c - a bug report tells nobody who or where somebody is. */
#include "harness.h"

#include <stdio.h>

#include "strip.h"

enum { TEXT_MAX = 8192 };

#define KEY   "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define ID    "mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpjzxi4dtmj2a"
#define SHORT "mfrggzdfmz"
#define SHAKY "ab2d7fghij"
#define SSH   "AAAAC3NzaC1lZDI1NTE5AAAAIGk/pE7Yf2V+0yVyP6Z1Q2b3c4D5e6F7g8H9i0J1k2L3"

static bool strip(struct om_strip *s, const char *text, char out[TEXT_MAX])
{
    FILE *f = tmpfile();
    size_t n;

    if (!f)
        return false;
    om_strip_text(s, text, f);
    rewind(f);
    n = fread(out, 1, TEXT_MAX - 1, f);
    out[n] = 0;
    (void)fclose(f);
    return true;
}

static struct om_strip *fresh(void)
{
    static struct om_strip s;

    om_strip_init(&s);
    CHECK_OK(om_strip_word(&s, "/home/ann/.omerta", "<home>"));
    CHECK_OK(om_strip_word(&s, "/home/ann", "<user-home>"));
    CHECK_OK(om_strip_word(&s, "annbox", "<host>"));
    CHECK_OK(om_strip_word(&s, "ann", "<user>"));
    return &s;
}

OM_TEST(strip_leaves_none_of_the_planted_secrets)
{
    static const char *const planted[] = {
        KEY,
        ID,
        SHAKY,
        "192.168.7.13",
        "203.0.113.9",
        "2001:db8::17",
        "fe80::1",
        "/home/ann",
        "annbox",
        "ann ",
        SSH,
        "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
        "1:2:3:4:5:6:7:8",
    };
    static const char *const frames[] = {"%s",         "x %s y",    "\"%s\"",     "key=%s,",
                                         "[%s]:18002", "a_%s",      "0x%s",       "peer:%s",
                                         "(%s)\n",     "udp/%s/in", "at %s:4242", "<%s>"};
    static char out[TEXT_MAX];

    for (size_t i = 0; i < OM_ARRAY_SIZE(planted); i++)
        for (size_t k = 0; k < OM_ARRAY_SIZE(frames); k++) {
            char text[512], secret[128];
            size_t n = strcspn(planted[i], " ");

            /* Words, addresses and short ids count only when they stand alone. */
            if (strncmp(frames[k], "0x", 2) == 0 && n < 50)
                continue;
            snprintf(secret, sizeof secret, "%.*s", (int)n, planted[i]);
            snprintf(text, sizeof text, "%.*s%s%s", (int)strcspn(frames[k], "%"), frames[k], secret,
                     strstr(frames[k], "%s") + 2);
            CHECK(strstr(text, secret) != NULL); /* the control: it was there */
            OM_TRY(strip(fresh(), text, out));
            if (strstr(out, secret))
                fail_msg("\"%s\" became \"%s\"", text, out);
        }
out:
    return;
}

OM_TEST(strip_gives_the_same_name_to_the_same_thing)
{
    static char out[TEXT_MAX];

    OM_TRY(strip(
        fresh(),
        SHORT " " ID " at 10.0.0.1:5, " SHORT "... 10.0.0.2 10.0.0.1 " KEY " [2001:db8::1]", out));
    CHECK_STR(out, SHORT " <peer1> at <ipv41>:5, <peer1>... <ipv42> <ipv41> <key1> [<ipv61>]");
out:
    return;
}

OM_TEST(strip_leaves_ordinary_text_alone)
{
    static const char text[] =
        "omerta 0.1.0 Linux 6.1.0-13-amd64, 12:30:45.123 banner anniversary dead beef "
        "127.0.0.1 ::1 handshake completed in 13.2 ms; "
        "/usr/share/omerta/very/long/path/of/a/file2\n";
    static char out[TEXT_MAX];

    OM_TRY(strip(fresh(), text, out));
    CHECK_STR(out, text);
out:
    return;
}

OM_TEST(strip_is_bounded)
{
    static struct om_strip s;
    static char out[TEXT_MAX];
    char text[32];

    om_strip_init(&s);
    for (unsigned i = 0; i < OM_STRIP_SEEN_MAX; i++) {
        snprintf(text, sizeof text, "10.1.%u.%u", i / 256, i % 256);
        OM_TRY(strip(&s, text, out));
    }
    OM_TRY(strip(&s, "10.9.9.9 10.1.0.0", out)); /* no number for what is new */
    CHECK_STR(out, "<ipv4> <ipv41>");
    for (unsigned i = 0; i < OM_STRIP_WORDS_MAX; i++)
        CHECK_OK(om_strip_word(&s, "word", "<w>"));
    CHECK_ERR(om_strip_word(&s, "word", "<w>"), OM_E_FULL);
    CHECK_OK(om_strip_word(&s, NULL, "<w>"));
out:
    return;
}
