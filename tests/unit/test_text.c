/* test_text.c - the grammars of text.h. Random input is in model_text.c. */
#include "harness.h"

#include <omerta/text.h>

OM_TEST(text_base32_meets_the_rfc)
{
    /* RFC 4648 section 10, in lower case and without padding. */
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "my"},
        {"fo", "mzxq"},
        {"foo", "mzxw6"},
        {"foob", "mzxw6yq"},
        {"fooba", "mzxw6ytb"},
        {"foobar", "mzxw6ytboi"},
    };

    for (size_t i = 0; i < OM_ARRAY_SIZE(vectors); i++) {
        size_t n = strlen(vectors[i][0]);
        char text[16];
        uint8_t back[8];

        om_base32_encode(text, om_bytes(vectors[i][0], n));
        CHECK_STR(text, vectors[i][1]);
        CHECK_EQ(strlen(text), OM_BASE32_LEN(n));
        CHECK_OK(om_base32_decode(om_mut(back, n), text));
        CHECK_MEM(back, vectors[i][0], n);
    }
}

OM_TEST(text_base32_refuses_all_but_the_canonical_form)
{
    static const char *const bad[] = {"",      "m",     "myy", "mY",    "m=", "my======", "m ",
                                      "m1",    "m8",    "m0",  "m9",    "m`", "m{",       "m/",
                                      "m\x80", "m\xff", "mz",  "m\xe1", "mb", "m7"};
    uint8_t out[1] = {0x55};

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK_ERR(om_base32_decode(om_mut(out, 1), bad[i]), OM_E_PARSE);
        CHECK_EQ(out[0], 0x55);
    }
    CHECK_OK(om_base32_decode(om_mut(out, 1), "my")); /* the control */
    CHECK_EQ(out[0], 'f');

    /* Of all 65536 two-character texts exactly one decodes to each byte. */
    unsigned accepted = 0;
    for (unsigned a = 1; a < 256; a++)
        for (unsigned b = 1; b < 256; b++)
            accepted += om_base32_decode(om_mut(out, 1), (char[]){(char)a, (char)b, 0}) == OM_OK;
    CHECK_EQ(accepted, 256);
}

OM_TEST(text_durations_round_trip)
{
    static const struct {
        const char *text;
        om_time us;
        const char *prints;
    } cases[] = {
        {"0s", 0, "0s"},
        {"0us", 0, "0s"},
        {"10us", 10, "10us"},
        {"250ms", OM_MS(250), "250ms"},
        {"0.25s", OM_MS(250), "250ms"},
        {"1.5ms", 1500, "1.5ms"},
        {"1.5s", OM_MS(1500), "1.5s"},
        {"1.000001s", 1000001, "1.000001s"},
        {"90s", OM_SEC(90), "1m30s"},
        {"2m30s", OM_SEC(150), "2m30s"},
        {"1m500ms", OM_MS(60500), "1m0.5s"},
        {"24h", 86400 * OM_SEC(1), "1d"},
        {"7d", 7 * 86400 * OM_SEC(1), "7d"},
        {"1d1us", 86400 * OM_SEC(1) + 1, "1d0.000001s"},
        {"0.5d", 43200 * OM_SEC(1), "12h"},
        {"106751991d4h54.775806s", OM_NEVER - 1, "106751991d4h54.775806s"},
    };

    for (size_t i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        char text[OM_DURATION_TEXT];
        om_time us = -1;

        CHECK_OK(om_duration_parse(&us, cases[i].text, NULL));
        CHECK_EQ(us, cases[i].us);
        CHECK_STR(om_duration_print(us, text, sizeof text), cases[i].prints);
    }
}

OM_TEST(text_refuses_bad_durations)
{
    static const char *const bad[] = {"",
                                      "5",
                                      "0",
                                      "s",
                                      "-1s",
                                      "+1s",
                                      " 1s",
                                      "1s ",
                                      "1 s",
                                      "1S",
                                      "1sec",
                                      "1w",
                                      "1.s",
                                      ".5s",
                                      "1.5.5s",
                                      "1,5s",
                                      "1m5",
                                      "1s2m",
                                      "1s1s",
                                      "0.5us",
                                      "1.5h30m",
                                      "1.0000005s",
                                      "1.0000000s",
                                      "1e3s",
                                      "0x1s",
                                      "1m30",
                                      "never",
                                      "1.5",
                                      "1.18446744073709551616s"};
    struct om_error err;
    char text[OM_DURATION_TEXT];
    om_time us = 77;

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK_ERR(om_duration_parse(&us, bad[i], &err), OM_E_PARSE);
        CHECK(strstr(err.msg, "want a duration with its unit") != NULL);
    }
    CHECK_ERR(om_duration_parse(&us, "106751991d4h54.775807s", &err), OM_E_RANGE);
    CHECK_ERR(om_duration_parse(&us, "106751992d", &err), OM_E_RANGE);
    CHECK_ERR(om_duration_parse(&us, "99999999999999999999us", &err), OM_E_RANGE);
    CHECK_EQ(us, 77);

    CHECK_STR(om_duration_print(OM_NEVER, text, sizeof text), "never");
    CHECK_STR(om_duration_print(-500, text, sizeof text), "-500us");
    CHECK_STR(om_duration_print(INT64_MIN, text, sizeof text), "-106751991d4h54.775808s");
    CHECK_STR(om_duration_print(OM_MS(1500), text, 3), "1.");
}

OM_TEST(text_sizes_round_trip)
{
    static const struct {
        const char *text;
        uint64_t bytes;
        const char *prints;
    } cases[] = {
        {"0", 0, "0"},
        {"1500", 1500, "1500"},
        {"512B", 512, "512"},
        {"64k", 65536, "64KiB"},
        {"64K", 65536, "64KiB"},
        {"64KiB", 65536, "64KiB"},
        {"64kB", 64000, "64000"},
        {"64KB", 64000, "64000"},
        {"4MiB", 4u << 20, "4MiB"},
        {"4M", 4u << 20, "4MiB"},
        {"2GB", 2000000000, "1953125KiB"},
        {"3T", 3ull << 40, "3TiB"},
        {"5P", 5ull << 50, "5PiB"},
        {"15EiB", 15ull << 60, "15EiB"},
        {"18EB", 18000000000000000000ull, "17578125000000000KiB"},
        {"18446744073709551615", UINT64_MAX, "18446744073709551615"},
    };

    for (size_t i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        char text[OM_SIZE_TEXT];
        uint64_t bytes = 1;

        CHECK_OK(om_size_parse(&bytes, cases[i].text, NULL));
        CHECK(bytes == cases[i].bytes);
        CHECK_STR(om_size_print(bytes, text, sizeof text), cases[i].prints);
        CHECK_OK(om_size_parse(&bytes, text, NULL));
        CHECK(bytes == cases[i].bytes);
    }
}

OM_TEST(text_refuses_bad_sizes)
{
    static const char *const bad[] = {"",     "k",  "-1",  "+1",   " 1",   "1 ",   "1 k",
                                      "1.5G", "1m", "1kk", "1kib", "1kiB", "1Kib", "1Ki",
                                      "1BB",  "1b", "1g",  "1KBs", "1Z",   "0x10", "1e3"};
    static const char *const big[] = {"18446744073709551616", "16EiB", "19EB", "18014398509481984k",
                                      "99999999999999999999B"};
    struct om_error err;
    uint64_t bytes = 77;

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK_ERR(om_size_parse(&bytes, bad[i], &err), OM_E_PARSE);
        CHECK(strstr(err.msg, "want a size") != NULL);
    }
    for (size_t i = 0; i < OM_ARRAY_SIZE(big); i++)
        CHECK_ERR(om_size_parse(&bytes, big[i], &err), OM_E_RANGE);
    CHECK_EQ(bytes, 77);
}

OM_TEST(text_numbers_stay_in_range)
{
    struct om_error err;
    uint64_t v = 77;

    CHECK_ERR(om_u64_parse(&v, "", 9, &err), OM_E_PARSE);
    CHECK_ERR(om_u64_parse(&v, "1x", 9, &err), OM_E_PARSE);
    CHECK_ERR(om_u64_parse(&v, "-1", 9, &err), OM_E_PARSE);
    CHECK_ERR(om_u64_parse(&v, "10", 9, &err), OM_E_RANGE);
    CHECK_STR(err.msg, "\"10\": want a number from 0 to 9");
    CHECK_ERR(om_u64_parse(&v, "18446744073709551616", UINT64_MAX, &err), OM_E_RANGE);
    CHECK_EQ(v, 77);
    CHECK_OK(om_u64_parse(&v, "9", 9, &err));
    CHECK_EQ(v, 9);
    CHECK_OK(om_u64_parse(&v, "18446744073709551615", UINT64_MAX, &err));
    CHECK(v == UINT64_MAX);
}

static const char *escaped(const char *text)
{
    static char out[256];

    size_t len = om_text_escape(out, sizeof out, om_bytes(text, strlen(text)));

    CHECK_EQ(len, strlen(out));
    return out;
}

OM_TEST(text_escape_leaves_nothing_active)
{
    static const char *const kept[] = {"", "plain text, 'quoted' = 100%", "Grüße", "Ω≈ç", "日本語",
                                       "👍"};
    static const char *const turned[][2] = {
        {"a\nb", "a\\x0ab"},
        {"\x1b[31m", "\\x1b[31m"},
        {"\x7f", "\\x7f"},
        {"say \"hi\"", "say \\x22hi\\x22"},
        {"\\x41", "\\x5cx41"},
        {"\xc2\x9b", "\\xc2\\x9b"}, /* U+009B, the one-byte CSI of C1 */
        {"a\xe2\x80\xae"
         "b",
         "a\\xe2\\x80\\xaeb"},                        /* U+202E right-to-left override */
        {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},          /* U+2066 isolate */
        {"\xe2\x80\x8b", "\\xe2\\x80\\x8b"},          /* U+200B zero width space */
        {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},          /* U+2028 line separator */
        {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},          /* U+FEFF byte order mark */
        {"\xc2\xa0", "\\xc2\\xa0"},                   /* U+00A0 no-break space */
        {"\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81"}, /* U+E0041 tag */
        {"\xef\xbf\xbf", "\\xef\\xbf\\xbf"},          /* U+FFFF noncharacter */
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong "/" */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* above U+10FFFF */
        {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
        {"\x80"
         "a",
         "\\x80a"},
        {"\xc3", "\\xc3"},
        {"\xc3(", "\\xc3("},
        {"\xe2\x82", "\\xe2\\x82"},
    };

    for (size_t i = 0; i < OM_ARRAY_SIZE(kept); i++) {
        CHECK_STR(escaped(kept[i]), kept[i]);
        CHECK(om_text_is_utf8(om_bytes(kept[i], strlen(kept[i]))));
    }
    for (size_t i = 0; i < OM_ARRAY_SIZE(turned); i++)
        CHECK_STR(escaped(turned[i][0]), turned[i][1]);
    char zero[8];
    CHECK_EQ(om_text_escape(zero, sizeof zero, om_bytes("a\0b", 3)), 6);
    CHECK_STR(zero, "a\\x00b");
    CHECK(!om_text_is_utf8(om_bytes("a\xc0\xaf", 3)));
}

OM_TEST(text_escape_is_bounded)
{
    static const char text[] = "ab\nü\xff";
    char want[OM_ESCAPE_LEN(sizeof text - 1)], out[OM_ESCAPE_LEN(sizeof text - 1) + 1];

    om_text_escape(want, sizeof want, om_bytes(text, sizeof text - 1));
    CHECK_STR(want, "ab\\x0aü\\xff");
    for (size_t n = 0; n <= sizeof want; n++) {
        struct om_bytes in = om_bytes(text, sizeof text - 1);
        size_t len;

        memset(out, '#', sizeof out);
        len = om_text_escape_take(out, n, &in);
        CHECK(len < n || (len == 0 && n == 0));
        CHECK_EQ(out[n], '#');
        CHECK_MEM(out, want, len);
        CHECK(n == 0 || out[len] == '\0');
        CHECK(om_text_is_utf8(om_bytes(out, len)));
        CHECK_EQ(in.n == 0, n > strlen(want));
    }
    char shown[OM_SHOW_TEXT], text_long[300];
    memset(text_long, '\n', sizeof text_long - 1);
    text_long[sizeof text_long - 1] = '\0';
    CHECK(strlen(om_text_show(shown, text_long)) < OM_SHOW_TEXT);
    CHECK_STR(shown + strlen(shown) - 7, "\\x0a...");
    CHECK_STR(om_text_show(shown, "short"), "short");
}
