/* test_lease.c - the end of a lease, pushed back and announced. */
#include "harness.h"

#include "tests/model/dice.h"
#include "vm/core/lease.h"

enum { HOUR = 3600, RUNS = 300, STEPS = 300 };

static struct om_vm_lease_event e;

OM_TEST(lease_ends_without_signs_of_life)
{
    struct om_vm_lease l;

    om_vm_lease_start(&l, OM_SEC(100), OM_SEC(HOUR), OM_SEC(24 * HOUR));
    CHECK(!om_vm_lease_next(&l, OM_SEC(100), &e));
    CHECK(om_vm_lease_next(&l, OM_SEC(100 + HOUR), &e));
    CHECK(e.kind == OM_VM_LEASE_EXPIRED && e.left == 0 && !e.is_final);
    CHECK(!om_vm_lease_next(&l, OM_SEC(100 + 2 * HOUR), &e));
    CHECK(om_vm_lease_deadline(&l) == OM_NEVER);
    om_vm_lease_renew(&l, OM_SEC(200 + HOUR));
    CHECK(l.until == OM_SEC(100 + HOUR));
    CHECK_ERR(om_vm_lease_extend(&l, OM_SEC(200 + HOUR), OM_SEC(5), NULL), OM_E_STATE);
}

OM_TEST(lease_renewal_never_shortens)
{
    struct om_vm_lease l;

    om_vm_lease_start(&l, 0, OM_SEC(HOUR), OM_SEC(24 * HOUR));
    CHECK_OK(om_vm_lease_extend(&l, OM_SEC(5), OM_SEC(HOUR), NULL));
    CHECK(l.until == OM_SEC(2 * HOUR));
    om_vm_lease_renew(&l, OM_SEC(10));
    CHECK(l.until == OM_SEC(2 * HOUR));
    om_vm_lease_renew(&l, OM_SEC(HOUR + 10));
    CHECK(l.until == OM_SEC(2 * HOUR + 10));
}

OM_TEST(lease_never_passes_its_maximum)
{
    struct om_error err = {0};
    struct om_vm_lease l;

    om_vm_lease_start(&l, 0, OM_SEC(HOUR), OM_SEC(90 * 60));
    om_vm_lease_renew(&l, OM_SEC(HOUR - 1));
    CHECK(l.until == OM_SEC(90 * 60));
    CHECK_ERR(om_vm_lease_extend(&l, OM_SEC(HOUR), OM_SEC(60), &err), OM_E_RANGE);
    CHECK_STR(err.msg, "the lease ends at its maximum, in 30m: its provider allows no more");
    CHECK(om_vm_lease_next(&l, OM_SEC(80 * 60), &e));
    CHECK(e.kind == OM_VM_LEASE_WARNING && e.is_final && e.left == OM_SEC(600));
    om_vm_lease_start(&l, 0, OM_SEC(HOUR), OM_SEC(60));
    CHECK(l.until == OM_SEC(60));
    om_vm_lease_start(&l, 5, OM_NEVER, OM_NEVER);
    CHECK(l.until == OM_NEVER && om_vm_lease_deadline(&l) == OM_NEVER);
}

OM_TEST(lease_warns_twice_and_again_after_renewal)
{
    struct om_vm_lease l;

    om_vm_lease_start(&l, 0, OM_SEC(HOUR), OM_SEC(24 * HOUR));
    for (unsigned i = 0; i < 2; i++) {
        om_time from = i ? OM_SEC(HOUR - 30) : 0;
        CHECK(om_vm_lease_deadline(&l) == from + OM_SEC(45 * 60));
        CHECK(!om_vm_lease_next(&l, from + OM_SEC(45 * 60) - 1, &e));
        CHECK(om_vm_lease_next(&l, from + OM_SEC(45 * 60), &e));
        CHECK(e.kind == OM_VM_LEASE_WARNING && e.left == OM_SEC(15 * 60));
        CHECK(om_vm_lease_deadline(&l) == from + OM_SEC(59 * 60));
        CHECK(om_vm_lease_next(&l, from + OM_SEC(59 * 60), &e) && e.left == OM_SEC(60));
        CHECK(om_vm_lease_deadline(&l) == from + OM_SEC(HOUR));
        CHECK(!om_vm_lease_next(&l, from + OM_SEC(HOUR - 30), &e));
        om_vm_lease_renew(&l, from + OM_SEC(HOUR - 30));
    }
    om_vm_lease_start(&l, 0, OM_SEC(HOUR), OM_SEC(24 * HOUR));
    CHECK(om_vm_lease_next(&l, OM_SEC(HOUR - 5), &e) && e.left == OM_SEC(5));
    CHECK(!om_vm_lease_next(&l, OM_SEC(HOUR - 5), &e));
}

OM_TEST(lease_of_seconds_warns_once)
{
    struct om_vm_lease l;

    om_vm_lease_start(&l, 0, OM_SEC(20), OM_SEC(HOUR));
    CHECK(om_vm_lease_deadline(&l) == OM_SEC(15));
    CHECK(om_vm_lease_next(&l, OM_SEC(15), &e) && e.kind == OM_VM_LEASE_WARNING);
    CHECK(om_vm_lease_deadline(&l) == OM_SEC(20));
}

OM_TEST(lease_lives_on_after_a_restart)
{
    struct om_vm_lease l;

    om_vm_lease_restart(&l, OM_SEC(3), OM_SEC(HOUR), OM_SEC(100), OM_SEC(500));
    CHECK(l.until == OM_SEC(103) && l.most == OM_SEC(503));
    om_vm_lease_renew(&l, OM_SEC(4));
    CHECK(l.until == OM_SEC(503));
    om_vm_lease_restart(&l, OM_SEC(3), OM_SEC(HOUR), OM_SEC(-50), OM_SEC(500));
    CHECK(om_vm_lease_next(&l, OM_SEC(3), &e) && e.kind == OM_VM_LEASE_EXPIRED);
}

/* Random renewals and extensions against the sentence "the latest of all ends ever granted". */
OM_TEST(lease_model_is_its_formula)
{
    struct dice d = {17};

    for (unsigned r = 0; r < RUNS; r++) {
        om_time now = dice_below(&d, 1000), ttl = 1 + dice_below(&d, OM_SEC(500));
        om_time most = now + dice_below(&d, OM_SEC(2000)), until = om_time_min(now + ttl, most);
        struct om_vm_lease l;
        bool is_over = false;

        om_vm_lease_start(&l, now, ttl, most - now);
        for (unsigned i = 0; i < STEPS && !is_over; i++) {
            now += dice_below(&d, (unsigned)ttl / 4 + 2);
            while (om_vm_lease_next(&l, now, &e))
                is_over |= e.kind == OM_VM_LEASE_EXPIRED;
            CHECK(is_over == (now >= until));
            CHECK(is_over || om_vm_lease_deadline(&l) > now);
            om_time by = dice_below(&d, (unsigned)ttl);
            if (!is_over && dice_below(&d, 2)) {
                om_vm_lease_renew(&l, now);
                if (now + ttl > until)
                    until = om_time_min(now + ttl, most);
            } else if (!is_over && om_vm_lease_extend(&l, now, by, NULL) == OM_OK) {
                until = om_time_min(until + by, most);
            }
            CHECK(l.until == until && until <= most);
        }
    }
}
