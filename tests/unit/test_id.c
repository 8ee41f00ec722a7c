/* test_id.c - ids of peers and networks. */
#include "harness.h"

#include <omerta/id.h>

/* Reference text from Python's base64.b32encode(bytes(range(32))), lower case, "=" dropped. */
static const char counting[] = "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq";

OM_TEST(id_text_round_trips)
{
    struct om_id id, back;
    char text[OM_ID_TEXT];

    for (unsigned i = 0; i < OM_ID_BYTES; i++)
        id.b[i] = (uint8_t)i;
    CHECK_STR(om_id_print(&id, text), counting);
    CHECK_OK(om_id_parse(&back, counting, NULL));
    CHECK(om_id_equal(&id, &back));
}

OM_TEST(id_parse_takes_one_spelling_only)
{
    char text[OM_ID_TEXT + 1];
    struct om_id id = {{7}};
    struct om_error err;

    CHECK_ERR(om_id_parse(&id, "", &err), OM_E_PARSE);
    CHECK_STR(err.msg, "\"\": too short: an id has 52 characters");
    memcpy(text, counting, OM_ID_TEXT);
    text[51] = '\0';
    CHECK_ERR(om_id_parse(&id, text, &err), OM_E_PARSE);
    CHECK(strstr(err.msg, "too short") != NULL);
    memcpy(text, counting, OM_ID_TEXT - 1);
    memcpy(text + OM_ID_TEXT - 1, "a", 2);
    CHECK_ERR(om_id_parse(&id, text, &err), OM_E_PARSE);
    CHECK(strstr(err.msg, "too long") != NULL);
    memcpy(text, counting, OM_ID_TEXT);
    text[0] = 'A';
    CHECK_ERR(om_id_parse(&id, text, &err), OM_E_PARSE);
    text[0] = '0';
    CHECK_ERR(om_id_parse(&id, text, &err), OM_E_PARSE);
    memcpy(text, counting, OM_ID_TEXT);
    text[51] = 'r'; /* the same 32 bytes, with a spare bit set */
    CHECK_ERR(om_id_parse(&id, text, &err), OM_E_PARSE);
    CHECK_EQ(id.b[0], 7); /* untouched all the while */
    CHECK_OK(om_id_parse(&id, counting, &err));
    CHECK_EQ(id.b[31], 31);
}

OM_TEST(id_short_is_a_prefix)
{
    char text[OM_ID_SHORT];
    struct om_id id;

    CHECK_OK(om_id_parse(&id, counting, NULL));
    CHECK_STR(om_id_short(&id, text), "aaaqeayeau");
}

OM_TEST(id_order_is_that_of_the_bytes)
{
    struct om_id a = {{0x7f}}, b = {{0x80}}, zero = {{0}};

    CHECK(om_id_cmp(&a, &b) < 0 && om_id_cmp(&b, &a) > 0);
    CHECK_EQ(om_id_cmp(&a, &a), 0);
    CHECK(!om_id_equal(&a, &b) && om_id_equal(&b, &b));
    CHECK(om_id_is_zero(&zero) && !om_id_is_zero(&a));
    zero.b[31] = 1;
    CHECK(!om_id_is_zero(&zero));
}
