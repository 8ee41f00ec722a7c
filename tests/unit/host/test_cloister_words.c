/* test_cloister_words.c - what a peer writes into a call "cloister". */
#include "harness.h"

#include <stdlib.h>

#include "cloister_words.h"

static bool read(uint8_t out[static CLOISTER_WORD], const char *text)
{
    return cloister_words_read(out, om_bytes(text, strlen(text)), CLOISTER_POINT);
}

static void fill(void *self OM_UNUSED, void *dst, size_t n)
{
    memset(dst, 7, n);
}

#define HEX62 "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

OM_TEST(cloister_words_round_trip)
{
    const struct om_rng rng = {.fill = fill};
    struct om_id self = {.b = {1}}, peer = {.b = {2}};
    struct om_cloister c;
    uint8_t back[CLOISTER_WORD] = {0};

    om_cloister_ask(&c, 0, &self, &peer, &rng);
    char *text = cloister_words_write(&c, CLOISTER_COMMIT);
    OM_TRY(text != NULL);
    CHECK(cloister_words_read(back, om_bytes(text, strlen(text)), CLOISTER_COMMIT));
    CHECK_MEM(back, c.commit, sizeof back);
    CHECK(cloister_words_write(&c, CLOISTER_COMMIT) == NULL); /* said once */
out:
    free(text);
    om_cloister_wipe(&c);
}

OM_TEST(cloister_words_refuse_what_is_none)
{
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "x",
        "{\"point\":7}",
        "{\"point\":null}",
        "{\"point\":\"\"}",
        "{\"point\":[\"" HEX62 "20\"]}",
        "{\"point\":\"" HEX62 "\"}",
        "{\"point\":\"" HEX62 "2021\"}",
        "{\"point\":\"" HEX62 "2g\"}",
        "{\"point\":\"" HEX62 "2\\u0000\"}",
        "{\"other\":\"" HEX62 "20\"}",
        "{\"point\":\"" HEX62 "20\",\"point\":\"" HEX62 "20\"}",
    };
    uint8_t out[CLOISTER_WORD] = {0x55};

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++)
        CHECK(!read(out, bad[i]) && out[0] == 0x55);
    OM_TRY(read(out, "{\"more\":1,\"point\":\"" HEX62 "20\"}"));
    CHECK(out[0] == 1 && out[31] == 0x20);
out:;
}
