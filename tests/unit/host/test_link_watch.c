/* What a link counts, shows and holds back: flows, modes of the gate, the rate. */
#include "harness.h"

#include <omerta/prng.h>

#include "json_hook.h"
#include "links/link_account.h"
#include "links/link_gate.h"
#include "links/link_rate.h"
#include "netstack/craft.h"
#include "netstack/packet/l4.h"

#define THERE "10.64.0.2"
#define HERE  "10.64.0.1"

static const uint8_t key[16] = {9};
static struct craft c;

static json_int_t number(const json_t *rows, size_t i, const char *name)
{
    return json_integer_value(json_object_get(json_array_get(rows, i), name));
}

OM_TEST(link_account_counts_both_ways)
{
    struct link_account a;

    link_account_init(&a, 1, false, key);
    craft_udp(&c, THERE, 1000, HERE, 53, 10);
    CHECK(link_account_count(&a, OM_SEC(1), LINK_SENT, craft_bytes(&c)));
    CHECK(link_account_count(&a, OM_SEC(3), LINK_SENT, craft_bytes(&c)));
    craft_udp(&c, HERE, 53, THERE, 1000, 100);
    CHECK(link_account_count(&a, OM_SEC(4), LINK_GOT, craft_bytes(&c)));
    craft_udp(&c, HERE, 54, THERE, 1000, 100);
    CHECK(link_account_count(&a, OM_SEC(5), LINK_GOT, craft_bytes(&c)));
    json_t *rows = link_account_rows(&a, OM_SEC(6));
    if (json_array_size(rows) == 2) { /* else there was no memory */
        CHECK_EQ(number(rows, 0, "port"), 54);
        CHECK_EQ(number(rows, 1, "port"), 53);
        CHECK_EQ(number(rows, 1, "packets_sent"), 2);
        CHECK_EQ(number(rows, 1, "packets_got"), 1);
        CHECK_EQ(number(rows, 1, "bytes_sent"), 2 * (20 + 8 + 10));
        CHECK_EQ(number(rows, 1, "bytes_got"), 20 + 8 + 100);
        CHECK_EQ(number(rows, 1, "age_s"), 5);
        CHECK_EQ(number(rows, 1, "silent_s"), 2);
        CHECK_STR(json_string_value(json_object_get(json_array_get(rows, 1), "to")), HERE);
    }
    json_decref(rows);
    link_account_fini(&a);
}

OM_TEST(link_account_counts_one_in_some)
{
    struct link_account a;
    unsigned seen = 0;

    link_account_init(&a, LINK_SAMPLE, false, key);
    craft_udp(&c, THERE, 1000, HERE, 53, 10);
    for (unsigned i = 0; i < 10 * LINK_SAMPLE; i++)
        seen += link_account_count(&a, 0, LINK_SENT, craft_bytes(&c));
    CHECK_EQ(seen, 10);
    json_t *rows = link_account_rows(&a, 0);
    if (json_array_size(rows) == 1)
        CHECK(number(rows, 0, "packets_sent") <= 10 * LINK_SAMPLE);
    json_decref(rows);
    link_account_fini(&a);
}

/* Packets and their acknowledgements in turns: every sixteenth of both is always the same kind. */
OM_TEST(link_account_samples_each_way)
{
    struct link_account a;

    link_account_init(&a, LINK_SAMPLE, false, key);
    for (unsigned i = 0; i < 10 * LINK_SAMPLE; i++) {
        craft_udp(&c, THERE, 1000, HERE, 53, 10);
        (void)link_account_count(&a, 0, LINK_SENT, craft_bytes(&c));
        craft_udp(&c, HERE, 53, THERE, 1000, 0);
        (void)link_account_count(&a, 0, LINK_GOT, craft_bytes(&c));
    }
    json_t *rows = link_account_rows(&a, 0);
    if (json_array_size(rows) == 1) { /* else without memory */
        CHECK_EQ(number(rows, 0, "packets_sent"), 10 * LINK_SAMPLE);
        CHECK_EQ(number(rows, 0, "packets_got"), 10 * LINK_SAMPLE);
    }
    json_decref(rows);
    link_account_fini(&a);
}

OM_TEST(link_account_full_forgets_the_silent)
{
    struct link_account a;

    link_account_init(&a, 1, false, key);
    for (unsigned p = 1; p <= LINK_ACCOUNT_MAX + 1; p++) {
        craft_udp(&c, THERE, 1000, HERE, (uint16_t)p, 0);
        (void)link_account_count(&a, 0, LINK_SENT, craft_bytes(&c));
    }
    OM_TRY(om_lru_count(&a.flows) == LINK_ACCOUNT_MAX); /* else without memory */
    CHECK_EQ(a.forgotten, 1);
    json_t *rows = link_account_rows(&a, 0);
    CHECK(!rows || json_array_size(rows) <= LINK_ACCOUNT_SHOWN);
    if (rows && json_array_size(rows) > 0)
        CHECK_EQ(number(rows, 0, "port"), LINK_ACCOUNT_MAX + 1);
    json_decref(rows);
out:
    link_account_fini(&a);
}

OM_TEST(link_account_leaves_what_is_no_packet)
{
    static const uint8_t nonsense[] = {0x45, 1, 2};
    struct link_account a;

    link_account_init(&a, 1, true, key);
    CHECK(link_account_count(&a, 0, LINK_SENT, om_bytes(nonsense, sizeof nonsense)));
    CHECK(link_account_count(&a, 0, LINK_SENT, om_bytes(nonsense, 0)));
    CHECK_EQ(om_lru_count(&a.flows), 0);
    link_account_fini(&a);
}

OM_TEST(link_rate_keeps_to_its_rate)
{
    enum { RATE = 1000000, FOR_S = 10 };
    struct om_prng rng;
    struct link_rate r;
    om_time now = 0;
    uint64_t went[LINK_WAYS] = {0};

    om_prng_seed(&rng, 7);
    link_rate_init(&r, RATE, 0);
    while (now < OM_SEC(FOR_S)) {
        om_time next = OM_NEVER;
        for (unsigned w = 0; w < LINK_WAYS; w++) {
            size_t room = link_rate_room(&r, now, (enum link_way)w, 65536);
            link_rate_took(&r, now, (enum link_way)w, room);
            went[w] += room;
            CHECK(room == 0 || link_rate_when(&r, now, (enum link_way)w) == OM_NEVER);
            next = om_time_min(next, room > 0 ? now : link_rate_when(&r, now, (enum link_way)w));
        }
        CHECK(next < OM_NEVER);
        now = next > now ? next : now + 1 + (om_time)om_prng_below(&rng, 100);
    }
    for (unsigned w = 0; w < LINK_WAYS; w++)
        CHECK(went[w] >= (uint64_t)RATE * FOR_S * 95 / 100 &&
              went[w] <= (uint64_t)RATE * FOR_S + om_shaper_burst(RATE));
    link_rate_fini(&r);
}

OM_TEST(link_rate_none_is_none)
{
    struct link_rate r;

    link_rate_init(&r, 0, 0);
    CHECK_EQ(link_rate_room(&r, 0, LINK_SENT, 1 << 30), 1 << 30);
    link_rate_took(&r, 0, LINK_SENT, 1 << 30);
    CHECK_EQ(link_rate_when(&r, 0, LINK_SENT), OM_NEVER);
    link_rate_fini(&r);
}

static const struct link_config base = {.kind = OM_PORT_IP, .mtu = 1500};

static struct link_gate *gate_of(enum link_gate_mode mode)
{
    struct link_config config = base;
    struct link_gate *g = NULL;

    config.gate = mode;
    config.sides = (struct link_sides){
        .has_v4 = true, .v4_prefix = 24, .here = craft_ip(HERE), .there = craft_ip(THERE)};
    return link_gate_new(&g, &config, 0, key) == OM_OK ? g : NULL;
}

/* May what @c has go out? */
static bool passes(struct link_gate *g)
{
    return link_gate_passes(g, 0, craft_bytes(&c));
}

OM_TEST(link_gate_modes_never_deny_less)
{
    for (unsigned m = 0; m < LINK_GATE_MODE_COUNT; m++) {
        struct link_gate *g = gate_of((enum link_gate_mode)m);
        if (!g)
            continue;
        craft_udp(&c, "10.64.0.3", 1000, "192.0.2.1", 53, 0);
        CHECK(!passes(g));
        craft_udp(&c, THERE, 1000, "127.0.0.1", 53, 0);
        CHECK(!passes(g));
        craft_udp(&c, THERE, 1000, "224.0.0.1", 53, 0);
        CHECK(!passes(g));
        craft_udp(&c, THERE, 1000, "192.0.2.1", 53, 0);
        c.n -= 3;
        CHECK(!passes(g));
        (void)craft_tcp(&c, THERE, 1000, "192.0.2.1", 80, OM_TCP_SYN, 0); /* the control */
        CHECK(passes(g) || m != LINK_GATE_FILTERED);
        link_gate_free(g);
    }
}

OM_TEST(link_gate_forgives)
{
    struct link_gate *g = gate_of(LINK_GATE_FILTERED);

    OM_TRY(g != NULL);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 60; i++) {
            craft_udp(&c, "10.64.0.3", 1000, "192.0.2.1", 53, 0);
            CHECK(!passes(g));
        }
        CHECK_EQ(link_gate_alarm(g), OM_ROGUE_PAUSE);
        CHECK_EQ(link_gate_alarm(g), OM_ROGUE_NONE);
        link_gate_forgive(g, 0);
        CHECK_EQ(link_gate_score(g, 0), 0);
    }
    CHECK_EQ(link_gate_refused(g, 2), 120); /* what was counted stays counted */
out:
    link_gate_free(g);
}

OM_TEST(link_gate_modes_have_names)
{
    enum link_gate_mode m = LINK_GATE_CONNTRACK;

    for (unsigned i = 0; i < LINK_GATE_MODE_COUNT; i++) {
        CHECK(link_gate_mode_read(&m, link_gate_mode_name((enum link_gate_mode)i)));
        CHECK_EQ(m, i);
    }
    CHECK(!link_gate_mode_read(&m, "direct") && !link_gate_mode_read(&m, ""));
}
