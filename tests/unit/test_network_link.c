/* test_network_link.c - networks as lines of text. */
#include "harness.h"

#include <stdio.h>

#include <omerta/network_link.h>
#include <omerta/prng.h>

#include "crypto/kdf.h"

#define KEY  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OLD  "omerta://connect?key=" KEY "&host=192.0.2.1&port=18002"
#define PEER "aebagbafaydqqcikbmga2dqpcaireeyuculbogazdinryhi6d4qa"

static void fill(void *self, void *dst, size_t n)
{
    uint8_t *at = dst;

    for (size_t i = 0; i < n; i++)
        at[i] = (uint8_t)om_prng_u64(self);
}

static struct om_network_link new_link(enum om_network_kind kind, struct om_prng *prng)
{
    const struct om_rng rng = {fill, prng};
    struct om_network_link l;

    om_network_link_new(&l, kind, &rng);
    return l;
}

static void add_peer(struct om_network_link *l, uint8_t which)
{
    struct om_network_peer *p = &l->peers[l->peer_count++];

    memset(p->key.b, which, sizeof p->key.b);
    p->key.b[31] = 1;
    p->addr = om_addr_v4(0xc0000200 + which, (uint16_t)(1000 + which));
    l->is_pinned = l->kind == OM_NETWORK_DIRECT;
}

static void check_same(const struct om_network_link *a, const struct om_network_link *b)
{
    CHECK_EQ(a->kind, b->kind);
    CHECK_EQ(a->is_pinned, b->is_pinned);
    CHECK(om_id_equal(&a->id, &b->id) && om_id_equal(&a->authority, &b->authority));
    CHECK_MEM(a->secret, b->secret, sizeof a->secret);
    CHECK_EQ(a->epoch, b->epoch);
    CHECK_EQ(a->peer_count, b->peer_count);
    for (unsigned i = 0; i < a->peer_count; i++)
        CHECK(om_id_equal(&a->peers[i].key, &b->peers[i].key) &&
              om_addr_equal(&a->peers[i].addr, &b->peers[i].addr));
}

OM_TEST(network_link_of_an_open_network_round_trips)
{
    char text[OM_NETWORK_LINK_TEXT];
    struct om_network_link back;
    struct om_prng prng;

    om_prng_seed(&prng, 1);
    struct om_network_link l = new_link(OM_NETWORK_OPEN, &prng);
    for (unsigned n = 0; n <= OM_NETWORK_PEERS_MAX; n++) {
        size_t len = om_network_link_print(text, &l);
        CHECK_EQ(len, strlen(text));
        CHECK_OK(om_network_link_parse(&back, text, NULL));
        check_same(&l, &back);
        text[len - 3] ^= 1; /* what would be a typo */
        CHECK_EQ(om_network_link_parse(&back, text, NULL), OM_E_PARSE);
        if (n < OM_NETWORK_PEERS_MAX)
            add_peer(&l, (uint8_t)(n + 1));
    }
}

OM_TEST(network_link_is_made_anew_each_time)
{
    struct om_network_config c;
    struct om_prng prng;

    om_prng_seed(&prng, 1);
    for (int kind = OM_NETWORK_OPEN; kind <= OM_NETWORK_DIRECT; kind++) {
        struct om_network_link a = new_link((enum om_network_kind)kind, &prng);
        struct om_network_link b = new_link((enum om_network_kind)kind, &prng);
        CHECK(!om_id_equal(&a.id, &b.id));
        CHECK_MEM_DIFF(a.secret, b.secret, sizeof a.secret);
        om_network_link_config(&c, &a);
        CHECK(om_id_equal(&c.id, &a.id) && c.open && c.gossip && !c.pins.is_on);
        CHECK_MEM(c.secret, a.secret, sizeof c.secret);
    }
}

OM_TEST(direct_network_comes_from_its_key)
{
    struct om_network_link l;
    uint8_t key[32], id[32];

    for (uint8_t i = 0; i < 32; i++)
        key[i] = i;
    CHECK_OK(om_network_link_parse(&l, OLD "&peer=" PEER, NULL));
    om_kdf(id, key, "direct", om_bytes(NULL, 0));
    CHECK_MEM(l.id.b, id, sizeof id);
    CHECK_MEM(l.secret, key, sizeof key);
    CHECK_EQ(l.epoch, 0);
}

OM_TEST(direct_link_round_trips)
{
    char text[OM_NETWORK_LINK_TEXT], broken[2 * OM_NETWORK_LINK_TEXT];
    struct om_network_link back;
    struct om_prng prng;
    size_t n = 0;

    om_prng_seed(&prng, 1);
    struct om_network_link l = new_link(OM_NETWORK_DIRECT, &prng);
    add_peer(&l, 7);
    for (int v6 = 0; v6 < 2; v6++) {
        if (v6)
            CHECK_OK(om_addr_parse(&l.peers[0].addr, "[2001:db8::1]:18002", 0, NULL));
        (void)om_network_link_print(text, &l);
        CHECK_OK(om_network_link_parse(&back, text, NULL));
        check_same(&l, &back);
    }
    for (const char *c = text; *c; c++) {
        broken[n++] = *c;
        if ((c - text) % 40 == 39)
            broken[n++] = '\n';
    }
    broken[n] = '\0';
    CHECK_OK(om_network_link_parse(&back, broken, NULL));
    check_same(&l, &back);
}

OM_TEST(direct_link_of_the_old_form_has_no_pin)
{
    struct om_network_link l;

    CHECK_OK(om_network_link_parse(&l, OLD, NULL));
    CHECK(!l.is_pinned && l.peer_count == 1);
    CHECK_OK(om_network_link_parse(&l, OLD "&peer=" PEER, NULL));
    CHECK(l.is_pinned);
    CHECK_OK(om_network_link_parse(&l, OLD "&name=x&peer=" PEER, NULL)); /* of a later version */
    CHECK(l.is_pinned);
}

OM_TEST(direct_link_refuses_nonsense)
{
    static const char *const bad[] = {
        "",
        "omerta://connect",
        "omerta://connect?",
        "omerta://connect?key=" KEY,
        "omerta://connect?key=" KEY "&host=192.0.2.1",
        "omerta://connect?key=" KEY "&host=192.0.2.1&port=0",
        "omerta://connect?key=" KEY "&host=192.0.2.1&port=65536",
        "omerta://connect?key=" KEY "&host=example.org&port=1",
        "omerta://connect?key=" KEY "00&host=192.0.2.1&port=1",
        "omerta://connect?key=00&host=192.0.2.1&port=1",
        OLD "&key=" KEY,
        OLD "&peer=",
        OLD "&peer=x",
        "http://connect?key=" KEY "&host=192.0.2.1&port=1",
    };
    struct om_network_link l = {.epoch = 77};
    char endless[5000];
    struct om_error err;

    CHECK_OK(om_network_link_parse(&l, OLD, NULL));
    l.epoch = 77;
    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK_EQ(om_network_link_parse(&l, bad[i], &err), OM_E_PARSE);
        CHECK(strstr(err.msg, "0001020304") == NULL); /* no sentence shows a key */
        CHECK_EQ(l.epoch, 77);
    }
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    CHECK_EQ(om_network_link_parse(&l, endless, NULL), OM_E_RANGE);
}
