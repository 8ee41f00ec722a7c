/* link_dns_tcp.c - questions about names over TCP: one after the other on each connection. */
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "links/parts.h"
#include "netstack/dns/message.h"
#include "tunnels/dns.h"

enum { FRAME = 2 };

struct stream {
    struct om_link link;
    struct link *of;
    uint32_t flow;
    struct dns_ask *ask;
    om_time until; /* when it has been idle for too long */
    uint8_t in[FRAME + OM_DNS_QUERY_MAX];
    size_t in_n;
    uint8_t *out; /* owned: an answer that was not all written yet */
    size_t out_n, out_done;
};

static void close_stream(struct stream *s, bool is_abort)
{
    struct link *l = s->of;

    if (s->ask)
        tunnel_dns_cancel(s->ask);
    om_flow_close(l->links->stack, om_clock_now(), s->flow, is_abort);
    links_touch(l->links);
    om_list_remove(&s->link);
    l->stream_count--;
    free(s->out);
    free(s);
}

static void is_alive(struct stream *s, om_time now)
{
    s->until = now + OM_MS(DNS_TCP_IDLE_MS);
}

/* False: what was written waits, for OM_FLOW_WRITABLE. */
static bool write_out(struct stream *s, om_time now)
{
    if (!s->out)
        return true;
    s->out_done += om_flow_write(s->of->links->stack, now, s->flow,
                                 om_bytes(s->out + s->out_done, s->out_n - s->out_done));
    if (s->out_done < s->out_n)
        return false;
    free(s->out);
    s->out = NULL;
    is_alive(s, now);
    return true;
}

static void go_on(struct stream *s, om_time now);

static void on_told(void *self, struct om_bytes answer, const char *why)
{
    struct stream *s = self;

    s->ask = NULL;
    if (why)
        link_fail(s->of, why);
    s->out = malloc(FRAME + answer.n);
    if (!s->out) {
        close_stream(s, true);
        return;
    }
    struct om_wr w = om_wr(om_mut(s->out, FRAME + answer.n));
    om_wr_u16(&w, (uint16_t)answer.n);
    om_wr_copy(&w, answer.p, answer.n);
    s->out_n = om_wr_len(&w);
    s->out_done = 0;
    links_touch(s->of->links);
    go_on(s, om_clock_now());
}

/* Bytes that are missing of the question that begins @s->in; 0: it is whole. */
static size_t missing(const struct stream *s)
{
    struct om_rd r = om_rd(om_bytes(s->in, s->in_n));
    size_t n = om_rd_u16(&r);

    if (s->in_n < FRAME)
        return FRAME - s->in_n;
    return FRAME + n - s->in_n;
}

/* One question at a time; behind it nothing is read, and the window closes. */
static void go_on(struct stream *s, om_time now)
{
    struct om_stack *stack = s->of->links->stack;
    struct dns_place where;
    bool is_end = false;
    size_t want;

    if (s->ask || !write_out(s, now))
        return;
    while ((want = missing(s)) > 0) {
        struct om_bytes b = om_flow_read(stack, s->flow, &is_end);
        if (s->in_n + want > sizeof s->in) {
            close_stream(s, true);
            return;
        }
        if (b.n == 0) {
            if (is_end)
                close_stream(s, s->in_n > 0);
            return;
        }
        size_t n = b.n < want ? b.n : want;
        memcpy(s->in + s->in_n, b.p, n);
        s->in_n += n;
        om_flow_consume(stack, now, s->flow, n);
    }
    link_dns_place(s->of, &where);
    s->ask = tunnel_dns_ask(s->of->links->d->tunnels, &where,
                            om_bytes(s->in + FRAME, s->in_n - FRAME), on_told, s);
    s->in_n = 0;
    is_alive(s, now);
    if (!s->ask)
        close_stream(s, true);
}

void link_dns_ask(struct link *l, om_time now, uint32_t ask)
{
    struct stream *s = l->stream_count < LINK_DNS_TCP_MAX ? calloc(1, sizeof *s) : NULL;

    if (!s || om_stack_accept(l->links->stack, now, ask, &s->flow) != OM_OK) {
        free(s);
        om_stack_refuse(l->links->stack, now, ask, OM_REFUSE_RST);
        return;
    }
    s->of = l;
    is_alive(s, now);
    om_list_push_back(&l->streams, &s->link);
    l->stream_count++;
}

void link_dns_news(struct link *l, om_time now, const struct om_stack_act *act)
{
    for (struct om_link *k = om_list_first(&l->streams); k; k = om_list_next(&l->streams, k)) {
        struct stream *s = OM_CONTAINER_OF(k, struct stream, link);
        if (s->flow != act->flow)
            continue;
        if (act->news & (OM_FLOW_RESET | OM_FLOW_TIMEOUT | OM_FLOW_REFUSED | OM_FLOW_GONE))
            close_stream(s, true);
        else
            go_on(s, now);
        return;
    }
}

om_time link_dns_deadline(const struct link *l)
{
    om_time at = OM_NEVER;

    for (struct om_link *k = om_list_first(&l->streams); k; k = om_list_next(&l->streams, k))
        at = om_time_min(at, OM_CONTAINER_OF(k, struct stream, link)->until);
    return at;
}

void link_dns_tick(struct link *l, om_time now)
{
    for (struct om_link *k = om_list_first(&l->streams), *next; k; k = next) {
        struct stream *s = OM_CONTAINER_OF(k, struct stream, link);
        next = om_list_next(&l->streams, k);
        if (s->until <= now)
            close_stream(s, true);
    }
}

void link_dns_end_streams(struct link *l)
{
    for (struct om_link *k = om_list_first(&l->streams), *next; k; k = next) {
        next = om_list_next(&l->streams, k);
        close_stream(OM_CONTAINER_OF(k, struct stream, link), true);
    }
}
