/* model_text.c - random input for the grammars of text.h, against twins that spell them out. */
#include "harness.h"

#include <stdio.h>

#include <omerta/prng.h>
#include <omerta/text.h>

enum { ROUNDS = 100000 };

/* A random number whose size is random too. */
static uint64_t any_size(struct om_prng *p)
{
    uint64_t v = om_prng_u64(p);
    return v >> om_prng_below(p, 64);
}

/* Base32 by way of a string of '0' and '1'. */
static void naive_base32(char *out, const uint8_t *in, size_t n)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    char bits[8 * 64 + 5] = "";
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        for (int b = 7; b >= 0; b--)
            bits[count++] = (in[i] >> b & 1) ? '1' : '0';
    while (count % 5 != 0)
        bits[count++] = '0';
    for (size_t i = 0; i < count; i += 5) {
        unsigned v = 0;
        for (size_t j = 0; j < 5; j++)
            v = 2 * v + (bits[i + j] == '1');
        *out++ = alphabet[v];
    }
    *out = '\0';
}

OM_TEST(model_base32_agrees_with_a_bit_string)
{
    struct om_prng p;
    struct om_rng rng = om_prng_rng(&p);

    om_prng_seed(&p, 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t in[64], back[64];
        char text[OM_BASE32_LEN(64) + 1], want[OM_BASE32_LEN(64) + 1];
        size_t n = (size_t)om_prng_below(&p, sizeof in + 1);

        om_rng_fill(&rng, in, n);
        om_base32_encode(text, om_bytes(in, n));
        naive_base32(want, in, n);
        CHECK_STR(text, want);
        CHECK_OK(om_base32_decode(om_mut(back, n), text));
        CHECK_MEM(back, in, n);
        if (n == 0)
            continue;
        /* Any change to the text gives other bytes or an error: never the same bytes. */
        size_t at = (size_t)om_prng_below(&p, strlen(text));
        char was = text[at];
        do
            text[at] = (char)(1 + om_prng_below(&p, 255));
        while (text[at] == was);
        if (om_base32_decode(om_mut(back, n), text) == OM_OK) {
            om_base32_encode(want, om_bytes(back, n));
            CHECK_STR(want, text);
            CHECK_MEM_DIFF(back, in, n);
        }
    }
}

OM_TEST(model_durations_and_sizes_round_trip)
{
    struct om_prng p;

    om_prng_seed(&p, 2);
    for (unsigned i = 0; i < ROUNDS; i++) {
        char text[OM_DURATION_TEXT], size[OM_SIZE_TEXT];
        om_time t = (om_time)(any_size(&p) >> 1), back;
        uint64_t bytes = any_size(&p) << om_prng_below(&p, 64), again;

        t = t == OM_NEVER ? 0 : t;
        om_duration_print(t, text, sizeof text);
        CHECK_OK(om_duration_parse(&back, text, NULL));
        CHECK(back == t);
        om_size_print(bytes, size, sizeof size);
        CHECK_OK(om_size_parse(&again, size, NULL));
        CHECK(again == bytes);
        snprintf(size, sizeof size, "%llu", (unsigned long long)bytes);
        CHECK_OK(om_u64_parse(&again, size, UINT64_MAX, NULL));
        CHECK(again == bytes);
    }
}

/* Undoes an escape; what is no escape stands for itself. */
static size_t unescape(uint8_t *out, const char *text)
{
    size_t n = 0;

    while (*text) {
        unsigned v = 0;
        if (sscanf(text, "\\x%2x", &v) == 1) {
            out[n++] = (uint8_t)v;
            text += 4;
        } else {
            out[n++] = (uint8_t)*text++;
        }
    }
    return n;
}

OM_TEST(model_escape_is_lossless_and_inert)
{
    static const char *const bits[] = {
        "a",  " ", "\n",           "\x1b[", "\"",       "\\",   "\\x41",       "ü",
        "日", "👍", "\xe2\x80\xae", "\xc3",  "\xf0\x9f", "\xff", "\xed\xa0\x80"};
    struct om_prng p;

    om_prng_seed(&p, 3);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t in[64], back[64];
        char text[OM_ESCAPE_LEN(64)];
        size_t n = 0, len;

        while (n < 48 && om_prng_chance(&p, 0.9)) {
            const char *s = bits[om_prng_below(&p, OM_ARRAY_SIZE(bits))];
            if (om_prng_chance(&p, 0.3)) {
                in[n++] = (uint8_t)om_prng_u64(&p);
                continue;
            }
            memcpy(in + n, s, strlen(s));
            n += strlen(s);
        }
        len = om_text_escape(text, sizeof text, om_bytes(in, n));
        CHECK_EQ(len, strlen(text));
        CHECK(om_text_is_utf8(om_bytes(text, len)));
        for (size_t c = 0; c < len; c++) {
            CHECK((uint8_t)text[c] >= 0x20 && text[c] != 0x7f && text[c] != '"');
            CHECK(text[c] != '\\' || text[c + 1] == 'x');
        }
        CHECK(strstr(text, "\xe2\x80\xae") == NULL);
        CHECK_EQ(unescape(back, text), n);
        CHECK_MEM(back, in, n);
        CHECK(om_text_is_utf8(om_bytes(in, n)) || strstr(text, "\\x") != NULL);
    }
}
