/* test_limits.c - what fits and what does not. */
#include "harness.h"

#include "json_hook.h"
#include "vm/core/limits.h"

OM_TEST(limits_name_what_does_not_fit)
{
    const struct om_vm_amount most = {4, 8, 4096, 10000}, used = {3, 6, 3000, 9000}, none = {0};
    static const struct {
        struct om_vm_amount more;
        enum om_err e;
        const char *msg;
    } rows[] = {
        {{1, 2, 1096, 1000}, OM_OK, ""},
        {{1, 3, 1, 1}, OM_E_FULL, "cpus: 3 asked, 6 of 8 that one peer may have are taken"},
        {{1, 9, 1, 1}, OM_E_RANGE, "cpus: 9 asked, one peer may have 8"},
        {{1, 1, 1097, 1},
         OM_E_FULL,
         "memory (MiB): 1097 asked, 3000 of 4096 that one peer may have are taken"},
        {{1, 1, 1, 1001},
         OM_E_FULL,
         "disk (MiB): 1001 asked, 9000 of 10000 that one peer may have are taken"},
        {{2, 1, 1, 1}, OM_E_FULL, "VMs: 2 asked, 3 of 4 that one peer may have are taken"},
        {{1, 1, UINT32_MAX, 1},
         OM_E_RANGE,
         "memory (MiB): 4294967295 asked, one peer may have 4096"},
    };

    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        struct om_error err = {0};
        CHECK_ERR(om_vm_amount_fits(&most, &used, &rows[i].more, OM_VM_SCOPE_PEER, &err),
                  rows[i].e);
        CHECK_STR(err.msg, rows[i].msg);
    }
    CHECK_OK(om_vm_amount_fits(&most, &none, &most, OM_VM_SCOPE_ALL, NULL));
}

OM_TEST(limits_of_zero_allow_nothing)
{
    const struct om_vm_amount none = {0};
    struct om_vm_amount one = {1, 1, 64, 0}, sum = {UINT32_MAX, 1, 2, 3};

    CHECK_ERR(om_vm_amount_fits(&none, &none, &one, OM_VM_SCOPE_ALL, NULL), OM_E_RANGE);
    om_vm_amount_add(&sum, &one);
    CHECK(sum.vms == UINT32_MAX && sum.cpus == 2 && sum.memory_mib == 66 && sum.disk_mib == 3);
    om_vm_amount_sub(&sum, &one);
    CHECK(sum.vms == UINT32_MAX - 1 && sum.cpus == 1 && sum.memory_mib == 2);
}

OM_TEST(limits_read_their_words)
{
    static const char *const text =
        "{\"vm\": {\"cpus\": 2, \"memory\": \"1G\"}, \"peer\": {\"vms\": 2},"
        " \"all\": {\"vms\": 8, \"cpus\": 6, \"memory\": \"8G\", \"disk\": \"100G\"}}";
    static const struct {
        const char *text, *msg;
    } rows[] = {
        {"{}", "limits: want a member \"all\": the most that all VMs may take"},
        {"{\"all\": {}}", "limits.all: want all of vms, cpus, memory and disk"},
        {"{\"all\": {\"vms\": 65}}", "limits.all.vms: is 65: want 0 to 64"},
        {"{\"all\": {}, \"pear\": {}}", "limits.pear: unknown member"},
        {"{\"all\": {\"vms\": 1, \"cpus\": 1, \"memory\": 64, \"disk\": 0}, \"vm\": {\"vms\": 1}}",
         "limits.vm.vms: unknown member"},
    };
    json_t *o = json_loads(text, 0, NULL), *back = NULL;
    struct om_vm_limits l = {0}, again = {0};

    OM_TRY(o);
    OM_TRY(om_vm_limits_read(&l, o, NULL) == OM_OK);
    CHECK_EQ(l.most[OM_VM_SCOPE_VM].memory_mib, 1024);
    CHECK_EQ(l.most[OM_VM_SCOPE_VM].vms, 1);
    CHECK_EQ(l.most[OM_VM_SCOPE_VM].disk_mib, 100 * 1024);
    CHECK_EQ(l.most[OM_VM_SCOPE_PEER].vms, 2);
    CHECK_EQ(l.most[OM_VM_SCOPE_NETWORK].vms, 8);
    OM_TRY((back = om_vm_limits_write(&l)) != NULL);
    OM_TRY(om_vm_limits_read(&again, back, NULL) == OM_OK);
    CHECK_MEM(&l, &again, sizeof l);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        struct om_error err = {0};
        json_t *bad = json_loads(rows[i].text, 0, NULL);
        OM_TRY(bad);
        CHECK(om_vm_limits_read(&again, bad, &err) != OM_OK);
        json_decref(bad);
        CHECK_STR(err.msg, rows[i].msg);
        CHECK_MEM(&l, &again, sizeof l);
    }
    CHECK_STR(om_vm_scope_name(OM_VM_SCOPE_NETWORK), "network");
out:
    json_decref(back);
    json_decref(o);
}
