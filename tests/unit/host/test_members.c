/* test_members.c - whom a word means in a closed network, whatever records say. */
#include "certs.h"

#include <uv.h>

#include "host/clock.h"
#include "host/entropy.h"
#include "host/pump.h"
#include "members.h"
#include "peer/record.h"

/* A daemon that is ann in a closed network, of which it has only heard. */
struct ear {
    uv_loop_t loop;
    struct certs certs;
    struct om_daemon *d;
    uint64_t sequence;
};

static void on_act(void *self OM_UNUSED, const struct om_act *act OM_UNUSED)
{
}

static bool enter(struct ear *e, const uint8_t *seed)
{
    struct om_network_config c = {
        .id = e->certs.network, .epoch = 7, .gossip = true, .authority = e->certs.authority.id};
    struct om_identity self;

    if (om_identity_for_network(&self, seed, &c.id) != OM_OK)
        return false;
    c.chain = certs_chain(&e->certs, &(struct certs_wish){.key = self.id, .name = "ann"});
    if (om_node_join(daemon_node(e->d), &c, NULL) != OM_OK)
        return false;
    e->d->networks[0] =
        (struct daemon_network){.id = c.id, .self = self.id, .name = "lab", .is_closed = true};
    e->d->network_count = 1;
    return true;
}

static bool ear_open(struct ear *e)
{
    static const uint8_t seed[32] = {0x21};
    struct om_pump_config c = {
        .loop = &e->loop,
        .node = {.home_seed = seed, .rng = om_entropy(), .wall = {(int64_t)CERTS_NOW_S * 1000}},
        .udp = {.v4 = true, .bind4 = om_addr_v4(0x7f000001, 0)},
        .on_act = on_act};

    *e = (struct ear){.certs = certs_make_real(), .d = calloc(1, sizeof *e->d)};
    CHECK_EQ(uv_loop_init(&e->loop), 0);
    om_limits_default(&c.node.limits);
    return e->d && om_pump_open(&e->d->pump, &c, NULL) == OM_OK && enter(e, seed);
}

static void ear_close(struct ear *e)
{
    if (e->d && e->d->pump)
        om_pump_close(e->d->pump);
    (void)uv_run(&e->loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&e->loop), 0);
    free(e->d);
}

/* A record of @who, who says of himself @says, and shows a certificate for @name unless NULL. */
static bool hear(struct ear *e, const struct om_identity *who, const char *says, const char *name)
{
    struct om_network shows = {.is_open = false};
    struct om_record r = {.id = who->id,
                          .sequence = (uint64_t)CERTS_NOW_S * 1000 + ++e->sequence,
                          .expires = CERTS_NOW_S + CERTS_DAY_S / 2};
    uint8_t fields[OM_RECORD_MAX], bytes[OM_RECORD_MAX], kind;
    struct om_wr w = om_wr(om_mut(fields, sizeof fields));

    om_wr_u8(&w, OM_FIELD_NAME);
    om_wr_u16(&w, (uint16_t)strlen(says));
    om_wr_bytes(&w, om_bytes(says, strlen(says)));
    if (name) {
        const struct om_cert_chain chain = certs_chain(
            &e->certs, &(struct certs_wish){.key = who->id,
                                            .from_s = -CERTS_DAY_S + (int64_t)e->sequence,
                                            .name = name});
        CHECK_OK(om_credential_set(&shows, &chain));
        struct om_bytes shown = om_credential_ours(&shows, &kind);
        om_wr_u8(&w, OM_FIELD_CREDENTIAL);
        om_wr_u16(&w, (uint16_t)(1 + shown.n));
        om_wr_u8(&w, kind);
        om_wr_bytes(&w, shown);
    }
    r.fields = om_bytes(fields, om_wr_len(&w));
    size_t n = om_record_encode(bytes, &r, who, &e->certs.network);
    if (om_node_learn(daemon_node(e->d), om_clock_now(), &e->certs.network, om_bytes(bytes, n)) !=
        OM_OK)
        return false;
    om_pump_kick(e->d->pump);
    return true;
}

static const struct om_id *find(const struct ear *e, const char *text, struct om_error *err)
{
    static struct om_id found;

    return members_find(e->d, &e->d->networks[0], text, &found, err) ? &found : NULL;
}

static bool means(const struct ear *e, const char *text, const struct om_identity *who)
{
    const struct om_id *found = find(e, text, NULL);

    return found && om_id_equal(found, &who->id);
}

OM_TEST(members_are_found_by_certificate_alone)
{
    const struct om_identity liar = certs_someone(7), ben = certs_someone(8);
    char name[NAMES_TEXT], id[OM_ID_TEXT];
    struct om_error err;
    struct ear e;

    OM_TRY(ear_open(&e) && hear(&e, &liar, "cat", NULL) && hear(&e, &ben, "dan", "ben"));
    struct daemon_network *net = &e.d->networks[0];
    OM_TRY(means(&e, "ben", &ben) && means(&e, "BEN", &ben));
    for (unsigned i = 0; i < 2; i++) {
        CHECK(!find(&e, i == 0 ? "cat" : "dan", &err));
        CHECK(strstr(err.msg, "nobody is known") != NULL);
    }
    CHECK_STR(members_name(e.d, net, &liar.id, name), "");
    OM_TRY(means(&e, om_id_print(&liar.id, id), &liar));
    id[8] = '\0';
    OM_TRY(means(&e, id, &liar));
    net->is_closed = false; /* the control: it was heard, and goes by that where nobody signs */
    OM_TRY(means(&e, "cat", &liar) && means(&e, "dan", &ben) && !find(&e, "ben", &err));
out:
    ear_close(&e);
}

OM_TEST(members_of_one_name_are_told_apart)
{
    const struct om_identity first = certs_someone(7), second = certs_someone(8),
                             third = certs_someone(9);
    char name[NAMES_TEXT], id[OM_ID_TEXT], whole[NAMES_TEXT];
    struct om_error err;
    struct ear e;

    OM_TRY(ear_open(&e) && hear(&e, &first, "x", "ben") && hear(&e, &second, "x", "ben"));
    const struct daemon_network *net = &e.d->networks[0];
    (void)snprintf(whole, sizeof whole, "ben-%.6s", om_id_print(&second.id, id));
    OM_TRY(strcmp(members_name(e.d, net, &second.id, name), whole) == 0);
    OM_TRY(means(&e, "ben", &first) && means(&e, whole, &second));
    (void)snprintf(whole, sizeof whole, "ben-%.6s", om_id_print(&first.id, id));
    OM_TRY(means(&e, whole, &first));
    OM_TRY(hear(&e, &third, "x", whole)); /* on purpose */
    CHECK(!find(&e, whole, &err));
    CHECK(strstr(err.msg, "ambiguous") != NULL);
out:
    ear_close(&e);
}
