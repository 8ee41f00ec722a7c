/* test_approvals.c - requests that wait, and what ends their waiting. */
#include "harness.h"

#include <omerta/share.h>

#include "vm/core/approvals.h"

static struct om_vm_approvals l;
static struct om_vm_decided d;

static unsigned networks = 1;

static enum om_err add_in(uint8_t network, uint64_t vm, uint8_t peer, om_time until)
{
    struct om_vm_approval a = {.vm = vm, .network = {{network}}, .peer = {{peer}}, .until = until};

    om_vm_spec_default(&a.spec);
    return om_vm_approvals_add(&l, &a, networks, NULL);
}

static enum om_err add(uint64_t vm, uint8_t peer, om_time until)
{
    return add_in(1, vm, peer, until);
}

OM_TEST(approvals_are_allowed)
{
    l.count = 0;
    CHECK_OK(add(7, 1, OM_SEC(60)));
    CHECK_OK(add(8, 2, OM_SEC(50)));
    CHECK_ERR(add(7, 1, OM_SEC(60)), OM_E_EXISTS);
    CHECK(om_vm_approvals_find(&l, 7)->peer.b[0] == 1 && !om_vm_approvals_find(&l, 9));
    CHECK(om_vm_approvals_decide(&l, OM_SEC(5), 7, true, &d));
    CHECK(d.vm == 7 && d.peer.b[0] == 1 && d.answer == OM_VM_ALLOWED);
    CHECK(!om_vm_approvals_find(&l, 7) && om_vm_approvals_find(&l, 8));
}

OM_TEST(approvals_are_denied)
{
    l.count = 0;
    CHECK_OK(add(7, 1, OM_SEC(60)));
    CHECK(om_vm_approvals_decide(&l, OM_SEC(5), 7, false, &d));
    CHECK(d.vm == 7 && d.answer == OM_VM_DENIED);
    CHECK(om_vm_approvals_deadline(&l) == OM_NEVER);
}

OM_TEST(approvals_expire)
{
    l.count = 0;
    CHECK_OK(add(7, 1, OM_SEC(60)));
    CHECK_OK(add(8, 2, OM_SEC(50)));
    CHECK(om_vm_approvals_deadline(&l) == OM_SEC(50));
    CHECK(!om_vm_approvals_next(&l, OM_SEC(50) - 1, &d));
    CHECK(om_vm_approvals_next(&l, OM_SEC(50), &d));
    CHECK(d.vm == 8 && d.answer == OM_VM_UNANSWERED);
    CHECK(!om_vm_approvals_next(&l, OM_SEC(50), &d));
    CHECK(om_vm_approvals_deadline(&l) == OM_SEC(60));
}

OM_TEST(approvals_decide_once)
{
    l.count = 0;
    CHECK_OK(add(7, 1, OM_SEC(60)));
    CHECK(!om_vm_approvals_decide(&l, OM_SEC(60), 7, true, &d));
    CHECK(om_vm_approvals_next(&l, OM_SEC(60), &d));
    CHECK(!om_vm_approvals_next(&l, OM_SEC(60), &d));
    CHECK_OK(add(7, 1, OM_SEC(90)));
    CHECK(om_vm_approvals_decide(&l, OM_SEC(61), 7, true, &d));
    CHECK(!om_vm_approvals_decide(&l, OM_SEC(61), 7, false, &d));
}

OM_TEST(approvals_are_taken_back)
{
    l.count = 0;
    CHECK_OK(add(7, 1, OM_SEC(60)));
    CHECK(om_vm_approvals_drop(&l, 7) && !om_vm_approvals_drop(&l, 7));
    CHECK(!om_vm_approvals_decide(&l, 0, 7, true, &d));
}

OM_TEST(approvals_are_bounded)
{
    uint64_t vm = 0;

    l.count = 0;
    while (vm < OM_VM_APPROVALS_MAX) {
        CHECK_OK(add(vm, (uint8_t)vm, OM_SEC(60)));
        vm++;
    }
    CHECK_ERR(add(vm, 255, OM_SEC(60)), OM_E_FULL);
    CHECK(om_vm_approvals_drop(&l, 3));
    CHECK_OK(add(vm, 255, OM_SEC(60)));
}

/* The list of one network alone is above: all of it is its own. */
OM_TEST(approvals_keep_room_for_another_network)
{
    enum { SHARE = OM_VM_APPROVALS_MAX / OM_SHARES_NETWORKS };
    uint64_t vm = 0;

    l.count = 0;
    networks = 2;
    for (; vm < OM_VM_APPROVALS_MAX - SHARE; vm++)
        CHECK_OK(add(vm, (uint8_t)vm, OM_SEC(60)));
    CHECK_ERR(add(vm, 255, OM_SEC(60)), OM_E_FULL);
    for (; vm < OM_VM_APPROVALS_MAX; vm++)
        CHECK_OK(add_in(2, vm, (uint8_t)vm, OM_SEC(60)));
    CHECK_ERR(add_in(2, vm, 255, OM_SEC(60)), OM_E_FULL);
    networks = 1;
}

OM_TEST(approvals_one_peer_cannot_fill_the_list)
{
    l.count = 0;
    for (uint64_t vm = 0; vm < OM_VM_APPROVALS_PEER; vm++)
        CHECK_OK(add(vm, 1, OM_SEC(60)));
    CHECK_ERR(add(99, 1, OM_SEC(60)), OM_E_BUSY);
    CHECK_OK(add(99, 2, OM_SEC(60)));
}
