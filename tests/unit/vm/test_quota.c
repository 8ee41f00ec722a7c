/* test_quota.c - reservations, and whose limit they meet. */
#include "harness.h"

#include "tests/model/dice.h"
#include "vm/core/quota.h"

static const struct om_vm_limits limits = {{
    [OM_VM_SCOPE_VM] = {1, 4, 4096, 10000},
    [OM_VM_SCOPE_PEER] = {2, 4, 4096, 10000},
    [OM_VM_SCOPE_NETWORK] = {3, 6, 6000, 20000},
    [OM_VM_SCOPE_ALL] = {5, 8, 8192, 30000},
}};

static struct om_vm_share share(uint64_t vm, uint8_t peer, uint8_t network, uint32_t cpus)
{
    return (struct om_vm_share){
        .vm = vm, .peer = {{peer}}, .network = {{network}}, .amount = {1, cpus, 512, 100}};
}

OM_TEST(quota_counts_each_scope)
{
    struct om_error err = {0};
    struct om_vm_quota q;
    struct om_vm_share s = share(1, 1, 1, 5);

    om_vm_quota_init(&q, &limits);
    CHECK_ERR(om_vm_quota_reserve(&q, &s, &err), OM_E_RANGE);
    CHECK_STR(err.msg, "cpus: 5 asked, one VM may have 4");
    s = share(1, 1, 1, 2);
    CHECK_OK(om_vm_quota_reserve(&q, &s, &err));
    CHECK_ERR(om_vm_quota_reserve(&q, &s, &err), OM_E_EXISTS);
    s = share(2, 1, 1, 3);
    CHECK_ERR(om_vm_quota_reserve(&q, &s, &err), OM_E_FULL);
    CHECK_STR(err.msg, "cpus: 3 asked, 2 of 4 that one peer may have are taken");
    s = share(2, 2, 1, 4);
    CHECK_OK(om_vm_quota_reserve(&q, &s, &err));
    s = share(3, 3, 1, 1);
    CHECK_ERR(om_vm_quota_reserve(&q, &s, &err), OM_E_FULL);
    CHECK_STR(err.msg, "cpus: 1 asked, 6 of 6 that one network may have are taken");
    s = share(3, 3, 2, 3);
    CHECK_ERR(om_vm_quota_reserve(&q, &s, &err), OM_E_FULL);
    CHECK_STR(err.msg, "cpus: 3 asked, 6 of 8 that all VMs here may have are taken");
    s = share(3, 3, 2, 2);
    CHECK_OK(om_vm_quota_reserve(&q, &s, &err));
    CHECK_EQ(om_vm_quota_used(&q, OM_VM_SCOPE_ALL, NULL).cpus, 8);
    CHECK_EQ(om_vm_quota_used(&q, OM_VM_SCOPE_PEER, &s.peer).cpus, 2);
    CHECK_EQ(om_vm_quota_used(&q, OM_VM_SCOPE_NETWORK, &(struct om_id){{1}}).vms, 2);
}

OM_TEST(quota_owner_is_bound_by_the_whole_only)
{
    struct om_vm_quota q;
    struct om_vm_share s = share(1, 9, 9, 7);

    om_vm_quota_init(&q, &limits);
    s.is_owner = true;
    CHECK_OK(om_vm_quota_reserve(&q, &s, NULL));
    s.vm = 2;
    CHECK_ERR(om_vm_quota_reserve(&q, &s, NULL), OM_E_FULL);
    s.amount.cpus = 1;
    CHECK_OK(om_vm_quota_reserve(&q, &s, NULL));
    s.vm = 3;
    s.amount.cpus = 9;
    CHECK_ERR(om_vm_quota_reserve(&q, &s, NULL), OM_E_RANGE);
}

OM_TEST(quota_names_who_makes_room)
{
    uint64_t vms[OM_VM_COUNT_MAX];
    struct om_vm_quota q;
    struct om_vm_share s;

    om_vm_quota_init(&q, &limits);
    s = share(1, 1, 1, 1);
    CHECK_OK(om_vm_quota_reserve(&q, &s, NULL));
    s = share(2, 2, 1, 4);
    CHECK_OK(om_vm_quota_reserve(&q, &s, NULL));
    s = share(3, 3, 2, 1);
    CHECK_OK(om_vm_quota_reserve(&q, &s, NULL));
    s = share(4, 9, 9, 1);
    s.is_owner = true;
    CHECK_OK(om_vm_quota_reserve(&q, &s, NULL));
    s.vm = 5;
    CHECK_EQ(om_vm_quota_yield(&q, &s, vms), 0); /* 7 of 8 are taken: there is room */
    s.amount.cpus = 2;
    CHECK(om_vm_quota_yield(&q, &s, vms) == 1 && vms[0] == 3);
    s.amount.cpus = 5; /* 3 alone is too little, and with 2 it is too much */
    CHECK(om_vm_quota_yield(&q, &s, vms) == 1 && vms[0] == 2);
    s.amount.cpus = 6;
    CHECK(om_vm_quota_yield(&q, &s, vms) == 2 && vms[0] == 3 && vms[1] == 2);
    s.amount.cpus = 8; /* the owner's own stays */
    CHECK_EQ(om_vm_quota_yield(&q, &s, vms), 0);
}

OM_TEST(quota_new_limits_end_nobody)
{
    const struct om_vm_limits none = {0};
    struct om_vm_share s = share(1, 1, 1, 2);
    struct om_vm_quota q;

    om_vm_quota_init(&q, &limits);
    CHECK_OK(om_vm_quota_reserve(&q, &s, NULL));
    om_vm_quota_limit(&q, &none);
    CHECK_EQ(q.count, 1);
    s.vm = 2;
    CHECK_ERR(om_vm_quota_reserve(&q, &s, NULL), OM_E_RANGE);
    CHECK_OK(om_vm_quota_recover(&q, &s));
    CHECK_ERR(om_vm_quota_recover(&q, &s), OM_E_EXISTS);
}

OM_TEST(quota_gives_back_once)
{
    struct om_vm_share s = share(1, 1, 1, 2);
    struct om_vm_quota q;

    om_vm_quota_init(&q, &limits);
    CHECK_OK(om_vm_quota_reserve(&q, &s, NULL));
    CHECK(om_vm_quota_release(&q, 1));
    CHECK(!om_vm_quota_release(&q, 1));
    CHECK_EQ(om_vm_quota_used(&q, OM_VM_SCOPE_ALL, NULL).cpus, 0);
    for (uint64_t i = 1; i <= OM_VM_COUNT_MAX; i++) {
        s.vm = i;
        CHECK_OK(om_vm_quota_recover(&q, &s));
    }
    s.vm = 99;
    CHECK_ERR(om_vm_quota_recover(&q, &s), OM_E_FULL);
}

OM_TEST(quota_model_never_passes_a_limit)
{
    struct dice d = {23};
    uint64_t vms[OM_VM_COUNT_MAX];
    struct om_vm_quota q;
    unsigned granted = 0;

    om_vm_quota_init(&q, &limits);
    for (unsigned i = 0; i < 20000; i++) {
        struct om_vm_share s = share(dice_below(&d, 12), (uint8_t)dice_below(&d, 3),
                                     (uint8_t)dice_below(&d, 2), 1 + dice_below(&d, 4));
        s.is_owner = dice_below(&d, 5) == 0;
        if (dice_below(&d, 2))
            (void)om_vm_quota_release(&q, s.vm);
        else if (om_vm_quota_reserve(&q, &s, NULL) == OM_OK)
            granted++;
        else if (s.is_owner)
            for (unsigned n = om_vm_quota_yield(&q, &s, vms); n > 0; n--)
                CHECK(om_vm_quota_release(&q, vms[n - 1]));
        CHECK(om_vm_quota_used(&q, OM_VM_SCOPE_ALL, NULL).cpus <= 8);
        CHECK(om_vm_quota_used(&q, OM_VM_SCOPE_ALL, NULL).vms <= 5);
    }
    CHECK(granted > 3000);
}
