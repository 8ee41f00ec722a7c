/* test_base64.c - the RFC's examples, all lengths, and what is not base64. */
#include "harness.h"

#include "tests/model/dice.h"
#include "vm/core/base64.h"

OM_TEST(base64_meets_the_rfc)
{
    static const struct {
        const char *bytes, *text;
    } rows[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    char text[16];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        om_vm_base64_encode(text, om_bytes(rows[i].bytes, strlen(rows[i].bytes)));
        CHECK_STR(text, rows[i].text);
    }
}

OM_TEST(base64_round_trips)
{
    uint8_t in[200], out[204];
    char text[OM_VM_BASE64_LEN(sizeof in) + 1];
    struct dice d = {9};
    size_t n;

    for (size_t len = 0; len <= sizeof in; len++) {
        dice_fill(&d, in, len);
        om_vm_base64_encode(text, om_bytes(in, len));
        CHECK_EQ(strlen(text), OM_VM_BASE64_LEN(len));
        CHECK(om_vm_base64_decode(out, &n, om_bytes(text, strlen(text))));
        CHECK(n == len && (len == 0 || memcmp(in, out, len) == 0));
        /* in place */
        CHECK(om_vm_base64_decode((uint8_t *)text, &n, om_bytes(text, strlen(text))));
        CHECK(n == len && (len == 0 || memcmp(in, text, len) == 0));
    }
}

OM_TEST(base64_refuses_every_other_spelling)
{
    static const char *const rows[] = {"Z",    "Zg",   "Zg=",  "Zm9",      "=Zg=", "Z===",
                                       "====", "Zh==", "Zm9=", "Zg==Zg==", "Zm8 ", "Zm\n8",
                                       "Zm9-", "Zm9_", "Zm=v", "Zm9v\n"};
    uint8_t out[16];
    size_t n;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++)
        CHECK(!om_vm_base64_decode(out, &n, om_bytes(rows[i], strlen(rows[i]))));
    CHECK(!om_vm_base64_decode(out, &n, om_bytes("Zm9\0", 4)));
}
