/* link.c - one link: frames of a program to the stack, and back. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <omerta/text.h>

#include "host/clock.h"
#include "links/parts.h"

enum {
    SOCKET_BYTES = 1024 * 1024,
    /* Of a connection on their way into a machine. It is near, so more would only wait in it, in
     * memory that its emulated processor has not at hand: a quarter of what a byte costs. */
    MACHINE_BYTES = 128 * 1024
};

static size_t frame_max(const struct link *l)
{
    return l->config.mtu + (l->config.kind == OM_PORT_ETHER ? (size_t)LINK_ETHER_HEAD : 0);
}

static enum om_err add_port(struct link *l)
{
    const struct link_config *c = &l->config;
    struct om_port_config port = {.kind = c->kind,
                                  .mtu = c->mtu,
                                  .v4_prefix = c->sides.v4_prefix,
                                  .has_v4 = c->sides.has_v4,
                                  .has_v6 = c->sides.has_v6,
                                  .v4 = c->sides.here,
                                  .v6 = c->sides.here6,
                                  .is_catch_all = true,
                                  .has_checksums = true,
                                  .is_checked = true, /* by the gate */
                                  .send_max = c->is_machine ? MACHINE_BYTES : 0,
                                  .flows_max = LINK_TCP_MAX + LINK_INWARD_MAX + LINK_DNS_TCP_MAX};

    memcpy(port.mac, c->here_mac, sizeof port.mac);
    return om_stack_port_add(l->links->stack, &port, &l->port);
}

static void free_link(struct link *l)
{
    link_gate_free(l->gate);
    link_dhcp_free(l->dhcp);
    link_account_fini(&l->account);
    link_rate_fini(&l->rate);
    om_table_fini(&l->udp_by_key);
    free(l->in);
    free(l->out);
    free(l->busy);
    free(l->socket);
    free(l);
}

enum om_err link_new(struct link **out, struct links *s, const struct link_config *config)
{
    struct link *l = calloc(1, sizeof *l);
    uint8_t key[OM_SIP_KEY];

    if (!l)
        return OM_E_NO_MEM;
    l->links = s;
    l->config = *config;
    om_list_init(&l->tcps);
    om_list_init(&l->udps);
    om_list_init(&l->questions);
    om_list_init(&l->streams);
    om_list_init(&l->taps);
    l->heard_at = l->write_at = l->rest_until = OM_NEVER;
    randombytes_buf(key, sizeof key);
    link_account_init(&l->account, config->gate == LINK_GATE_SAMPLED ? LINK_SAMPLE : 1,
                      config->kind == OM_PORT_ETHER, key);
    link_rate_init(&l->rate, config->rate, om_clock_now());
    OM_BUG_IF(om_table_init(&l->udp_by_key, LINK_UDP_KEY, LINK_UDP_MAX, key) != OM_OK);
    l->in = malloc(LINK_IN);
    enum om_err e = l->in ? link_gate_new(&l->gate, config, om_clock_now(), key) : OM_E_NO_MEM;
    if (e == OM_OK && config->has_dhcp)
        e = link_dhcp_new(&l->dhcp, config, om_clock_now());
    if (e == OM_OK)
        e = add_port(l);
    if (e == OM_OK)
        *out = l;
    else
        free_link(l);
    return e;
}

static void on_closed(uv_handle_t *h)
{
    free_link(h->data);
}

void link_add_up(const struct link *l, struct links_totals *t)
{
    const struct link_counts *c = &l->counts;

    t->counts.frames_in += c->frames_in;
    t->counts.frames_out += c->frames_out;
    t->counts.bytes_in += c->bytes_in;
    t->counts.bytes_out += c->bytes_out;
    t->counts.out_full += c->out_full;
    t->counts.opened += c->opened;
    t->counts.refused += c->refused;
    t->counts.inward += c->inward;
    t->counts.inward_refused += c->inward_refused;
    t->counts.unroutable += c->unroutable;
    t->counts.udp_dropped += c->udp_dropped;
    t->counts.held += c->held;
    t->counts.joined += c->joined;
    t->counts.captured += c->captured;
    t->counts.capture_lost += c->capture_lost;
    for (unsigned r = 0; r < link_gate_reasons(); r++)
        t->dropped[r] += link_gate_refused(l->gate, r);
}

const char *link_machine(const struct link *l)
{
    return l->config.is_machine ? l->config.name : "";
}

void link_end(struct link *l)
{
    if (l->is_over)
        return;
    l->is_over = true;
    link_tap_end(&l->taps);
    link_kept_close(&l->kept); /* first: the resets that follow never leave */
    for (struct om_link *c = om_list_first(&l->tcps), *next; c; c = next) {
        next = om_list_next(&l->tcps, c);
        struct link_tcp *k = OM_CONTAINER_OF(c, struct link_tcp, link);
        if (k->is_knocking)
            link_open_refuse(k, OM_DIAL_UNREACHABLE);
        else
            link_tcp_drop(k);
    }
    for (struct om_link *u = om_list_first(&l->udps), *next; u; u = next) {
        next = om_list_next(&l->udps, u);
        link_udp_drop(OM_CONTAINER_OF(u, struct link_udp, link));
    }
    link_dns_end(l);
    link_dns_end_streams(l);
    om_stack_port_remove(l->links->stack, l->port);
    links_touch(l->links);
    link_add_up(l, &l->links->past);
    om_list_remove(&l->link);
    l->links->count--;
    if (l->on_end)
        l->on_end(l->self);
    if (l->socket)
        uv_close(&l->socket->handle, on_closed);
    else
        free_link(l);
}

void link_fail(struct link *l, const char *why)
{
    l->counts.refused++;
    (void)om_text_escape(l->last_error, sizeof l->last_error, om_bytes(why, strlen(why)));
}

/* Once for each level: whoever runs this daemon must hear of a machine that scans or forges. */
static void tell_alarm(const struct link *l, om_time now)
{
    enum om_rogue_level level = link_gate_alarm(l->gate);
    struct links *s = l->links;
    struct om_logline line;

    if (level == OM_ROGUE_NONE)
        return;
    if (om_log_begin(&line, &s->d->log, OM_LOG_WARN, "link", "many packets that may not pass")) {
        om_log_u64(&line, "id", l->number);
        om_log_u64(&line, "rogue_score", link_gate_score(l->gate, now));
        om_log_end(&line);
    }
    if (s->on_alarm)
        s->on_alarm(s->self, l->number, level);
}

void link_look(struct link *l, om_time now, enum link_way way, struct om_bytes frame)
{
    if (!link_account_count(&l->account, now, way, frame) || om_list_is_empty(&l->taps))
        return;
    l->counts.captured++;
    l->counts.capture_lost += link_tap_frame(&l->taps, now, frame);
}

/* What the card asks of the link itself never gets to the stack. */
static void take(struct link *l, om_time now, struct om_bytes frame)
{
    uint8_t room[LINK_DHCP_FRAME];
    struct om_bytes answer;

    if (!l->dhcp || !link_dhcp_input(l->dhcp, now, frame, om_mut(room, sizeof room), &answer))
        om_stack_input(l->links->stack, now, l->port, frame);
    else if (answer.n > 0)
        link_put(l, now, answer);
}

static bool read_on(struct link *l, om_time now);
static bool catch_up(struct link *l, om_time now);
static bool wake(struct link *l, om_time now);

void link_tick(struct link *l, om_time now)
{
    uint8_t room[LINK_DHCP_FRAME];

    if (link_gate_deadline(l->gate) <= now)
        link_gate_tick(l->gate, now);
    link_dns_tick(l, now);
    if (l->write_at <= now)
        l->write_at = OM_NEVER; /* all links are flushed after their ticks */
    if (l->is_yielding && !l->is_behind)
        l->is_held = true; /* so that it is read from again */
    l->is_yielding = false;
    if (!catch_up(l, now) || (l->is_held && !l->is_behind && l->socket && !read_on(l, now)) ||
        !wake(l, now)) {
        link_end(l);
        return;
    }
    if (!l->dhcp)
        return;
    struct om_bytes frame = link_dhcp_tick(l->dhcp, now, om_mut(room, sizeof room));
    if (frame.n > 0)
        link_put(l, now, frame);
}

om_time link_deadline(const struct link *l)
{
    om_time at = om_time_min(link_gate_deadline(l->gate), link_dns_deadline(l));
    om_time now = om_clock_now();

    at = om_time_min(at, l->rest_until);
    at = om_time_min(at, om_time_min(l->write_at, link_rate_when(&l->rate, now, LINK_SENT)));
    at = om_time_min(at, link_rate_when(&l->rate, now, LINK_GOT));
    at = l->is_yielding ? 0 : at; /* at once */
    return l->dhcp ? om_time_min(at, link_dhcp_deadline(l->dhcp)) : at;
}

/* A frame of @n bytes, more than fit: a guest that sends one loses it, and not its card. */
static bool refuse_long(struct link *l, om_time now, size_t n)
{
    if (l->config.kind != OM_PORT_ETHER || n > LINK_FRAME_MAX)
        return false;
    l->counts.frames_in++;
    l->counts.bytes_in += n;
    link_gate_too_long(l->gate, now);
    l->skip = n;
    return true;
}

static void skip(struct link *l, struct om_rd *r)
{
    size_t n = l->skip < om_rd_left(r) ? l->skip : om_rd_left(r);

    (void)om_rd_bytes(r, n);
    l->skip -= n;
}

/* Cuts a turn's frames out of what was read; false when where the next one begins nobody knows. */
static bool cut(struct link *l, om_time now)
{
    struct om_rd r = om_rd(om_bytes(l->in, l->in_n));
    const size_t max = frame_max(l);
    unsigned frames = 0;

    skip(l, &r);
    l->is_behind = false;
    while (om_rd_left(&r) >= LINK_HEAD && !l->is_behind) {
        struct om_rd ahead = r;
        size_t n = om_rd_u32(&ahead);
        if (n == 0 || (n > max && !refuse_long(l, now, n)))
            return false;
        if (n > max) {
            r = ahead;
            skip(l, &r);
            continue;
        }
        if (om_rd_left(&ahead) < n)
            break;
        struct om_bytes frame = om_rd_bytes(&ahead, n);
        r = ahead;
        l->counts.frames_in++;
        l->counts.bytes_in += n;
        link_look(l, now, LINK_SENT, frame);
        if (!links_take_kept(l, now, frame) && link_gate_passes(l->gate, now, frame))
            take(l, now, frame);
        l->is_behind = ++frames == LINK_TURN;
    }
    size_t left = om_rd_left(&r);
    memmove(l->in, l->in + l->in_n - left, left);
    l->in_n = left;
    tell_alarm(l, now);
    return true;
}

static void on_alloc(uv_handle_t *h, size_t hint OM_UNUSED, uv_buf_t *buf)
{
    struct link *l = h->data;

    *buf = uv_buf_init((char *)l->in + l->in_n, (unsigned)l->grant);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

/* Read on as far as the rate lets us; false: it cannot be read from. What has to wait does so in
 * the socket, and then in the machine's card. */
static bool read_on(struct link *l, om_time now)
{
    bool was_held = l->is_held;

    size_t room = LINK_IN - l->in_n;

    l->grant = link_rate_room(&l->rate, now, LINK_SENT, room < LINK_READ ? room : LINK_READ);
    l->is_held = l->grant == 0;
    if (l->is_held && !was_held) {
        l->counts.held++;
        (void)uv_read_stop(&l->socket->stream);
        links_touch(l->links);
    }
    return l->is_held || !was_held || uv_read_start(&l->socket->stream, on_alloc, on_read) == 0;
}

static void yield(struct link *l);

/* What was read is dealt with: on at once, or when there is more of it. */
static void rest(struct link *l, om_time now, size_t n, bool is_more)
{
    const struct link_waste waste = {.frames = link_gate_refused_all(l->gate) +
                                               l->counts.udp_dropped + l->put_off,
                                     .calls = l->counts.refused};
    om_time at = link_pace_read(&l->pace, now, n, waste);

    if (l->is_over || (l->is_held && !l->is_behind))
        return;
    if ((is_more || l->is_behind) && (at == OM_NEVER || at <= now + OM_MS(LINK_PACE_MS))) {
        yield(l);
    } else if (at != OM_NEVER) {
        (void)uv_read_stop(&l->socket->stream);
        l->rest_until = at;
    }
}

/* The others had their turn, and now @l has one with what it read before; then it is read on. */
static bool catch_up(struct link *l, om_time now)
{
    if (!l->is_behind || (l->rest_until != OM_NEVER && l->rest_until > now))
        return true;
    l->rest_until = OM_NEVER;
    if (!cut(l, now))
        return false;
    rest(l, now, 0, false);
    l->is_held = l->is_held || (!l->is_yielding && l->rest_until == OM_NEVER);
    return true;
}

/* The moment is over; false: it cannot be read from. */
static bool wake(struct link *l, om_time now)
{
    if (l->rest_until > now)
        return true;
    l->rest_until = OM_NEVER;
    return uv_read_start(&l->socket->stream, on_alloc, on_read) == 0;
}

/* There is more, and libuv would go on with it: peers' packets come between. */
static void yield(struct link *l)
{
    l->is_yielding = true;
    (void)uv_read_stop(&l->socket->stream);
    links_touch(l->links);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct link *l = stream->data;
    struct links *s = l->links;
    om_time now = om_clock_now();

    if (n > 0) {
        l->in_n += (size_t)n;
        link_rate_took(&l->rate, now, LINK_SENT, (size_t)n);
    }
    if (n < 0 || (n > 0 && (!cut(l, now) || !read_on(l, now))))
        link_end(l);
    else if (n > 0)
        rest(l, now, (size_t)n, (size_t)n == buf->len);
    links_drain(s, now);
}

void link_start(struct link *l, struct om_socket *socket, struct om_bytes rest)
{
    int bytes = SOCKET_BYTES;
    om_time now = om_clock_now();

    if (!socket) {
        link_end(l);
        return;
    }
    l->socket = socket;
    socket->handle.data = l;
    (void)uv_send_buffer_size(&socket->handle, &bytes);
    OM_BUG_IF(rest.n > LINK_IN);
    if (rest.n > 0) /* else there may be no bytes to point to */
        memcpy(l->in, rest.p, rest.n);
    l->in_n = rest.n;
    l->is_held = true; /* nothing is read yet */
    if (!cut(l, now) || !read_on(l, now))
        link_end(l);
    else
        yield(l);
}
