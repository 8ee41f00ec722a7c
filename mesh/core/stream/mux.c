/* mux.c - streams come, go and are given credit. */
#include "stream/mux.h"

#include <stdlib.h>

#include "stream/mux_state.h"

enum { BUDGET_STREAMS = 16 }; /* whose first windows the windows of all may not eat into */

static void start(struct om_mux *m)
{
    /* Ids are consecutive, so nobody can choose them to collide. */
    static const uint8_t no_secret[OM_SIP_KEY];
    enum om_err e = om_table_init(&m->streams, sizeof(uint32_t), OM_STREAMS_KEPT_MAX, no_secret);

    OM_BUG_IF(e != OM_OK);
    m->our_next = m->we_are_lower ? 2 : 3;
    m->their_next = m->we_are_lower ? 3 : 2;
    om_credit_init(&m->credit, OM_SESSION_CREDIT, m->now);
    m->peer_credit = OM_SESSION_CREDIT;
    m->sent = m->highest = m->consumed = m->grown = 0;
    m->unfinished = m->receiving = m->ranges = m->turn = 0;
    m->wants_credit = false;
}

void om_mux_init(struct om_mux *m, bool we_are_lower, om_time now)
{
    *m = (struct om_mux){.we_are_lower = we_are_lower, .now = now};
    om_list_init(&m->control);
    for (unsigned p = 0; p < OM_PRIORITIES; p++) {
        om_list_init(&m->again[p]);
        om_list_init(&m->fresh[p]);
    }
    om_list_init(&m->news);
    om_list_init(&m->orphans);
    start(m);
}

static void unlink_all(struct om_stream *s)
{
    om_list_remove(&s->in_control);
    om_list_remove(&s->in_again);
    om_list_remove(&s->in_fresh);
}

static void free_stream(struct om_stream *s)
{
    unlink_all(s);
    om_list_remove(&s->in_news);
    om_send_fini(&s->send);
    om_receive_fini(&s->receive);
    free(s);
}

void om_mux_fini(struct om_mux *m)
{
    struct om_link *link, *next;
    size_t at = 0;
    void *s;

    while (om_table_next(&m->streams, &at, NULL, &s))
        free_stream(s);
    om_table_fini(&m->streams);
    for (link = om_list_first(&m->orphans); link; link = next) {
        next = om_list_next(&m->orphans, link);
        free_stream(OM_CONTAINER_OF(link, struct om_stream, in_control));
    }
}

struct om_stream *mux_make(struct om_mux *m, uint32_t id, bool is_ours)
{
    struct om_stream *s = calloc(1, sizeof *s);

    if (!s || om_table_put(&m->streams, &id, s) != OM_OK) {
        free(s);
        return NULL;
    }
    s->id = id;
    s->priority = OM_NORMAL;
    s->is_ours = is_ours;
    s->is_announced = is_ours;
    s->is_receiving = !is_ours;
    om_credit_init(&s->credit, OM_STREAM_CREDIT, m->now);
    om_send_init(&s->send, OM_STREAM_CREDIT);
    om_receive_init(&s->receive);
    m->unfinished++;
    m->receiving += s->is_receiving;
    return s;
}

enum om_err om_mux_open(struct om_mux *m, enum om_priority p, struct om_stream **out)
{
    if (m->unfinished >= OM_STREAMS_MAX || om_table_count(&m->streams) >= OM_STREAMS_KEPT_MAX ||
        m->our_next == 0)
        return OM_E_FULL;
    *out = mux_make(m, m->our_next, true);
    if (!*out)
        return OM_E_NO_MEM;
    (*out)->priority = (uint8_t)p;
    m->our_next = m->our_next <= UINT32_MAX - 2 ? m->our_next + 2 : 0;
    return OM_OK;
}

struct om_stream *om_mux_find(const struct om_mux *m, uint32_t id)
{
    return om_table_find(&m->streams, &id);
}

void mux_tell(struct om_mux *m, struct om_stream *s, unsigned bits)
{
    if (s->is_forgotten || bits == 0)
        return;
    s->pending |= (uint8_t)bits;
    if (!om_link_is_linked(&s->in_news))
        om_list_push_back(&m->news, &s->in_news);
}

struct om_stream *om_mux_news(struct om_mux *m, unsigned *bits)
{
    struct om_link *link = om_list_first(&m->news);

    if (!link)
        return NULL;
    struct om_stream *s = OM_CONTAINER_OF(link, struct om_stream, in_news);
    om_list_remove(link);
    *bits = s->pending;
    s->pending = 0;
    return s;
}

static void keep_in(struct om_list *list, struct om_link *link, bool wanted)
{
    if (!wanted)
        om_list_remove(link);
    else if (!om_link_is_linked(link))
        om_list_push_back(list, link);
}

void mux_schedule(struct om_mux *m, struct om_stream *s)
{
    keep_in(&m->again[s->priority], &s->in_again, om_send_has_again(&s->send));
    keep_in(&m->fresh[s->priority], &s->in_fresh, om_send_has_fresh(&s->send));
}

void mux_control(struct om_mux *m, struct om_stream *s)
{
    keep_in(&m->control, &s->in_control, s->wants_credit || s->wants_reset || s->wants_stop);
}

void mux_settle(struct om_mux *m, struct om_stream *s)
{
    if (om_receive_is_complete(&s->receive)) {
        m->receiving -= s->is_receiving;
        s->is_receiving = s->wants_stop = s->wants_credit = false;
        mux_control(m, s);
    }
    if (!s->is_done && om_send_is_done(&s->send) && om_receive_is_done(&s->receive)) {
        s->is_done = true;
        unlink_all(s);
        m->unfinished--;
        m->grown -= s->credit.window - OM_STREAM_CREDIT;
        mux_tell(m, s, OM_NEWS_DONE);
    }
    if (s->is_done && s->is_forgotten) {
        (void)om_table_remove(&m->streams, &s->id);
        m->recent = NULL;
        free_stream(s);
    }
}

void mux_give_up(struct om_mux *m, struct om_stream *s, uint32_t code)
{
    om_send_reset(&s->send, code);
    s->wants_reset = true;
    if (s->released != s->send.acked)
        mux_tell(m, s, OM_NEWS_RELEASED);
    s->released = s->send.acked;
    mux_schedule(m, s);
    mux_control(m, s);
}

/* Half of what could be free is: so that few updates are sent, and none too late. */
static void grant_session(struct om_mux *m)
{
    uint64_t unread = m->highest - m->consumed;
    uint64_t spared = unread < OM_CREDIT_MAX ? unread : OM_CREDIT_MAX;
    uint64_t next = m->consumed + spared + m->credit.window;

    if (next <= m->credit.granted || next - m->credit.granted < (next - m->highest) / 2)
        return;
    m->credit.granted = next;
    m->wants_credit = true;
}

/* How far the window of @s may grow. */
static uint64_t most_window(const struct om_mux *m, const struct om_stream *s)
{
    uint64_t firsts = m->unfinished < BUDGET_STREAMS ? m->unfinished : BUDGET_STREAMS;
    uint64_t budget = OM_CREDIT_MAX - firsts * OM_STREAM_CREDIT;
    uint64_t left = budget > m->grown ? budget - m->grown : 0;

    return s->credit.window + left;
}

static void grant_stream(struct om_mux *m, struct om_stream *s)
{
    struct om_credit *c = &s->credit;
    uint64_t grew, wide;

    if (s->receive.final != OM_RECEIVE_UNKNOWN || s->receive.is_stopped)
        return;
    grew = om_credit_used(c, m->now, m->rtt, s->receive.consumed, most_window(m, s));
    m->grown += grew;
    wide = c->window + c->window / 2;
    if (grew > 0 && m->credit.window < wide)
        m->credit.window = wide < OM_CREDIT_MAX ? wide : OM_CREDIT_MAX;
    if (s->receive.consumed + c->window - c->granted < c->window / 2)
        return;
    c->granted = s->receive.consumed + c->window;
    s->wants_credit = true;
    mux_control(m, s);
}

struct mux_tally mux_tally(const struct om_stream *s)
{
    return (struct mux_tally){s->receive.highest, s->receive.consumed,
                              om_ranges_count(&s->receive.above)};
}

void mux_account(struct om_mux *m, struct om_stream *s, const struct mux_tally *before)
{
    struct mux_tally after = mux_tally(s);

    if (before->highest == 0 && after.highest > 0)
        om_credit_restart(&s->credit, m->now); /* it may have been open for long */
    m->highest += after.highest - before->highest;
    m->consumed += after.consumed - before->consumed;
    m->ranges += after.ranges;
    m->ranges -= before->ranges;
    if (after.consumed != before->consumed) {
        grant_stream(m, s);
        (void)om_credit_used(&m->credit, m->now, m->rtt, m->consumed, OM_CREDIT_MAX);
    }
    if (after.consumed != before->consumed || after.highest != before->highest)
        grant_session(m);
}

/* @s lives on outside the table, only to be forgotten. */
static void make_orphan(struct om_mux *m, struct om_stream *s)
{
    unsigned news = OM_NEWS_RESET | OM_NEWS_STOPPED | OM_NEWS_DONE;

    if (s->is_forgotten || !s->is_announced) {
        free_stream(s);
        return;
    }
    unlink_all(s);
    s->is_orphan = true;
    om_list_push_back(&m->orphans, &s->in_control);
    if (s->is_done)
        return;
    s->is_done = true;
    om_send_reset(&s->send, OM_CLOSE_RESTARTED);
    if (s->released != s->send.acked)
        news |= OM_NEWS_RELEASED;
    s->released = s->send.acked;
    om_receive_stop(&s->receive);
    s->receive.is_reset = true;
    s->receive.final = s->receive.highest;
    s->pending &= (uint8_t)~OM_NEWS_READABLE;
    s->reset_code = s->stop_code = OM_CLOSE_RESTARTED;
    mux_tell(m, s, news);
}

void om_mux_restart(struct om_mux *m)
{
    size_t at = 0;
    void *s;

    while (om_table_next(&m->streams, &at, NULL, &s))
        make_orphan(m, s);
    om_table_fini(&m->streams);
    m->recent = NULL;
    start(m);
}

enum om_err om_stream_write(struct om_mux *m, struct om_stream *s, struct om_bytes data)
{
    enum om_err e = om_send_write(&s->send, data);

    mux_schedule(m, s);
    return e;
}

enum om_err om_stream_finish(struct om_mux *m, struct om_stream *s)
{
    if (s->send.is_reset)
        return OM_E_STATE;
    om_send_finish(&s->send);
    mux_schedule(m, s);
    return OM_OK;
}

void om_stream_reset(struct om_mux *m, struct om_stream *s, uint32_t code)
{
    if (!s->is_orphan && !s->send.is_reset && !om_send_is_done(&s->send))
        mux_give_up(m, s, code);
}

void om_stream_reset_after(struct om_mux *m, struct om_stream *s, uint32_t code, uint64_t keep)
{
    if (s->send.acked >= keep) {
        om_stream_reset(m, s, code);
        return;
    }
    if (s->is_orphan || s->send.is_reset)
        return;
    om_send_reset_after(&s->send, code, keep);
    mux_schedule(m, s);
}

/* Whether that finishes @s is for the caller to find out. */
static void refuse(struct om_mux *m, struct om_stream *s, uint32_t code)
{
    struct mux_tally before = mux_tally(s);

    if (s->is_orphan || s->receive.is_stopped || om_receive_is_done(&s->receive))
        return;
    s->wants_stop = !om_receive_is_complete(&s->receive);
    s->wants_credit = false;
    s->our_stop_code = code;
    om_receive_stop(&s->receive);
    s->pending &= (uint8_t)~OM_NEWS_READABLE;
    mux_control(m, s);
    mux_account(m, s, &before);
}

void om_stream_stop(struct om_mux *m, struct om_stream *s, uint32_t code)
{
    refuse(m, s, code);
    if (!s->is_orphan)
        mux_settle(m, s);
}

void om_stream_set_priority(struct om_mux *m, struct om_stream *s, enum om_priority p)
{
    om_list_remove(&s->in_again);
    om_list_remove(&s->in_fresh);
    s->priority = (uint8_t)p;
    mux_schedule(m, s);
}

struct om_bytes om_stream_peek(const struct om_stream *s)
{
    return om_receive_peek(&s->receive);
}

void om_stream_is_secret(struct om_stream *s)
{
    s->receive.is_secret = true;
}

unsigned om_stream_pieces(const struct om_stream *s, struct om_bytes *out, unsigned max)
{
    return om_receive_pieces(&s->receive, out, max);
}

void om_stream_consume(struct om_mux *m, struct om_stream *s, om_time now, size_t n)
{
    struct mux_tally before = mux_tally(s);

    if (n == 0)
        return;
    m->now = now;
    om_receive_consume(&s->receive, n);
    mux_account(m, s, &before);
    mux_settle(m, s);
}

bool om_stream_at_end(const struct om_stream *s)
{
    return om_receive_is_at_end(&s->receive);
}

void om_stream_forget(struct om_mux *m, struct om_stream *s)
{
    s->is_forgotten = true;
    om_list_remove(&s->in_news);
    if (s->is_orphan) {
        free_stream(s);
        return;
    }
    if (!s->send.is_finished || s->send.acked < s->send.written)
        om_stream_reset(m, s, OM_CLOSE_CANCELLED);
    refuse(m, s, OM_CLOSE_CANCELLED);
    mux_settle(m, s);
}
