/* node_later.c - PINGs that are to be answered after a while: who asked, from where, and when. */
#include <stdlib.h>

#include "node/keep.h"
#include "node/sockets.h"

struct node_later {
    struct om_peer *peer;
    struct om_via via; /* where the question came from, and the answer goes */
    uint64_t token;
    om_time asked, due;
};

/* Over @via, behind a PUNCH probe if @is_aside, so that the asker does not take it for a way. */
static void answer_over(struct om_node *n, om_time now, const struct node_later *l,
                        const struct om_via *via, bool is_aside)
{
    struct om_peer *p = l->peer;
    struct om_session *s = om_peer_session(p, now);
    struct om_frame_pong pong = {.token = l->token,
                                 .held_us = (uint32_t)((now - l->asked) / OM_US(1)),
                                 .seen = l->via.remote};
    struct om_buf *b = s ? node_plain(n) : NULL;

    if (!s) {
        node_drop(n, OM_DROP_PING_LATER);
        return;
    }
    if (b) {
        size_t size = is_aside ? OM_PONG_ASIDE_SIZE : OM_PONG_SIZE;
        struct om_wr w = om_wr(om_mut(om_buf_put(b, size), size));
        if (is_aside)
            om_frame_write_punch(&w, &(struct om_frame_punch){.step = OM_PUNCH_PROBE});
        om_frame_write_pong(&w, &pong);
    }
    node_send_over(n, now, p, s, b, via);
}

static void answer(struct om_node *n, om_time now, const struct node_later *l)
{
    answer_over(n, now, l, &l->via, false);
}

/* From a socket opened for it; from where it was asked says that there is none to be had. */
static void answer_elsewhere(struct om_node *n, om_time now, const struct node_later *l)
{
    bool may = om_bucket_take(&n->laters.elsewhere, now, 1);
    struct om_via via = {.remote = l->via.remote, .socket = may ? node_sockets_open(n, 1) : 0};

    if (via.socket == 0) {
        answer(n, now, l);
        return;
    }
    answer_over(n, now, l, &via, true);
    node_sockets_close(n, via.socket, 1, 0); /* after what waits to leave by it */
}

static void rearm(struct om_node *n)
{
    struct node_laters *t = &n->laters;
    om_time at = OM_NEVER;

    for (unsigned i = 0; i < t->count; i++)
        at = om_time_min(at, t->all[i].due);
    if (at == OM_NEVER)
        om_timer_stop(&n->timers, &t->timer);
    else if (om_timer_arm(&n->timers, &t->timer, at) != OM_OK)
        node_drop(n, OM_DROP_MEMORY);
}

static void fire(struct om_timer *timer, om_time now)
{
    struct om_node *n = OM_CONTAINER_OF(timer, struct om_node, laters.timer);
    struct node_laters *t = &n->laters;

    for (unsigned i = t->count; i-- > 0;) {
        struct node_later due = t->all[i];
        if (due.due > now)
            continue;
        t->all[i] = t->all[--t->count];
        answer(n, now, &due);
    }
    rearm(n);
}

/* The place of one more for @p; NULL when there is none. */
static struct node_later *add(struct node_laters *t, const struct om_peer *p)
{
    unsigned owed = 0;

    if (!t->all)
        t->all = calloc(OM_LATERS_MAX, sizeof *t->all);
    if (!t->all || t->count == OM_LATERS_MAX)
        return NULL;
    for (unsigned i = 0; i < t->count; i++)
        owed += t->all[i].peer == p;
    return owed < OM_LATERS_PER_PEER ? &t->all[t->count++] : NULL;
}

void node_later_on_ping(struct om_node *n, om_time now, struct om_peer *p, const struct om_via *via,
                        size_t bytes, const struct om_frame_ping_later *f)
{
    const struct node_later l = {
        .peer = p, .via = *via, .token = f->token, .asked = now, .due = now + OM_SEC(f->seconds)};
    bool is_elsewhere = f->seconds == OM_PING_ELSEWHERE;
    size_t least = is_elsewhere ? OM_PONG_ASIDE_SIZE : OM_PONG_SIZE;
    struct node_later *place;

    if (via->lane != 0 || bytes < least || (f->seconds > OM_PING_LATER_MAX_S && !is_elsewhere) ||
        !om_bucket_take(&p->assoc->pongs, now, 1)) {
        node_drop(n, OM_DROP_PING_LATER);
        return;
    }
    if (is_elsewhere) {
        answer_elsewhere(n, now, &l);
        return;
    }
    if (f->seconds == 0) {
        answer(n, now, &l);
        return;
    }
    place = add(&n->laters, p);
    if (!place) {
        node_drop(n, OM_DROP_PING_LATER);
        return;
    }
    *place = l;
    rearm(n);
}

void node_later_forget(struct om_node *n, const struct om_peer *p)
{
    struct node_laters *t = &n->laters;
    unsigned had = t->count;

    for (unsigned i = t->count; i-- > 0;)
        if (t->all[i].peer == p)
            t->all[i] = t->all[--t->count];
    if (t->count != had)
        rearm(n);
}

void node_later_start(struct om_node *n, om_time now)
{
    om_bucket_init(&n->laters.elsewhere, OM_ELSEWHERE_PER_S, OM_ELSEWHERE_PER_S, now);
    n->laters.timer.fire = fire;
}

void node_later_stop(struct om_node *n)
{
    om_timer_stop(&n->timers, &n->laters.timer);
    free(n->laters.all);
    n->laters = (struct node_laters){.all = NULL};
}
