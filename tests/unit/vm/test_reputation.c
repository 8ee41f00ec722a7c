/* test_reputation.c - points for outcomes, and their decay. */
#include "harness.h"

#include "json_hook.h"
#include "vm/core/reputation.h"

static struct om_vm_reputation r, again;

static struct om_id peer(uint16_t n)
{
    return (struct om_id){{(uint8_t)n, (uint8_t)(n >> 8), 1}};
}

static struct om_wall day(int64_t n)
{
    return (struct om_wall){n * 86400000};
}

OM_TEST(reputation_of_strangers_is_neutral)
{
    struct om_id a = peer(1);

    r.count = 0;
    CHECK_EQ(om_vm_reputation_of(&r, &a, day(9)), 50);
}

OM_TEST(reputation_follows_outcomes)
{
    struct om_id a = peer(1), b = peer(2);

    r.count = 0;
    om_vm_reputation_note(&r, &a, day(9), OM_VM_OUTCOME_GOOD);
    CHECK_EQ(om_vm_reputation_of(&r, &a, day(9)), 52);
    om_vm_reputation_note(&r, &b, day(9), OM_VM_OUTCOME_VIOLATION);
    CHECK_EQ(om_vm_reputation_of(&r, &b, day(9)), 20);
    for (unsigned i = 0; i < 100; i++) {
        om_vm_reputation_note(&r, &a, day(9), OM_VM_OUTCOME_GOOD);
        om_vm_reputation_note(&r, &b, day(9), OM_VM_OUTCOME_DENIED);
    }
    CHECK_EQ(om_vm_reputation_of(&r, &a, day(9)), 100);
    CHECK_EQ(om_vm_reputation_of(&r, &b, day(9)), 0);
    om_vm_reputation_note(&r, &a, day(9), OM_VM_OUTCOME_VIOLATION);
    CHECK_EQ(om_vm_reputation_of(&r, &a, day(9)), 70);
}

OM_TEST(reputation_decays)
{
    struct om_id a = peer(1);

    r.count = 0;
    om_vm_reputation_note(&r, &a, day(100), OM_VM_OUTCOME_VIOLATION);
    CHECK_EQ(om_vm_reputation_of(&r, &a, day(100)), 20);
    CHECK_EQ(om_vm_reputation_of(&r, &a, day(114)), 35);
    CHECK_EQ(om_vm_reputation_of(&r, &a, day(200)), 49);
    CHECK_EQ(om_vm_reputation_of(&r, &a, day(1000)), 50);
    CHECK_EQ(om_vm_reputation_of(&r, &a, day(50)), 20);
    om_vm_reputation_note(&r, &a, day(50), OM_VM_OUTCOME_GOOD);
    CHECK_EQ(om_vm_reputation_of(&r, &a, day(100)), 22);
}

OM_TEST(reputation_full_table_forgets_the_least_telling)
{
    struct om_id a = peer(0), b = peer(7), c = peer(9999);

    r.count = 0;
    for (unsigned i = 0; i < OM_VM_REPUTATION_MAX; i++) {
        struct om_id p = peer((uint16_t)i);
        om_vm_reputation_note(&r, &p, day(9), OM_VM_OUTCOME_VIOLATION);
    }
    for (unsigned i = 0; i < 14; i++)
        om_vm_reputation_note(&r, &b, day(9), OM_VM_OUTCOME_GOOD);
    CHECK_EQ(om_vm_reputation_of(&r, &b, day(9)), 48);
    om_vm_reputation_note(&r, &c, day(9), OM_VM_OUTCOME_DENIED);
    CHECK_EQ(r.count, OM_VM_REPUTATION_MAX);
    CHECK_EQ(om_vm_reputation_of(&r, &a, day(9)), 20);
    CHECK_EQ(om_vm_reputation_of(&r, &b, day(9)), 50);
    CHECK_EQ(om_vm_reputation_of(&r, &c, day(9)), 45);
}

OM_TEST(reputation_round_trips)
{
    json_t *o = NULL;

    r.count = 0;
    for (uint16_t i = 0; i < 5; i++) {
        struct om_id p = peer((uint16_t)i);
        om_vm_reputation_note(&r, &p, day(i), (enum om_vm_outcome)i);
    }
    OM_TRY((o = om_vm_reputation_write(&r)) != NULL);
    again.count = 0;
    OM_TRY(om_vm_reputation_read(&again, o, NULL) == OM_OK);
    CHECK_EQ(again.count, 5);
    CHECK_MEM(again.row, r.row, 5 * sizeof r.row[0]);
out:
    json_decref(o);
}

OM_TEST(reputation_refuses_bad_files)
{
    static const char id[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    json_t *o = json_array(), *row = NULL;
    struct om_error err = {0};

    OM_TRY(o);
    again.count = 3;
    CHECK_ERR(om_vm_reputation_read(&again, NULL, &err), OM_E_PARSE);
    OM_TRY((row = json_pack("{s:s, s:i}", "peer", id, "millipoints", 5)) != NULL);
    OM_TRY(json_array_append(o, row) == 0);
    CHECK(om_vm_reputation_read(&again, o, &err) != OM_OK);
    OM_TRY(err.code != OM_E_NO_MEM);
    CHECK_STR(err.msg, "reputation[0]: want peer, millipoints and day");
    OM_TRY(json_object_set_new(row, "day", json_integer(5)) == 0);
    OM_TRY(om_vm_reputation_read(&again, o, &err) == OM_OK);
    OM_TRY(json_array_append(o, row) == 0);
    CHECK(om_vm_reputation_read(&again, o, &err) != OM_OK);
    CHECK_EQ(again.count, 1);
    OM_TRY(json_object_set_new(row, "millipoints", json_integer(100001)) == 0);
    CHECK(om_vm_reputation_read(&again, o, &err) != OM_OK);
out:
    json_decref(row);
    json_decref(o);
}
