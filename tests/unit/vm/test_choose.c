/* test_choose.c - which provider is asked first. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "vm/core/choose.h"

static struct om_vm_offer offer(enum om_vm_offer_engine engine, uint32_t memory_mib)
{
    return (struct om_vm_offer){
        .is_on = true,
        .is_for_all = true,
        .engine = engine,
        .free = {.vms = 2, .cpus = 4, .memory_mib = memory_mib, .disk_mib = 4096},
        .images = 1,
        .image = {"mini"}};
}

static struct om_vm_candidate candidate(uint8_t id, const struct om_vm_offer *o, om_time rtt)
{
    return (struct om_vm_candidate){.id = {{id}}, .offer = o, .rtt = rtt};
}

static const struct om_vm_need small = {
    .amount = {.vms = 1, .cpus = 2, .memory_mib = 512, .disk_mib = 1024}, .image = "mini"};

OM_TEST(choose_says_why_it_does_not_fit)
{
    static const struct {
        struct om_vm_amount more;
        const char *image, *why;
    } rows[] = {
        {{.cpus = 4}, "mini", ""},
        {{.cpus = 5}, "mini", "it has 4 processors, 5 are wanted"},
        {{.memory_mib = 2049}, "mini", "it has 2048 MiB of memory, 2049 are wanted"},
        {{.disk_mib = 5000}, "mini", "it has 4096 MiB of disk, 5000 are wanted"},
        {{.cpus = 1}, "other", "it has no image \"other\""},
        {{.cpus = 1}, "", ""},
    };
    struct om_vm_offer o = offer(OM_VM_OFFER_TCG, 2048);
    char why[OM_VM_CHOOSE_WHY];

    for (size_t i = 0; i < OM_ARRAY_SIZE(rows); i++) {
        struct om_vm_need need = {.amount = rows[i].more, .image = rows[i].image};
        CHECK(om_vm_choose_fits(&o, &need, why) == !*rows[i].why);
        CHECK_STR(why, rows[i].why);
    }
    o.has_more_images = true; /* which it does not name */
    CHECK(om_vm_choose_fits(&o, &(struct om_vm_need){.image = "other"}, why));
    o.free.vms = 0;
    CHECK(!om_vm_choose_fits(&o, &small, why));
    CHECK_STR(why, "it has no room for another machine");
    o.is_on = false;
    CHECK(!om_vm_choose_fits(&o, &small, why));
    CHECK_STR(why, "it provides nothing");
}

OM_TEST(choose_knows_who_was_full)
{
    struct om_vm_offer o = offer(OM_VM_OFFER_TCG, 2048);

    CHECK(!om_vm_choose_was_full(&o, &small)); /* it has a place */
    o.free = (struct om_vm_amount){.vms = 0};
    CHECK(om_vm_choose_was_full(&o, &small));
    CHECK(!om_vm_choose_was_full(&o, &(struct om_vm_need){.image = "other"}));
    o.is_on = false;
    CHECK(!om_vm_choose_was_full(&o, &small));
}

OM_TEST(choose_orders_as_written_down)
{
    struct om_vm_offer kvm = offer(OM_VM_OFFER_KVM, 2048), tcg = offer(OM_VM_OFFER_TCG, 2048);
    struct om_vm_offer busy = tcg, named = tcg, tight = offer(OM_VM_OFFER_KVM, 256);
    struct om_vm_offer unknown = offer(OM_VM_OFFER_UNKNOWN, 2048);
    static const uint8_t order[] = {8, 1, 2, 3, 4, 5, 6, 7, 9};
    char got[64] = "", want[64] = "";

    busy.load = 3;
    named.is_for_all = false;
    struct om_vm_candidate c[] = {
        candidate(9, &tight, OM_MS(1)),  candidate(7, &unknown, OM_MS(1)),
        candidate(6, &tcg, OM_MS(1)),    candidate(5, &tcg, OM_NEVER),
        candidate(4, &busy, OM_MS(20)),  candidate(3, &named, OM_MS(20)),
        candidate(2, &tcg, OM_MS(80)),   candidate(1, &tcg, OM_MS(20)),
        candidate(8, &kvm, OM_MS(2000)),
    };
    c[2].fails = 9; /* counts as OM_VM_CHOOSE_FAILS_MAX */
    CHECK_EQ(om_vm_choose_cost(&c[2]), 1 + 5 * 400);
    CHECK_EQ(om_vm_choose_sort(c, OM_ARRAY_SIZE(c), &small), OM_ARRAY_SIZE(c) - 1);
    for (size_t i = 0; i < OM_ARRAY_SIZE(c); i++) {
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), " %u", c[i].id.b[0]);
        (void)snprintf(want + strlen(want), sizeof want - strlen(want), " %u", order[i]);
    }
    CHECK_STR(got, want);
}

OM_TEST(choose_breaks_ties_by_id)
{
    struct om_vm_offer o = offer(OM_VM_OFFER_TCG, 2048);
    struct om_vm_candidate c[3] = {candidate(3, &o, OM_MS(5)), candidate(1, &o, OM_MS(5)),
                                   candidate(2, &o, OM_MS(5))};

    CHECK_EQ(om_vm_choose_sort(c, 3, &small), 3);
    CHECK(c[0].id.b[0] == 1 && c[1].id.b[0] == 2 && c[2].id.b[0] == 3);
    CHECK_EQ(om_vm_choose_sort(c, 0, &small), 0);
}

/* Whatever order they come in, they leave in one. */
OM_TEST(choose_order_is_total)
{
    struct om_vm_offer o[2] = {offer(OM_VM_OFFER_TCG, 2048), offer(OM_VM_OFFER_KVM, 128)};
    struct om_vm_candidate c[7], first[7];

    for (unsigned turn = 0; turn < 7; turn++) {
        for (unsigned i = 0; i < 7; i++) {
            uint8_t id = (uint8_t)(1 + (i * 3 + turn) % 7);
            c[i] = candidate(id, &o[id % 2], OM_MS(id % 3));
        }
        CHECK_EQ(om_vm_choose_sort(c, 7, &small), 3);
        if (turn == 0)
            memcpy(first, c, sizeof c);
        for (unsigned i = 0; i < 7; i++)
            CHECK_EQ(c[i].id.b[0], first[i].id.b[0]);
    }
}

OM_TEST(choose_near_beats_idle_only_by_much)
{
    struct om_vm_offer idle = offer(OM_VM_OFFER_TCG, 2048), busy = idle;
    struct om_vm_candidate c[2];

    busy.load = 1;
    c[0] = candidate(1, &busy, OM_MS(1));
    c[1] = candidate(2, &idle, OM_MS(30));
    (void)om_vm_choose_sort(c, 2, &small);
    CHECK_EQ(c[0].id.b[0], 2);
    c[0] = candidate(1, &busy, OM_MS(1));
    c[1] = candidate(2, &idle, OM_MS(200));
    (void)om_vm_choose_sort(c, 2, &small);
    CHECK_EQ(c[0].id.b[0], 1);
}
