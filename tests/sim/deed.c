/* deed.c - one case per verb. */
#include "deed.h"

#include <string.h>

#include "fault.h"
#include "member.h"
#include "request.h"
#include "router.h"
#include "watch.h"

static const char *const names[] = {
    [SIM_CONNECT] = "connect",   [SIM_SEND] = "send",       [SIM_ALLOW] = "allow",
    [SIM_PING] = "ping",         [SIM_CLOSE] = "close",     [SIM_KEEP] = "keep",
    [SIM_EPOCH] = "epoch",       [SIM_CRASH] = "crash",     [SIM_RESTART] = "restart",
    [SIM_MOVE] = "move",         [SIM_CLOCK] = "clock",     [SIM_PARTITION] = "partition",
    [SIM_HEAL] = "heal",         [SIM_LINK] = "link",       [SIM_PIPE] = "pipe",
    [SIM_THROUGH] = "through",   [SIM_MEASURE] = "measure", [SIM_RECORD] = "record",
    [SIM_REPLAY] = "replay",     [SIM_JUNK] = "junk",       [SIM_LAN] = "lan",
    [SIM_FLUSH] = "flush",       [SIM_LIE] = "lie",         [SIM_JOIN] = "join",
    [SIM_REVOKE] = "revokes",    [SIM_OUST] = "ousts",      [SIM_ROTATE] = "rotates",
    [SIM_CERTIFY] = "certifies", [SIM_VOID] = "voids",      [SIM_BLOCK] = "blocks",
};
static_assert(OM_ARRAY_SIZE(names) == SIM_VERB_COUNT, "a name for each verb");

static struct sim_actor *actor(const struct sim_world *w, int index)
{
    return index >= 0 ? w->actors[index] : NULL;
}

const char *sim_deed_name(const struct sim_world *w, const struct sim_deed *d)
{
    static char text[4 * SIM_NAME_MAX + 32];
    const struct sim_actor *a = actor(w, d->a), *b = actor(w, d->b), *c = actor(w, d->c);
    const char *by = d->verb == SIM_LIE ? " about " : " by ";
    bool subject = d->verb <= SIM_EPOCH;

    snprintf(text, sizeof text, "%s%s%s%s%s%s%s%s", subject && a ? a->name : "",
             subject && a ? " " : "", names[d->verb], subject || !a ? "" : " ",
             subject || !a ? "" : a->name, b ? " " : "", b ? b->name : "", c ? by : "");
    if (c)
        strncat(text, c->name, sizeof text - strlen(text) - 1);
    if (d->pipe >= 0) {
        strncat(text, " ", sizeof text - strlen(text) - 1);
        strncat(text, w->necks[d->pipe]->name, sizeof text - strlen(text) - 1);
    }
    return text;
}

static void change_loss(struct sim_loss_model *m, const struct sim_loss_model *v)
{
    if (v->ppm != UINT32_MAX)
        m->ppm = v->ppm;
    if (v->burst != UINT32_MAX)
        m->burst = v->burst;
    if (v->good_ppm != UINT32_MAX)
        m->good_ppm = v->good_ppm;
    if (v->bad_ppm != UINT32_MAX)
        m->bad_ppm = v->bad_ppm;
}

static void change_link(struct sim_link_model *m, const struct sim_link_model *v)
{
    change_loss(&m->loss, &v->loss);
    if (v->latency >= 0)
        m->latency = v->latency;
    if (v->jitter >= 0)
        m->jitter = v->jitter;
    if (v->spacing >= 0)
        m->spacing = v->spacing;
    if (v->dup_ppm != UINT32_MAX)
        m->dup_ppm = v->dup_ppm;
    if (v->corrupt_ppm != UINT32_MAX)
        m->corrupt_ppm = v->corrupt_ppm;
    if (v->reorder != UINT32_MAX)
        m->reorder = v->reorder;
    if (v->rate_bps != UINT64_MAX)
        m->rate_bps = v->rate_bps;
    if (v->queue_bytes != UINT64_MAX)
        m->queue_bytes = v->queue_bytes;
    if (v->mtu != UINT32_MAX)
        m->mtu = v->mtu;
}

static void do_link(struct sim_world *w, const struct sim_deed *d)
{
    struct sim_actor *a = actor(w, d->a), *b = actor(w, d->b);

    if (!a || !b) {
        change_link(&w->model, &d->link.value);
        return;
    }
    change_link(sim_pair_model(w, sim_pair(w, a, b)), &d->link.value);
    if (!d->link.one_way)
        change_link(sim_pair_model(w, sim_pair(w, b, a)), &d->link.value);
}

static enum om_err do_pipe(const struct sim_world *w, const struct sim_deed *d)
{
    struct sim_neck *n = w->necks[d->pipe];
    const struct sim_pipe_model *v = &d->change;
    struct sim_pipe_model m = n->pipe.model;

    change_loss(&m.loss, &v->loss);
    if (v->rate_bps != UINT64_MAX)
        m.rate_bps = v->rate_bps;
    if (v->queue_bytes != UINT64_MAX)
        m.queue_bytes = v->queue_bytes;
    if (v->police_bps != UINT64_MAX) {
        m.police_bps = v->police_bps;
        m.police_bytes = v->police_bytes;
    }
    sim_neck_change(n, &m);
    return OM_OK;
}

static enum om_err do_connect(const struct sim_world *w, const struct sim_deed *d,
                              const struct sim_network *n)
{
    struct sim_actor *at[OM_ENDPOINTS_MAX] = {NULL};

    if (d->seen_by > 0)
        return sim_connect_seen(actor(w, d->a), n, actor(w, d->b), actor(w, d->seen_by - 1));
    if (d->end_count < 0)
        return sim_connect(actor(w, d->a), n, actor(w, d->b), NULL, 0);
    for (int i = 0; i < d->end_count; i++)
        at[i] = actor(w, d->ends[i]);
    return sim_connect(actor(w, d->a), n, actor(w, d->b), at, (unsigned)d->end_count);
}

static enum om_err do_member(const struct sim_world *w, const struct sim_deed *d,
                             const struct sim_network *n)
{
    struct sim_invite i = {.by = actor(w, d->b),
                           .peers = {actor(w, d->b)},
                           .peer_count = 1,
                           .token = d->number,
                           .uses = (uint16_t)d->size,
                           .age = d->pace};

    if (d->verb == SIM_EPOCH)
        return sim_epoch(actor(w, d->a), n, (uint32_t)d->number);
    if (d->verb == SIM_VOID)
        return sim_member_void(actor(w, d->a), n, d->number, (uint16_t)d->size);
    if (d->verb == SIM_ROTATE)
        return sim_member_rotate(actor(w, d->a), n);
    if (d->verb == SIM_CERTIFY)
        return sim_member_certify(actor(w, d->a), n);
    if (d->verb == SIM_REVOKE)
        return sim_member_revoke(actor(w, d->a), n, actor(w, d->b));
    if (d->verb == SIM_OUST)
        return sim_member_oust(actor(w, d->a), n, actor(w, d->b), (unsigned)d->number);
    for (int k = 0; k < d->end_count; k++)
        i.peers[k] = actor(w, d->ends[k]);
    if (d->end_count >= 0)
        i.peer_count = (unsigned)d->end_count;
    return sim_member_invited(actor(w, d->a), n, &i);
}

/* What needs no more words than whose it is, and towards whom. */
static enum om_err do_towards(enum sim_verb verb, struct sim_actor *a, const struct sim_network *n,
                              struct sim_actor *b)
{
    if (verb == SIM_ALLOW)
        return sim_allow(a, n, b);
    if (verb == SIM_PING)
        return sim_ping(a, n, b);
    if (verb == SIM_CLOSE)
        return sim_close(a, n, b);
    return verb == SIM_KEEP ? sim_keep(a, n, b) : sim_block(a, n, b);
}

static enum om_err do_send(const struct sim_world *w, const struct sim_deed *d,
                           const struct sim_network *n)
{
    uint64_t count = d->pace > 0 ? 1 : d->number;
    enum om_err e = OM_OK;

    while (count-- > 0 && e == OM_OK)
        e = sim_send(actor(w, d->a), n, actor(w, d->b), d->channel,
                     om_bytes(d->text, strlen(d->text)), (size_t)d->size);
    return e;
}

static enum om_err do_replay(struct sim_world *w, const struct sim_deed *d)
{
    struct sim_tape *tape = sim_pair(w, actor(w, d->a), actor(w, d->b))->tape;
    struct sim_replay r = {
        .by = actor(w, d->c),
        .tape = tape,
        .times = (unsigned)d->number,
        .spacing = d->pace,
        .own_source = d->is_own,
    };

    if (sim_tape_count(tape) == 0)
        return OM_E_MISSING;
    sim_replay_start(&r);
    return OM_OK;
}

static enum om_err do_junk(const struct sim_world *w, const struct sim_deed *d)
{
    struct sim_junk j = d->junk;

    j.by = actor(w, d->c);
    j.to = actor(w, d->a);
    sim_junk_start(&j);
    return OM_OK;
}

static enum om_err do_move(const struct sim_world *w, const struct sim_deed *d)
{
    struct sim_actor *a = actor(w, d->a);

    if (d->nat != 0)
        a->router = d->nat > 0 ? w->routers[d->nat - 1] : NULL;
    sim_move(a);
    if (d->is_told && a->node) {
        sim_node_where(a);
        sim_node_drain(a);
    }
    return OM_OK;
}

static void do_measure(struct sim_world *w, const struct sim_deed *d)
{
    struct sim_actor *a = actor(w, d->a), *b = actor(w, d->b);

    if (d->pipe >= 0)
        sim_pipe_measure(&w->necks[d->pipe]->pipe, w->now);
    else if (d->is_link)
        sim_pair_measure(w, sim_pair(w, a, b));
    else
        sim_watch_start(w, a, b);
}

static void do_flush(struct sim_router *r, bool is_moved)
{
    sim_natbox_flush(&r->box);
    if (is_moved)
        sim_router_move(r);
}

enum om_err sim_deed_do(struct sim_world *w, const struct sim_deed *d)
{
    const struct sim_network *n = d->network >= 0 ? &w->networks[d->network] : NULL;
    struct sim_actor *a = actor(w, d->a), *b = actor(w, d->b);

    switch (d->verb) {
    case SIM_CONNECT:
        return do_connect(w, d, n);
    case SIM_SEND:
        return do_send(w, d, n);
    case SIM_ALLOW:
    case SIM_PING:
    case SIM_CLOSE:
    case SIM_KEEP:
    case SIM_BLOCK:
        return do_towards(d->verb, a, n, b);
    case SIM_LIE:
        return sim_lie(a, n, b, d->lie, actor(w, d->c));
    case SIM_JOIN:
    case SIM_REVOKE:
    case SIM_OUST:
    case SIM_VOID:
    case SIM_ROTATE:
    case SIM_CERTIFY:
    case SIM_EPOCH:
        return do_member(w, d, n);
    case SIM_CRASH:
        return sim_crash(a);
    case SIM_RESTART:
        return sim_restart(a, d->is_fresh, d->is_newkey);
    case SIM_MOVE:
        return do_move(w, d);
    case SIM_CLOCK:
        sim_step_wall(a, d->pace);
        return OM_OK;
    case SIM_PARTITION:
    case SIM_HEAL:
        sim_cut(a, b, d->verb == SIM_PARTITION);
        return OM_OK;
    case SIM_LINK:
        do_link(w, d);
        return OM_OK;
    case SIM_PIPE:
        return do_pipe(w, d);
    case SIM_THROUGH:
        sim_neck_lead(d->pipe >= 0 ? w->necks[d->pipe] : NULL, a, b);
        return OM_OK;
    case SIM_MEASURE:
        do_measure(w, d);
        return OM_OK;
    case SIM_RECORD:
        sim_record(a, b);
        return OM_OK;
    case SIM_REPLAY:
        return do_replay(w, d);
    case SIM_JUNK:
        return do_junk(w, d);
    case SIM_LAN:
        sim_plug(a, (unsigned)d->lan);
        return OM_OK;
    case SIM_FLUSH:
        do_flush(w->routers[d->nat - 1], d->is_moved);
        return OM_OK;
    case SIM_VERB_COUNT:
        break;
    }
    return OM_E_STATE;
}
