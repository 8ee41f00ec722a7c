/* test_offer.c - the bytes of offers, ours and those of others. */
#include <string.h>

#include "harness.h"
#include "vm/core/offer.h"

static const struct om_vm_offer some = {
    .is_on = true,
    .is_for_all = true,
    .engine = OM_VM_OFFER_TCG,
    .no_kvm = OM_VM_NO_KVM_FLAGS,
    .load = 2,
    .free = {.vms = 3, .cpus = 4, .memory_mib = 7 * 1024, .disk_mib = 20 * 1024},
    .images = 2,
    .image = {"mini", "python-3.11"},
};

OM_TEST(offer_round_trips)
{
    uint8_t bytes[OM_VM_OFFER_MAX];
    struct om_vm_offer out;
    size_t n = om_vm_offer_encode(bytes, &some);

    CHECK_EQ(n, 17 + 1 + 4 + 1 + 11 + 1);
    CHECK_OK(om_vm_offer_decode(&out, om_bytes(bytes, n)));
    CHECK(out.is_on && out.is_for_all && !out.has_more_images);
    CHECK_EQ(out.engine, OM_VM_OFFER_TCG);
    CHECK_EQ(out.no_kvm, OM_VM_NO_KVM_FLAGS);
    CHECK_STR(om_vm_no_kvm_text(out.no_kvm), "its processor shows neither vmx nor svm");
    CHECK_EQ(out.load, 2);
    CHECK_EQ(out.free.vms, 3);
    CHECK_EQ(out.free.cpus, 4);
    CHECK_EQ(out.free.memory_mib, 7 * 1024);
    CHECK_EQ(out.free.disk_mib, 20 * 1024);
    CHECK_EQ(out.images, 2);
    CHECK_STR(out.image[0], "mini");
    CHECK_STR(out.image[1], "python-3.11");
}

OM_TEST(offer_withdrawn_is_two_bytes)
{
    uint8_t bytes[OM_VM_OFFER_MAX];
    struct om_vm_offer out = some, off = some;

    off.is_on = false;
    CHECK_EQ(om_vm_offer_encode(bytes, &off), 2);
    CHECK_OK(om_vm_offer_decode(&out, om_bytes(bytes, 2)));
    CHECK(!out.is_on && !out.is_for_all && out.images == 0 && out.free.cpus == 0);
}

OM_TEST(offer_never_passes_its_bound)
{
    struct om_vm_offer big = some, out;
    uint8_t bytes[OM_VM_OFFER_MAX];

    big.images = OM_VM_OFFER_IMAGES;
    for (unsigned i = 0; i < big.images; i++) {
        memset(big.image[i], 'a' + (int)i, OM_VM_IMAGE_NAME - 1);
        big.image[i][OM_VM_IMAGE_NAME - 1] = 0;
    }
    size_t n = om_vm_offer_encode(bytes, &big);
    CHECK(n > 0 && n <= OM_VM_OFFER_MAX);
    CHECK_OK(om_vm_offer_decode(&out, om_bytes(bytes, n)));
    CHECK(out.has_more_images);
    CHECK_EQ(out.images, 2); /* of 64 bytes each, beside the rest */
}

OM_TEST(offer_refuses_bad_bytes)
{
    uint8_t bytes[OM_VM_OFFER_MAX + 1] = {0}, spoilt[OM_VM_OFFER_MAX];
    struct om_vm_offer out = {.load = 77};
    size_t n = om_vm_offer_encode(bytes, &some);
    static const struct {
        unsigned at;
        uint8_t value;
        enum om_err err;
    } bad[] = {{0, 2, OM_E_UNSUPPORTED}, {3, OM_VM_OFFER_LOADS, OM_E_RANGE},
               {4, 0xff, OM_E_RANGE},    {6, 0xff, OM_E_RANGE},
               {8, 0xff, OM_E_RANGE},    {12, 0xff, OM_E_RANGE},
               {16, 9, OM_E_RANGE},      {17, 0, OM_E_PARSE},
               {17, 200, OM_E_PARSE},    {18, '/', OM_E_PARSE},
               {18, 0, OM_E_PARSE},      {18, 0x1b, OM_E_PARSE}};

    CHECK_OK(om_vm_offer_decode(&(struct om_vm_offer){0}, om_bytes(bytes, n)));
    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        memcpy(spoilt, bytes, n);
        spoilt[bad[i].at] = bad[i].value;
        CHECK_ERR(om_vm_offer_decode(&out, om_bytes(spoilt, n)), bad[i].err);
    }
    for (size_t cut = 0; cut < n; cut++)
        CHECK_ERR(om_vm_offer_decode(&out, om_bytes(bytes, cut)), OM_E_PARSE);
    CHECK_ERR(om_vm_offer_decode(&out, om_bytes(bytes, sizeof bytes)), OM_E_RANGE);
    CHECK_EQ(out.load, 77); /* untouched */
}

OM_TEST(offer_later_fields_are_skipped)
{
    uint8_t bytes[OM_VM_OFFER_MAX] = {0};
    struct om_vm_offer out;
    size_t n = om_vm_offer_encode(bytes, &some);

    bytes[1] |= 0xf8; /* flags of a later time */
    bytes[2] = 9;     /* an engine, too */
    CHECK_OK(om_vm_offer_decode(&out, om_bytes(bytes, n + 5)));
    CHECK_EQ(out.engine, OM_VM_OFFER_UNKNOWN);
    CHECK_STR(om_vm_offer_engine_name(out.engine), "unknown");
    CHECK_EQ(out.images, 2);
}

OM_TEST(offer_steps_are_coarse)
{
    CHECK_EQ(om_vm_offer_step(0), 0);
    CHECK_EQ(om_vm_offer_step(7), 7);
    CHECK_EQ(om_vm_offer_step(9), 8);
    CHECK_EQ(om_vm_offer_step(1023), 896);
    CHECK_EQ(om_vm_offer_step(1792), 1792);
    CHECK_EQ(om_vm_offer_step(1793), 1792);
    CHECK(om_vm_offer_step(UINT32_MAX) == 0xe0000000U);
}
