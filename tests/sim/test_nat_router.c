/* test_nat_router.c - raw datagrams of actors behind boxes. */
#include "harness.h"

#include "attack.h"
#include "flight.h"
#include "natkind.h"
#include "router.h"

/* Two homes and a public host; attackers, which only hear. */
struct street {
    struct sim_world *w;
    struct sim_router *r[2];
    struct sim_actor *home[2], *server;
};

static struct sim_nat_model kind(const char *name)
{
    struct sim_nat_model m;

    CHECK(sim_nat_kind(name, &m));
    return m;
}

static void street_init(struct street *s, const char *left, const char *right)
{
    const char *const kinds[] = {left, right}, *const homes[] = {"left", "right"};

    *s = (struct street){.w = sim_world_new(3, NULL)};
    s->server = sim_attacker_add(s->w, "server", false);
    for (unsigned i = 0; i < 2; i++) {
        struct sim_nat_model m = kind(kinds[i]);
        s->r[i] = sim_router_add(s->w, homes[i], &m, NULL);
        s->home[i] = sim_attacker_add(s->w, homes[i], false);
        sim_actor_behind(s->home[i], s->r[i]);
    }
}

static void street_fini(struct street *s)
{
    CHECK_STR(s->w->broken, "");
    sim_world_free(s->w);
}

/* @a sends one datagram to @to; it arrives. */
static void say(struct street *s, struct sim_actor *a, const struct om_addr *to)
{
    sim_probe(a, to, SIM_TTL, om_bytes("hello", 5));
    sim_run(s->w, s->w->now + OM_MS(100));
}

/* As what @by sees @a, which says something to it. */
static struct om_addr seen(struct street *s, struct sim_actor *a, struct sim_actor *by)
{
    say(s, a, &by->addr);
    return sim_pair(s->w, by, a)->came_from;
}

OM_TEST(router_full_cone_lets_anybody_in)
{
    struct street s;

    street_init(&s, "full", "full");
    struct om_addr left = seen(&s, s.home[0], s.server);
    CHECK(sim_natbox_is_outside(&s.r[0]->box, &left));
    CHECK_EQ(s.server->heard, 1);
    say(&s, s.home[1], &left); /* never asked */
    CHECK_EQ(s.home[0]->heard, 1);
    struct om_addr back = sim_pair(s.w, s.home[0], s.home[1])->came_from;
    CHECK(sim_natbox_is_outside(&s.r[1]->box, &back));
    say(&s, s.home[0], &back);
    CHECK_EQ(s.home[1]->heard, 1);
    say(&s, s.server, &s.home[0]->addr); /* its inside address is nobody's out there */
    CHECK_EQ(s.home[0]->heard, 1);
    street_fini(&s);
}

OM_TEST(router_two_boxes_punch)
{
    struct street s;

    street_init(&s, "portdrop", "portdrop");
    struct om_addr left = seen(&s, s.home[0], s.server);
    struct om_addr right = seen(&s, s.home[1], s.server);
    say(&s, s.home[0], &right); /* is dropped, and opens its own box */
    CHECK_EQ(s.home[1]->heard, 0);
    CHECK_EQ(s.r[1]->box.counts[SIM_NAT_FILTERED], 1);
    say(&s, s.home[1], &left);
    say(&s, s.home[0], &right);
    CHECK(s.home[0]->heard == 1 && s.home[1]->heard == 1);
    street_fini(&s);
}

OM_TEST(router_early_probe_spoils_it)
{
    struct street s;

    street_init(&s, "port", "port");
    struct om_addr left = seen(&s, s.home[0], s.server);
    struct om_addr right = seen(&s, s.home[1], s.server);
    for (unsigned i = 0; i < 5; i++) {
        say(&s, s.home[0], &right); /* claimed: what the right sends has another port now */
        say(&s, s.home[1], &left);
    }
    CHECK(s.home[0]->heard == 0 && s.home[1]->heard == 0);
    CHECK(s.r[0]->box.counts[SIM_NAT_CLAIMED] > 0 && s.r[1]->box.counts[SIM_NAT_CLAIMED] > 0);
    street_fini(&s);
}

OM_TEST(router_short_opener_does_not)
{
    struct street s;

    street_init(&s, "port", "port");
    struct om_addr left = seen(&s, s.home[0], s.server);
    struct om_addr right = seen(&s, s.home[1], s.server);
    sim_probe(s.home[0], &right, 2, om_bytes("open", 4)); /* past its own box, not to the other */
    sim_probe(s.home[1], &left, 2, om_bytes("open", 4));
    sim_run(s.w, s.w->now + OM_MS(100));
    CHECK_EQ(s.w->expired, 2);
    say(&s, s.home[0], &right);
    say(&s, s.home[1], &left);
    CHECK(s.home[0]->heard == 1 && s.home[1]->heard == 1);
    CHECK(s.r[0]->box.counts[SIM_NAT_CLAIMED] == 0 && s.r[1]->box.counts[SIM_NAT_CLAIMED] == 0);
    street_fini(&s);
}

OM_TEST(router_stacked_and_hairpin)
{
    struct sim_nat_model carrier, home = kind("full");

    for (int hairpin = 0; hairpin < 2; hairpin++) {
        struct street s = {.w = sim_world_new(4, NULL)};
        carrier = kind("carrier");
        carrier.is_hairpin = hairpin;
        struct sim_router *top = sim_router_add(s.w, "carrier", &carrier, NULL);
        s.server = sim_attacker_add(s.w, "server", false);
        for (unsigned i = 0; i < 2; i++) {
            s.r[i] = sim_router_add(s.w, i ? "right" : "left", &home, top);
            s.home[i] = sim_attacker_add(s.w, i ? "rick" : "lea", false);
            sim_actor_behind(s.home[i], s.r[i]);
        }
        struct om_addr left = seen(&s, s.home[0], s.server);
        CHECK(sim_natbox_is_outside(&top->box, &left));
        say(&s, s.server, &left);
        CHECK_EQ(s.home[0]->heard, 1);
        say(&s, s.home[1], &left); /* turns round at the carrier's */
        CHECK_EQ(s.home[0]->heard, 1 + hairpin);
        CHECK_EQ(top->box.counts[SIM_NAT_NO_HAIRPIN], !hairpin);
        /* Between the two homes, at the address on the carrier's inside, no hairpin is needed. */
        struct om_addr inner = s.r[0]->box.outside;
        inner.port = s.home[0]->addr.port;
        say(&s, s.home[1], &inner);
        CHECK_EQ(s.home[0]->heard, 2 + hairpin);
        street_fini(&s);
    }
}

OM_TEST(router_same_inside_is_direct)
{
    struct street s;

    street_init(&s, "udpblock", "full");
    struct sim_actor *other = sim_attacker_add(s.w, "other", false);
    sim_actor_behind(other, s.r[0]);
    say(&s, s.home[0], &other->addr);
    CHECK_EQ(other->heard, 1);
    CHECK(om_addr_equal(&sim_pair(s.w, other, s.home[0])->came_from, &s.home[0]->addr));
    say(&s, s.home[0], &s.server->addr);
    CHECK_EQ(s.server->heard, 0);
    CHECK_EQ(s.r[0]->box.counts[SIM_NAT_BLOCKED], 1);
    say(&s, s.home[1], &s.home[0]->addr); /* from the other house */
    CHECK_EQ(s.home[0]->heard, 0);
    street_fini(&s);
}

OM_TEST(router_move_leaves_the_box)
{
    struct street s;

    street_init(&s, "full", "full");
    struct om_addr left = seen(&s, s.home[0], s.server);
    sim_actor_behind(s.home[0], s.r[1]);
    say(&s, s.server, &left); /* into the old house */
    CHECK_EQ(s.home[0]->heard, 0);
    struct om_addr now = seen(&s, s.home[0], s.server);
    CHECK(sim_natbox_is_outside(&s.r[1]->box, &now));
    sim_actor_behind(s.home[0], NULL);
    now = seen(&s, s.home[0], s.server);
    CHECK(om_addr_equal(&now, &s.home[0]->addr));
    say(&s, s.server, &now);
    CHECK_EQ(s.home[0]->heard, 1);
    street_fini(&s);
}

OM_TEST(router_may_have_another_address)
{
    struct street s;

    street_init(&s, "full", "full");
    struct om_addr before = seen(&s, s.home[0], s.server);
    sim_natbox_flush(&s.r[0]->box);
    sim_router_move(s.r[0]);
    say(&s, s.server, &before);
    CHECK_EQ(s.home[0]->heard, 0);
    struct om_addr now = seen(&s, s.home[0], s.server);
    CHECK(sim_natbox_is_outside(&s.r[0]->box, &now) &&
          !sim_natbox_is_outside(&s.r[0]->box, &before));
    say(&s, s.server, &now);
    CHECK_EQ(s.home[0]->heard, 1);
    street_fini(&s);
}

OM_TEST(router_addresses_are_its_own)
{
    struct sim_nat_model m = kind("full");
    struct sim_world *w = sim_world_new(5, NULL);
    struct sim_router *top = sim_router_add(w, "top", &m, NULL);

    for (unsigned i = 0; i < SIM_INSIDE_MAX; i++) {
        struct sim_router *r = sim_router_add(w, "in", &m, top);
        CHECK(r && r->outer == top);
        for (unsigned k = 0; k < w->router_count - 1; k++)
            CHECK(!sim_natbox_is_outside(&w->routers[k]->box, &r->box.outside));
    }
    CHECK(sim_router_add(w, "one too many", &m, top) == NULL);
    while (w->router_count < SIM_ROUTERS_MAX)
        CHECK(sim_router_add(w, "out", &m, NULL) != NULL);
    CHECK(sim_router_add(w, "out", &m, NULL) == NULL);
    CHECK(sim_router_named(w, "top") == top);
    sim_world_free(w);
}

OM_TEST(natkind_every_kind_is_sound)
{
    struct sim_nat_model m;
    const char *name, *what;
    unsigned i = 0;

    for (; (name = sim_nat_kind_at(i, &what)) != NULL; i++) {
        CHECK(sim_nat_kind(name, &m) && sim_nat_is_sound(&m));
        CHECK(*what != '\0');
    }
    CHECK(i > 10);
    CHECK(!sim_nat_kind("fullest", &m));
}

OM_TEST(natkind_reads_every_property)
{
    static const char *const words[] = {
        "mapping=ad",       "filter=apd",    "ports=block", "stride=3",    "block=64",
        "range=2000..2999", "exclusive=yes", "sticky=yes",  "hairpin=yes", "early=claim",
        "udp=no",           "refresh=in",    "timeout=20s", "answered=3m", "entries=5",
    };
    struct sim_nat_model m = sim_nat_model_default();

    for (unsigned i = 0; i < OM_ARRAY_SIZE(words); i++)
        CHECK(sim_nat_set(&m, words[i]));
    CHECK(m.mapping == SIM_NAT_AD && m.filtering == SIM_NAT_APD && m.ports == SIM_NAT_BLOCK);
    CHECK(m.stride == 3 && m.block == 64 && m.first == 2000 && m.last == 2999 && m.entries == 5);
    CHECK(m.is_exclusive && m.is_sticky && m.is_hairpin && m.is_claiming && m.is_blocked);
    CHECK(m.refresh == SIM_NAT_BY_IN && m.timeout == OM_SEC(20) && m.answered == OM_SEC(180));
    CHECK(sim_nat_is_sound(&m));
    CHECK(sim_nat_set(&m, "block=1001"));
    CHECK(!sim_nat_is_sound(&m));
}

OM_TEST(natkind_refuses_nonsense)
{
    static const char *const words[] = {
        "",           "mapping",        "mapping=",    "mapping=all",      "filter=EI",
        "ports=none", "stride=0",       "block=-1",    "block=65536",      "range=0..5",
        "range=9..8", "range=1..65536", "range=1..2x", "early=maybe",      "timeout=0s",
        "timeout=2d", "answered=x",     "entries=0",   "entries=99999999", "speed=fast",
    };
    struct sim_nat_model m = sim_nat_model_default();

    for (unsigned i = 0; i < OM_ARRAY_SIZE(words); i++)
        if (sim_nat_set(&m, words[i]))
            fail_msg("it took \"%s\"", words[i]);
}

OM_TEST(natkind_reads_a_whole_box)
{
    char address[] = "192.0.2.1", kind[] = "block", property[] = "block=64", wrong[] = "block=0";
    char port[] = "192.0.2.1:5", none[] = "blocks", large[] = "block=65535";
    char *const good[] = {address, kind, property}, *const bad_address[] = {port, kind};
    char *const bad_kind[] = {address, none}, *const bad_word[] = {address, kind, property, wrong};
    char *const unsound[] = {address, kind, large};
    struct sim_nat_model m;
    struct om_addr outside;

    CHECK(sim_nat_box(good, 3, &m, &outside) == NULL);
    CHECK(m.ports == SIM_NAT_BLOCK && m.block == 64 && sim_nat_is_sound(&m));
    CHECK(om_addr_equal(&outside, &(struct om_addr){.ip = {[10] = 255, 255, 192, 0, 2, 1}}));
    CHECK(sim_nat_box(bad_address, 2, &m, &outside) == port);
    CHECK(sim_nat_box(bad_kind, 2, &m, &outside) == none);
    CHECK(sim_nat_box(bad_word, 4, &m, &outside) == wrong);
    CHECK(sim_nat_box(unsound, 3, &m, &outside) == kind);
    CHECK(sim_nat_box(good, 1, &m, &outside) == address);
    CHECK(*sim_nat_box(good, 0, &m, &outside) == '\0');
}
