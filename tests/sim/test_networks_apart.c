/* test_networks_apart.c - what a member of two networks says in one tells nothing of the other.
 *
 * The linker gives this program all plaintexts before they are sealed, those of answers and of both
 * handshake messages included, and every datagram: each is searched for what the other network has.
 */
#include "harness.h"

#include <stdio.h>

#include <sodium.h>

#include <omerta/text.h>

#include "fault.h"
#include "flight.h"
#include "member.h"
#include "natbox.h"
#include "network/network.h"
#include "peer/peer.h"
#include "request.h"

enum {
    NEEDLES_MAX = 160, /* of a network */
    NEEDLE_MAX = 96,   /* bytes */
    NOISES_MAX = 64,   /* handshakes whose network is known, the last ones */
    CAUGHT_MAX = 64,   /* datagrams of one network that are tried in the other */
    EACH = 3,          /* nodes of a network, an admin first; and both */
    VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING
};

struct needle {
    uint8_t bytes[NEEDLE_MAX];
    size_t n;
    bool is_base64;
};

/* One of the two, and what is a secret of it. */
struct side {
    const struct sim_network *net;
    struct sim_actor *nodes[EACH + 1];
    struct needle needles[NEEDLES_MAX];
    unsigned count;
    unsigned searched, own, own_base64; /* texts; that named this network itself */
};

struct handshake {
    const struct om_noise *noise;
    unsigned side;
};

static struct side sides[2];
static struct handshake handshakes[NOISES_MAX];
static unsigned handshake_count, leaks;
static bool is_watching;
static const struct sim_actor *caught_from;
static struct om_addr caught_to;
static uint8_t caught[CAUGHT_MAX][1500];
static size_t caught_len[CAUGHT_MAX];
static unsigned caught_count;

/* ---- what is sought */

static void seek(struct side *s, const void *bytes, size_t n, bool is_base64)
{
    struct needle *e = &s->needles[s->count];

    CHECK(s->count < NEEDLES_MAX && n <= NEEDLE_MAX && n >= 8);
    s->count++;
    memcpy(e->bytes, bytes, n);
    e->n = n;
    e->is_base64 = is_base64;
}

/* As bytes, and as what base64 makes of them at each of the three places they may have. */
static void seek_bytes(struct side *s, const void *bytes, size_t n)
{
    uint8_t padded[NEEDLE_MAX + 2];
    char text[2 * NEEDLE_MAX];

    seek(s, bytes, n, false);
    for (size_t before = 0; before < 3; before++) {
        memset(padded, 0, sizeof padded);
        memcpy(padded + before, bytes, n);
        sodium_bin2base64(text, sizeof text, padded, before + n, VARIANT);
        size_t first = (before * 8 + 5) / 6, end = (before + n) * 8 / 6;
        seek(s, text + first, end - first, true);
    }
}

static void seek_id(struct side *s, const struct om_id *id)
{
    char text[OM_ID_TEXT];

    seek_bytes(s, id->b, sizeof id->b);
    om_id_print(id, text);
    seek(s, text, strlen(text), false);
}

static void know_secrets(struct side *s)
{
    uint8_t secret[32], dh[32];

    seek_id(s, &s->net->id);
    seek_id(s, &s->net->authority);
    sim_network_secret(s->nodes[0]->world, s->net, s->net->epoch, false, secret);
    seek_bytes(s, secret, sizeof secret);
    for (unsigned i = 0; i <= EACH; i++) {
        seek_id(s, sim_actor_id(s->nodes[i], s->net));
        CHECK_OK(om_identity_dh_of(dh, sim_actor_id(s->nodes[i], s->net)));
        seek_bytes(s, dh, sizeof dh);
        if (i < EACH) /* whose name is of this network alone */
            seek_bytes(s, s->nodes[i]->name, strlen(s->nodes[i]->name));
    }
}

/* ---- where it is sought */

static bool holds(struct om_bytes in, const struct needle *e)
{
    return memmem(in.p, in.n, e->bytes, e->n) != NULL;
}

static void search(unsigned of, struct om_bytes in)
{
    struct side *own = &sides[of], *other = &sides[!of];
    unsigned raw = 0, base64 = 0;

    if (!is_watching)
        return;
    own->searched++;
    for (unsigned i = 0; i < other->count; i++)
        leaks += holds(in, &other->needles[i]);
    for (unsigned i = 0; i < own->count; i++)
        if (holds(in, &own->needles[i]))
            *(own->needles[i].is_base64 ? &base64 : &raw) += 1;
    own->own += raw > 0;
    own->own_base64 += base64 > 0;
}

static unsigned side_of(const struct om_id *network)
{
    return is_watching && om_id_equal(network, &sides[1].net->id);
}

/* The linker asks for these names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl*) */

unsigned __real_om_seal_many(struct om_sealed **out, struct om_session *s, uint64_t first,
                             struct om_buf **plain, unsigned n);
unsigned __wrap_om_seal_many(struct om_sealed **out, struct om_session *s, uint64_t first,
                             struct om_buf **plain, unsigned n);
unsigned __wrap_om_seal_many(struct om_sealed **out, struct om_session *s, uint64_t first,
                             struct om_buf **plain, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        search(side_of(&s->peer->net->id), om_bytes(om_buf_data(plain[i]), plain[i]->len));
    return __real_om_seal_many(out, s, first, plain, n);
}

enum om_err __real_om_seal(struct om_sealed **out, struct om_session *s, uint64_t counter,
                           struct om_buf *plain);
enum om_err __wrap_om_seal(struct om_sealed **out, struct om_session *s, uint64_t counter,
                           struct om_buf *plain);
enum om_err __wrap_om_seal(struct om_sealed **out, struct om_session *s, uint64_t counter,
                           struct om_buf *plain)
{
    search(side_of(&s->peer->net->id), om_bytes(om_buf_data(plain), plain->len));
    return __real_om_seal(out, s, counter, plain);
}

void __real_om_noise_init(struct om_noise *self, bool initiator, const uint8_t *s_secret,
                          const uint8_t *s_public, const uint8_t *rs_public, const uint8_t *psk,
                          struct om_bytes prologue);
void __wrap_om_noise_init(struct om_noise *self, bool initiator, const uint8_t *s_secret,
                          const uint8_t *s_public, const uint8_t *rs_public, const uint8_t *psk,
                          struct om_bytes prologue);
void __wrap_om_noise_init(struct om_noise *self, bool initiator, const uint8_t *s_secret,
                          const uint8_t *s_public, const uint8_t *rs_public, const uint8_t *psk,
                          struct om_bytes prologue)
{
    struct om_id network;

    memcpy(network.b, prologue.p + strlen("omerta1"), sizeof network.b);
    handshakes[handshake_count++ % NOISES_MAX] = (struct handshake){self, side_of(&network)};
    __real_om_noise_init(self, initiator, s_secret, s_public, rs_public, psk, prologue);
}

/* Which network's handshake is that of @noise? The newest at that place. */
static unsigned side_of_noise(const struct om_noise *noise)
{
    for (unsigned i = 1; i <= NOISES_MAX && i <= handshake_count; i++) {
        const struct handshake *h = &handshakes[(handshake_count - i) % NOISES_MAX];
        if (h->noise == noise)
            return h->side;
    }
    fail_msg("a handshake that nobody began");
    return 0;
}

enum om_err __real_om_noise_write1_finish(struct om_noise *self, struct om_bytes payload,
                                          struct om_wr *out);
enum om_err __wrap_om_noise_write1_finish(struct om_noise *self, struct om_bytes payload,
                                          struct om_wr *out);
enum om_err __wrap_om_noise_write1_finish(struct om_noise *self, struct om_bytes payload,
                                          struct om_wr *out)
{
    search(side_of_noise(self), payload);
    return __real_om_noise_write1_finish(self, payload, out);
}

enum om_err __real_om_noise_write2(struct om_noise *self, const uint8_t *e_secret,
                                   struct om_bytes payload, struct om_wr *out);
enum om_err __wrap_om_noise_write2(struct om_noise *self, const uint8_t *e_secret,
                                   struct om_bytes payload, struct om_wr *out);
enum om_err __wrap_om_noise_write2(struct om_noise *self, const uint8_t *e_secret,
                                   struct om_bytes payload, struct om_wr *out)
{
    search(side_of_noise(self), payload);
    return __real_om_noise_write2(self, e_secret, payload, out);
}

void __real_sim_launch(struct sim_actor *by, const struct sim_nat_packet *p, struct om_bytes data);
void __wrap_sim_launch(struct sim_actor *by, const struct sim_nat_packet *p, struct om_bytes data);
void __wrap_sim_launch(struct sim_actor *by, const struct sim_nat_packet *p, struct om_bytes data)
{
    for (unsigned k = 0; is_watching && k < 2; k++) /* of what is sealed nothing shows to anybody */
        for (unsigned i = 0; i < sides[k].count; i++)
            leaks += holds(data, &sides[k].needles[i]);
    if (by == caught_from && om_addr_equal(&p->to, &caught_to) && caught_count < CAUGHT_MAX) {
        memcpy(caught[caught_count], data.p, data.n);
        caught_len[caught_count++] = data.n;
    }
    __real_sim_launch(by, p, data);
}

/* NOLINTEND(bugprone-reserved-identifier,cert-dcl*) */

/* ---- the world */

struct realm {
    struct sim_world *w;
    struct sim_actor *both, *ear;
};

static struct sim_actor *add(struct realm *r, const char *name, enum sim_cert cert, unsigned first,
                             unsigned count)
{
    const struct sim_node_spec spec = {.networks = {first, 1},
                                       .network_count = count,
                                       .gossip = true,
                                       .relays = true,
                                       .cert = cert};

    return sim_node_add(r->w, name, &spec);
}

static void begin(struct realm *r)
{
    static const char *const names[2][EACH] = {{"easterly0", "easterly1", "easterly2"},
                                               {"westerly0", "westerly1", "westerly2"}};

    *r = (struct realm){.w = sim_world_new(1, NULL)};
    memset(sides, 0, sizeof sides);
    leaks = handshake_count = caught_count = 0;
    is_watching = false;
    r->w->model.latency = OM_MS(20);
    for (unsigned k = 0; k < 2; k++)
        sim_member_close(r->w, sim_network_add(r->w, k ? "west" : "east", false, 3));
    r->both = add(r, "both", SIM_CERT_ADMIN, 0, 2);
    for (unsigned k = 0; k < 2; k++) {
        sides[k].net = &r->w->networks[k];
        for (unsigned i = 0; i < EACH; i++)
            sides[k].nodes[i] = add(r, names[k][i], i ? SIM_CERT_MEMBER : SIM_CERT_ADMIN, k, 1);
        sides[k].nodes[EACH] = r->both;
    }
    r->ear = sim_attacker_add(r->w, "ear", false);
    for (unsigned k = 0; k < 2; k++)
        know_secrets(&sides[k]);
    is_watching = true;
    caught_from = r->both;
    caught_to = sides[0].nodes[1]->addr;
}

static void end(struct realm *r)
{
    is_watching = false;
    caught_from = NULL;
    CHECK_STR(r->w->broken, "");
    sim_world_free(r->w);
}

/* In both networks: everybody meets, speaks, asks, tells news, throws somebody out. */
static void live(const struct realm *r)
{
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < EACH; i++) {
            CHECK_OK(sim_connect(sides[k].nodes[i], sides[k].net, r->both, NULL, 0));
            CHECK_OK(sim_connect(r->both, sides[k].net, sides[k].nodes[i], NULL, 0));
        }
    sim_run(r->w, OM_SEC(30));
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < EACH; i++) {
            struct sim_actor *a = sides[k].nodes[i];
            CHECK_OK(sim_send(r->both, sides[k].net, a, "chat", om_bytes("hello", 5), 0));
            CHECK_OK(sim_send(a, sides[k].net, r->both, "chat", om_bytes("hello", 5), 0));
            CHECK_OK(om_node_status(a->node, sim_node_clock(a), &sides[k].net->id,
                                    sim_actor_id(r->both, sides[k].net)));
            sim_node_drain(a);
        }
    sim_run(r->w, OM_SEC(60));
}

OM_TEST(networks_apart_nothing_of_one_is_said_in_the_other)
{
    struct realm r;

    begin(&r);
    live(&r);
    CHECK_OK(sim_member_revoke(r.both, sides[0].net, sides[0].nodes[2]));
    CHECK_OK(sim_member_revoke(sides[1].nodes[0], sides[1].net, sides[1].nodes[2]));
    sim_run(r.w, OM_SEC(200)); /* new keys, too */
    for (unsigned k = 0; k < 2; k++) {
        CHECK_EQ(sim_pair(r.w, r.both, sides[k].nodes[2])->events[OM_EVENT_REVOKED], 1);
        CHECK_EQ(sim_text_count(r.w, r.both, sides[k].nodes[1], om_bytes("hello", 5)), 1);
        print_message("%s: %u texts searched; %u name their own network, %u in base64\n",
                      sides[k].net->name, sides[k].searched, sides[k].own, sides[k].own_base64);
        CHECK(sides[k].searched > 100);
        CHECK(sides[k].own > 10 && sides[k].own_base64 > 0); /* the controls: it would be found */
    }
    CHECK_EQ(leaks, 0);
    const struct om_id *id = sim_actor_id(sides[0].nodes[1], sides[0].net);
    CHECK_OK(sim_send(r.both, sides[1].net, sides[1].nodes[1], "chat",
                      om_bytes(id->b, sizeof id->b), 0)); /* and is, when it is said */
    CHECK(leaks > 0);
    end(&r);
}

OM_TEST(networks_apart_status_counts_one_network)
{
    struct realm r;

    begin(&r);
    live(&r);
    for (unsigned k = 0; k < 2; k++) {
        const struct sim_actor *a = sides[k].nodes[1];
        CHECK_EQ(a->statuses, 1);
        CHECK_EQ((int)a->status.status.peers, EACH); /* of the six that it has */
        CHECK_EQ((int)a->status.status.sessions, EACH);
    }
    end(&r);
}

OM_TEST(networks_apart_datagrams_of_one_are_noise_in_the_other)
{
    struct sim_actor *west = NULL;
    struct om_node_info had, has;
    struct realm r;

    begin(&r);
    live(&r);
    west = sides[1].nodes[1];
    caught_from = NULL;
    CHECK(caught_count > 10);
    om_node_info(west->node, &had);
    uint64_t up = west->events[OM_EVENT_SESSION_UP];
    for (unsigned i = 0; i < caught_count; i++) {
        const struct om_bytes d = om_bytes(caught[i], caught_len[i]);
        sim_transmit(r.w, r.ear, &r.ear->addr, &west->addr, d);
        sim_transmit(r.w, r.ear, &r.both->addr, &west->addr, d); /* as if from both */
    }
    sim_run(r.w, r.w->now + OM_SEC(10));
    om_node_info(west->node, &has);
    CHECK(has.datagrams_in >= had.datagrams_in + 2 * caught_count); /* the control: they came */
    CHECK_EQ(r.ear->heard, 0);
    CHECK_EQ(west->events[OM_EVENT_SESSION_UP], up);
    CHECK(sim_has_session(west, r.both));
    CHECK_OK(sim_connect(west, sides[1].net, sides[1].nodes[2], &r.ear, 1)); /* and it has ears */
    CHECK_OK(sim_close(west, sides[1].net, sides[1].nodes[2]));
    CHECK_OK(sim_connect(west, sides[1].net, sides[1].nodes[2], &r.ear, 1));
    sim_run(r.w, r.w->now + OM_SEC(5));
    CHECK(r.ear->heard > 0);
    end(&r);
}
