/* model_message.c - two nodes whose link comes, goes, loses answers and repeats calls. */
#include "harness.h"

#include <omerta/prng.h>

#include "dice.h"
#include "service/message.h"

enum { POSTS = 60, WORLDS = 60, STEPS = 6000, CALLS = 8 };

/* What is known of a message beside the machines. */
struct twin {
    uint8_t id[OM_MESSAGE_ID];
    unsigned arrived;
    bool delivered, read, failed, is_marked;
};

struct node {
    struct om_message m;
    struct om_id id;
    struct twin posted[POSTS]; /* by it, numbered in the message's bytes */
    unsigned posts;
    int last; /* of the other's that arrived */
};

struct call {
    bool used;
    unsigned from;
    uint64_t tag;
    char method[24];
    json_t *args;
};

struct world {
    struct dice d;
    struct om_prng prng;
    struct node nodes[2];
    struct call calls[CALLS];
    bool up;
    om_time now;
    unsigned repeated, lost;
};

static struct twin *find(struct node *n, const uint8_t id[static OM_MESSAGE_ID])
{
    for (unsigned i = 0; i < n->posts; i++)
        if (memcmp(n->posted[i].id, id, OM_MESSAGE_ID) == 0)
            return &n->posted[i];
    fail_msg("an id that nobody posted");
    return NULL;
}

static void set_link(struct world *w, bool up)
{
    if (w->up == up)
        return;
    w->up = up;
    for (unsigned k = 0; k < 2; k++) {
        struct node *n = &w->nodes[k];
        if (up)
            om_message_peer_up(&n->m, w->now, &w->nodes[1 - k].id);
        else
            om_message_peer_down(&n->m, w->now, &w->nodes[1 - k].id);
    }
}

/* A call arrives, once or twice, or never; its answer comes back or does not. */
static void settle(struct world *w, struct call *c)
{
    struct node *from = &w->nodes[c->from], *to = &w->nodes[1 - c->from];
    enum om_call_error error;
    json_t *ok = NULL;
    unsigned times = dice_below(&w->d, 8) == 0 ? 0 : dice_below(&w->d, 8) == 0 ? 2 : 1;

    for (unsigned i = 0; i < times; i++) {
        json_decref(ok);
        ok = om_message_call(&to->m, w->now, &from->id, c->method, c->args, &error);
        CHECK(ok || error == OM_CALL_NOT_FOUND_ERROR || error == OM_CALL_REFUSED_ERROR);
    }
    w->repeated += times == 2;
    if (times == 0 || dice_below(&w->d, 8) == 0) {
        w->lost++;
        om_message_reply(&from->m, w->now, c->tag, NULL, "timeout");
    } else {
        om_message_reply(&from->m, w->now, c->tag, ok, ok ? NULL : om_call_error_name(error));
    }
    json_decref(ok);
    json_decref(c->args);
    *c = (struct call){.used = false};
}

static void on_receipt(struct node *n, const struct om_message_act *act)
{
    struct twin *t = find(n, act->id);

    CHECK(!t->failed && !t->read); /* nothing follows these */
    switch (act->receipt) {
    case OM_RECEIPT_DELIVERED:
        CHECK(!t->delivered);
        t->delivered = true;
        break;
    case OM_RECEIPT_READ:
        CHECK(t->delivered && t->is_marked);
        t->read = true;
        break;
    case OM_RECEIPT_FAILED:
        CHECK(!t->delivered);
        t->failed = true;
        break;
    case OM_RECEIPT_REJECTED:
        fail_msg("nobody rejects here");
        break;
    }
}

static void on_delivery(struct world *w, unsigned k, const struct om_message_act *act)
{
    struct node *me = &w->nodes[k], *other = &w->nodes[1 - k];
    struct twin *t = find(other, act->id);
    int number = (int)(t - other->posted);

    CHECK_EQ(++t->arrived, 1);
    CHECK(number > me->last); /* in the order of posting */
    me->last = number;
    CHECK_EQ(act->bytes.n, number + 1);
    CHECK_EQ(act->bytes.p[number], number);
    if (dice_below(&w->d, 2)) {
        CHECK_OK(om_message_read(&me->m, w->now, &other->id, act->id));
        t->is_marked = true;
    }
}

static void act_all(struct world *w, unsigned k)
{
    struct node *n = &w->nodes[k];
    struct om_message_act act;

    while (om_message_next(&n->m, &act)) {
        unsigned slot = 0;
        switch (act.kind) {
        case OM_MESSAGE_RECEIPT:
            on_receipt(n, &act);
            break;
        case OM_MESSAGE_DELIVER:
            on_delivery(w, k, &act);
            break;
        case OM_MESSAGE_CALL:
            CHECK(w->up);
            while (slot < CALLS && w->calls[slot].used)
                slot++;
            if (slot == CALLS)
                settle(w, &w->calls[slot = 0]);
            w->calls[slot] = (struct call){.used = true, .from = k, .tag = act.tag};
            snprintf(w->calls[slot].method, sizeof w->calls[slot].method, "%s", act.method);
            CHECK_OK(om_words_load(act.args, &w->calls[slot].args));
            break;
        }
    }
}

static void post(struct world *w, unsigned k)
{
    struct node *n = &w->nodes[k];
    uint8_t bytes[POSTS];

    if (n->posts == POSTS)
        return;
    for (unsigned i = 0; i <= n->posts; i++)
        bytes[i] = (uint8_t)n->posts;
    CHECK_OK(om_message_post(&n->m, w->now, &w->nodes[1 - k].id, OM_MESSAGE_BINARY,
                             om_bytes(bytes, n->posts + 1), n->posted[n->posts].id));
    n->posts++;
}

static void step(struct world *w)
{
    unsigned k = dice_below(&w->d, 2), slot = dice_below(&w->d, CALLS);

    w->now += (om_time)dice_below(&w->d, dice_below(&w->d, 40) ? 2000000 : 900000000);
    if (dice_below(&w->d, 30) == 0)
        set_link(w, !w->up);
    if (dice_below(&w->d, 60) == 0)
        post(w, k);
    if (w->calls[slot].used)
        settle(w, &w->calls[slot]); /* however old it is: its node may have given it up */
    om_message_tick(&w->nodes[k].m, w->now);
    act_all(w, 0);
    act_all(w, 1);
}

/* The link stays: what was posted and did not fail arrives, and what was read is told. */
static void drain(struct world *w)
{
    set_link(w, true);
    for (unsigned i = 0; i < STEPS; i++) {
        w->now += OM_SEC(60);
        for (unsigned c = 0; c < CALLS; c++)
            if (w->calls[c].used)
                settle(w, &w->calls[c]);
        for (unsigned k = 0; k < 2; k++) {
            om_message_tick(&w->nodes[k].m, w->now);
            act_all(w, k);
        }
    }
}

OM_TEST(message_model_once_in_order_and_honest)
{
    unsigned delivered = 0, read = 0, failed = 0, repeated = 0, lost = 0;

    for (unsigned i = 0; i < WORLDS; i++) {
        struct world w = {.d = {i}};
        om_prng_seed(&w.prng, i);
        struct om_rng rng = om_prng_rng(&w.prng);
        for (unsigned k = 0; k < 2; k++) {
            w.nodes[k].id.b[0] = (uint8_t)(k + 1);
            w.nodes[k].last = -1;
            om_message_init(&w.nodes[k].m, &rng, i % 2 ? OM_SEC(1800) : 0);
        }
        for (unsigned s = 0; s < STEPS; s++)
            step(&w);
        drain(&w);
        for (unsigned k = 0; k < 2; k++) {
            for (unsigned p = 0; p < w.nodes[k].posts; p++) {
                const struct twin *t = &w.nodes[k].posted[p];
                CHECK(t->delivered != t->failed); /* each comes to one end */
                CHECK(!t->delivered || t->arrived == 1);
                delivered += t->delivered;
                read += t->read;
                failed += t->failed;
            }
            CHECK_EQ(w.nodes[k].m.bytes, 0);
            CHECK(om_message_deadline(&w.nodes[k].m) == OM_NEVER);
            om_message_fini(&w.nodes[k].m);
        }
        repeated += w.repeated;
        lost += w.lost;
        for (unsigned c = 0; c < CALLS; c++)
            json_decref(w.calls[c].args);
    }
    CHECK(delivered > 1000 && read > 200 && failed > 20 && repeated > 100 && lost > 100);
}
