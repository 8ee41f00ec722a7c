/* test_blob.c - bytes in JSON and back. */
#include "harness.h"

#include <omerta/attr.h>

#include "service/blob.h"

OM_TEST(blob_round_trips)
{
    static const size_t sizes[] = {0, 1, 2, 3, 100, 40 * 1024};
    static uint8_t bytes[40 * 1024 + 1];
    struct om_mut text = om_mut(NULL, 0), back = om_mut(NULL, 0);

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(sizes); i++) {
        OM_TRY(om_blob_wrap(om_bytes(bytes, sizes[i]), &text) == OM_OK);
        OM_TRY(om_blob_unwrap(om_bytes(text.p, text.n), &back) == OM_OK);
        CHECK_EQ(back.n, sizes[i]);
        CHECK_MEM(back.p, bytes, sizes[i]);
        free(text.p);
        free(back.p);
        text.p = back.p = NULL;
    }
    CHECK_ERR(om_blob_wrap(om_bytes(bytes, sizeof bytes), &text), OM_E_RANGE);
out:
    free(text.p);
    free(back.p);
}

OM_TEST(blob_refuses_what_is_none)
{
    static const char *const bad[] = {"{}", "{\"b\":1}", "{\"b\":\"*\"}", "{\"b\":\"A\"}",
                                      "[]", "x"};
    struct om_mut back = om_mut(NULL, 0);

    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++)
        CHECK(om_blob_unwrap(om_bytes(bad[i], strlen(bad[i])), &back) != OM_OK);
    OM_TRY(om_blob_unwrap(om_bytes("{\"b\":\"AAA\"}", 11), &back) == OM_OK);
    CHECK_EQ(back.n, 2);
out:
    free(back.p);
}
