/* link.c - one link: frames of a program to the stack, and back. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <omerta/text.h>

#include "host/clock.h"
#include "links/link_ack.h"
#include "links/parts.h"

enum {
    SOCKET_BYTES = 1024 * 1024,
    OUT_SMALL = 64 * 1024,
    RATE_PART = 4,
    FULL_MS = 5,
    ROOM_PART = 8,
    ROOM_MIN = 16 * 1024,
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

/* What is looked at of the link's frames. */
static void look(struct link *l, om_time now, enum link_way way, struct om_bytes frame)
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
static bool wake(struct link *l, om_time now);

void link_tick(struct link *l, om_time now)
{
    uint8_t room[LINK_DHCP_FRAME];

    if (link_gate_deadline(l->gate) <= now)
        link_gate_tick(l->gate, now);
    link_dns_tick(l, now);
    if (l->write_at <= now)
        l->write_at = OM_NEVER; /* all links are flushed after their ticks */
    if (l->is_yielding)
        l->is_held = true; /* so that it is read from again */
    l->is_yielding = false;
    if ((l->is_held && l->socket && !read_on(l, now)) || !wake(l, now)) {
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

/* Cuts frames out of what was read; false when where the next one begins nobody knows. */
static bool cut(struct link *l, om_time now)
{
    struct om_rd r = om_rd(om_bytes(l->in, l->in_n));
    const size_t max = frame_max(l);

    skip(l, &r);

    while (om_rd_left(&r) >= LINK_HEAD) {
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
        look(l, now, LINK_SENT, frame);
        if (!links_take_kept(l, now, frame) && link_gate_passes(l->gate, now, frame))
            take(l, now, frame);
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
    uint64_t waste = link_gate_refused_all(l->gate) + l->counts.refused + l->counts.udp_dropped;
    om_time at = link_pace_read(&l->pace, now, n, l->counts.frames_in, waste);

    if (l->is_over || l->is_held)
        return;
    if (is_more && (at == OM_NEVER || at <= now + OM_MS(LINK_PACE_MS))) {
        yield(l);
    } else if (at != OM_NEVER) {
        (void)uv_read_stop(&l->socket->stream);
        l->rest_until = at;
    }
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
        links_touch(l->links);
}

static size_t room_max(const struct link *l)
{
    size_t part = l->config.rate / ROOM_PART;

    return part > ROOM_MIN ? part : ROOM_MIN;
}

size_t link_room(const struct link *l)
{
    size_t used = l->out_n + l->filled;

    if (!l->rate.is_set)
        return SIZE_MAX;
    return used < room_max(l) ? room_max(l) - used : 0;
}

void link_fill(struct link *l, size_t n)
{
    l->filled += n;
    l->is_full = l->is_full || link_room(l) == 0;
}

/* Connections that found no room go on once half of it is there. */
static void pace(struct link *l, om_time now)
{
    l->filled = 0;
    if (!l->is_full || l->out_n > room_max(l) / 2)
        return;
    l->is_full = false;
    for (struct om_link *c = om_list_first(&l->tcps), *next; c; c = next) {
        next = om_list_next(&l->tcps, c);
        struct link_tcp *k = OM_CONTAINER_OF(c, struct link_tcp, link);
        if (k->flow && !k->is_knocking)
            link_tcp_news(k, now, OM_FLOW_WRITABLE);
    }
    links_touch(l->links);
}

/* What may wait for the program; of a link with a rate some 250 ms of it. */
static size_t out_max(const struct link *l)
{
    size_t part = l->config.rate / RATE_PART, least = (size_t)2 * LINK_BATCH;

    if (l->config.rate == 0 || part > LINK_OUT)
        return LINK_OUT;
    return part > least ? part : least;
}

/* Room for @n bytes more; false: there is none, or it is enough. */
static bool make_room(struct link *l, size_t n)
{
    size_t want = l->out_room ? l->out_room : OUT_SMALL;

    if (l->out_n + n <= l->out_room)
        return true;
    while (want < l->out_n + n)
        want *= 2;
    uint8_t *bigger = l->out_n + n <= out_max(l) && want <= LINK_OUT ? realloc(l->out, want) : NULL;
    if (!bigger)
        return false;
    l->out = bigger;
    l->out_room = want;
    return true;
}

/* Does @frame make the one before it needless? Then it has its place. Who looks on sees all. */
static bool join(struct link *l, struct om_bytes frame)
{
    bool is_ether = l->config.kind == OM_PORT_ETHER;

    if (!om_list_is_empty(&l->taps) || l->last_n == 0 ||
        !link_ack_follows(is_ether, om_bytes(l->out + l->last_at, l->last_n), frame))
        return false;
    memcpy(l->out + l->last_at, frame.p, frame.n);
    l->counts.joined++;
    return true;
}

void link_put(struct link *l, om_time now, struct om_bytes frame)
{
    if (join(l, frame))
        return;
    if (!make_room(l, LINK_HEAD + frame.n)) {
        l->counts.out_full++;
        return;
    }
    struct om_wr w = om_wr(om_mut(l->out + l->out_n, l->out_room - l->out_n));
    om_wr_u32(&w, (uint32_t)frame.n);
    om_wr_copy(&w, frame.p, frame.n);
    l->last_at = l->out_n + LINK_HEAD;
    l->last_n = frame.n;
    l->out_n += om_wr_len(&w);
    l->counts.frames_out++;
    l->counts.bytes_out += frame.n;
    look(l, now, LINK_GOT, frame);
    link_gate_answer(l->gate, now, frame);
    if (l->out_n >= LINK_BATCH)
        link_flush(l);
}

/* What a program that did not read made large does not stay so. */
static void shrink(uint8_t **buffer, size_t *room)
{
    if (*room <= (size_t)2 * LINK_BATCH)
        return;
    free(*buffer);
    *buffer = NULL;
    *room = 0;
}

static void on_written(uv_write_t *w, int status)
{
    struct link *l = w->data;

    l->is_writing = false;
    shrink(&l->busy, &l->busy_room);
    if (l->is_over)
        return;
    if (status < 0)
        link_end(l);
    else
        link_flush(l);
}

/* Libuv writes what the socket did not take, from the buffer that was filled until now. */
static void write_later(struct link *l, size_t from)
{
    uint8_t *free_one = l->busy;
    size_t free_room = l->busy_room;
    uv_buf_t v = uv_buf_init((char *)l->out + from, (unsigned)(l->out_n - from));

    l->write.data = l;
    if (uv_write(&l->write, &l->socket->stream, &v, 1, on_written) != 0) {
        l->out_n = 0; /* it has gone, and the next read tells */
        return;
    }
    l->is_writing = true;
    l->busy = l->out;
    l->busy_room = l->out_room;
    l->out = free_one;
    l->out_room = free_room;
    l->out_n = 0;
}

/* As much as the rate lets through; the rest waits for its turn, or for the socket. */
static void write_rated(struct link *l, om_time now)
{
    size_t room = 0, done = 0, taken = 0;

    while (done < l->out_n) {
        room = link_rate_room(&l->rate, now, LINK_GOT, l->out_n - done);
        uv_buf_t v = uv_buf_init((char *)l->out + done, (unsigned)room);
        int n = room > 0 ? uv_try_write(&l->socket->stream, &v, 1) : 0;
        taken = n > 0 ? (size_t)n : 0;
        link_rate_took(&l->rate, now, LINK_GOT, taken);
        done += taken;
        if (taken == 0 || taken < room)
            break;
    }
    memmove(l->out, l->out + done, l->out_n - done);
    l->out_n -= done;
    l->write_at = taken < room ? now + OM_MS(FULL_MS) : OM_NEVER;
    if (l->out_n == 0)
        shrink(&l->out, &l->out_room);
    pace(l, now);
}

void link_flush(struct link *l)
{
    if (l->is_writing || !l->socket || l->is_over)
        return;
    l->last_n = 0;
    if (l->rate.is_set && l->out_n + l->filled > 0) {
        write_rated(l, om_clock_now());
        return;
    }
    if (l->out_n == 0)
        return;
    uv_buf_t v = uv_buf_init((char *)l->out, (unsigned)l->out_n);
    int n = uv_try_write(&l->socket->stream, &v, 1);
    size_t taken = n > 0 ? (size_t)n : 0;
    if (taken < l->out_n) {
        write_later(l, taken);
        return;
    }
    l->out_n = 0;
    shrink(&l->out, &l->out_room);
}
