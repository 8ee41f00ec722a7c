/* links.c - one stack for all links: time and frames in, acts to whom they concern. */
#include "links/links.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "control/parts.h"
#include "host/clock.h"
#include "host/entropy.h"
#include "links/parts.h"

enum { US_PER_MS = 1000, NEVER_MS = 60 * 60 * 1000 };

static struct link *find_port(const struct links *s, uint32_t port)
{
    for (struct om_link *l = om_list_first(&s->links); l; l = om_list_next(&s->links, l)) {
        struct link *k = OM_CONTAINER_OF(l, struct link, link);
        if (k->port == port)
            return k;
    }
    return NULL;
}

static struct link *find_name(const struct links *s, const char *name)
{
    for (struct om_link *l = om_list_first(&s->links); l; l = om_list_next(&s->links, l)) {
        struct link *k = OM_CONTAINER_OF(l, struct link, link);
        if (strcmp(k->config.name, name) == 0)
            return k;
    }
    return NULL;
}

struct link *links_find(const struct links *s, uint64_t number)
{
    for (struct om_link *l = om_list_first(&s->links); l; l = om_list_next(&s->links, l)) {
        struct link *k = OM_CONTAINER_OF(l, struct link, link);
        if (k->number == number)
            return k;
    }
    return NULL;
}

static void on_act(struct links *s, om_time now, const struct om_stack_act *act)
{
    struct link *l = find_port(s, act->port);
    struct link_tcp *c;

    switch (act->kind) {
    case OM_STACK_PACKET:
        if (l)
            link_put(l, now, act->bytes);
        break;
    case OM_STACK_ASK:
        if (l)
            link_tcp_ask(l, now, act);
        break;
    case OM_STACK_FLOW:
        c = om_table_find(&s->flows, &act->flow);
        if (c)
            link_tcp_news(c, now, act->news);
        else if (l)
            link_dns_news(l, now, act);
        break;
    case OM_STACK_DATAGRAM:
        if (l)
            link_udp_input(l, act);
        break;
    case OM_STACK_ACT_COUNT:
        break;
    }
}

static void on_timer(uv_timer_t *t);

/* Sets the timer to when the stack or a gate wants something next. */
static void arm(struct links *s, om_time now)
{
    om_time at = om_time_min(om_stack_deadline(s->stack), link_open_deadline(s));
    uint64_t ms = NEVER_MS;

    for (struct om_link *l = om_list_first(&s->links); l; l = om_list_next(&s->links, l)) {
        const struct link *k = OM_CONTAINER_OF(l, struct link, link);
        at = om_time_min(at, om_time_min(link_deadline(k), link_kept_deadline(k->kept)));
    }
    if (at == OM_NEVER) {
        (void)uv_timer_stop(&s->timer);
        return;
    }
    if (at - now < (om_time)NEVER_MS * US_PER_MS)
        ms = at <= now ? 0 : (uint64_t)((at - now + US_PER_MS - 1) / US_PER_MS);
    (void)uv_timer_start(&s->timer, on_timer, ms, 0);
}

void links_drain(struct links *s, om_time now)
{
    struct om_stack_act act;

    s->is_due = false;
    while (om_stack_next(s->stack, &act))
        on_act(s, now, &act);
    for (struct om_link *l = om_list_first(&s->links), *next; l; l = next) {
        next = om_list_next(&s->links, l);
        link_flush(OM_CONTAINER_OF(l, struct link, link));
    }
    om_calls_kick(s->d->calls);
    if (!s->is_due) /* else what the node did wants another round at once */
        arm(s, now);
}

bool links_take_kept(struct link *l, om_time now, struct om_bytes frame)
{
    uint8_t room[LINK_KEPT_FRAME];
    struct om_bytes answer;

    if (!link_kept_input(l->kept, frame, om_mut(room, sizeof room), &answer))
        return false;
    if (answer.n > 0)
        link_put(l, now, answer);
    return true;
}

static void ask_kept(struct link *l, om_time now)
{
    uint8_t room[LINK_KEPT_FRAME];
    struct om_bytes frame;

    while (l->kept && (frame = link_kept_tick(l->kept, now, om_mut(room, sizeof room))).n > 0)
        link_put(l, now, frame);
}

static void on_timer(uv_timer_t *t)
{
    struct links *s = t->data;
    om_time now = om_clock_now();

    if (!s->stack)
        return;
    if (om_stack_deadline(s->stack) <= now)
        om_stack_tick(s->stack, now);
    for (struct om_link *l = om_list_first(&s->links), *next; l; l = next) {
        next = om_list_next(&s->links, l);
        ask_kept(OM_CONTAINER_OF(l, struct link, link), now);
        link_tick(OM_CONTAINER_OF(l, struct link, link), now);
    }
    link_open_tick(s, now);
    links_drain(s, now);
}

void links_touch(struct links *s)
{
    if (s->is_due)
        return;
    s->is_due = true;
    (void)uv_timer_start(&s->timer, on_timer, 0, 0);
}

enum om_err links_add(struct links *s, const struct link_config *config, uint64_t *number,
                      struct om_error *err)
{
    const struct om_rng rng = om_entropy();
    enum om_err e = OM_OK;
    struct link *l;

    if (*config->name && find_name(s, config->name))
        return om_fail(err, OM_E_EXISTS, "\"name\": another link is called %s", config->name);
    if (s->count == OM_LINKS_MAX)
        return om_fail(err, OM_E_FULL, "there are %d links already", OM_LINKS_MAX);
    if (!s->stack)
        e = om_stack_new(&s->stack, &rng, om_clock_now());
    if (e != OM_OK)
        return om_fail(err, e, "no stack: %s", om_err_text(e));
    e = link_new(&l, s, config);
    if (e == OM_E_RANGE)
        return om_fail(err, e, "\"here\", \"here6\": want addresses that one host can have");
    if (e != OM_OK)
        return om_fail(err, e, "no link: %s", om_err_text(e));
    l->number = *number = ++s->numbers;
    om_list_push_back(&s->links, &l->link);
    s->count++;
    return OM_OK;
}

bool links_keep(struct links *s, uint64_t number, const char *path, struct om_error *err)
{
    struct link *l = links_find(s, number);

    OM_BUG_IF(!l || l->socket || l->kept || l->config.kind != OM_PORT_ETHER);
    return link_kept_open(&l->kept, path, &l->config, err);
}

void links_start(struct links *s, uint64_t number, struct om_socket *socket, struct om_bytes rest)
{
    struct link *l = links_find(s, number);

    if (l) {
        link_kept_start(l->kept, om_clock_now());
        link_start(l, socket, rest);
    } else if (socket) {
        om_socket_close(socket, false);
    }
}

void links_watch(struct links *s, uint64_t number, void (*on_end)(void *self), void *self)
{
    struct link *l = links_find(s, number);

    if (!l)
        return;
    l->on_end = on_end;
    l->self = self;
}

void links_end(struct links *s, uint64_t number)
{
    struct link *l = links_find(s, number);

    if (!l)
        return;
    l->on_end = NULL;
    link_end(l);
}

void links_connect(struct links *s, uint64_t number, uint16_t port, uint64_t call)
{
    struct link *l = links_find(s, number);

    if (l)
        link_open(l, port, call);
    else
        om_calls_refuse(s->d->calls, call, om_dial_word(OM_DIAL_UNREACHABLE),
                        om_dial_text(OM_DIAL_UNREACHABLE));
}

static json_t *show(const struct link *l, om_time now)
{
    const struct link_counts *c = &l->counts;
    const struct link_sides *s = &l->config.sides;
    char ip[4][OM_IP_TEXT] = {"", "", "", ""};
    const struct om_addr *const ends[4] = {&s->here, &s->there, &s->here6, &s->there6};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(ends); i++)
        if (i < 2 ? s->has_v4 : s->has_v6)
            (void)om_addr_ip_print(ends[i]->ip, ip[i]);
    const struct {
        const char *name;
        uint64_t n;
    } numbers[] = {{"mtu", l->config.mtu},
                   {"flows", l->tcp_count},
                   {"udp_flows", l->udp_count},
                   {"frames_in", c->frames_in},
                   {"frames_out", c->frames_out},
                   {"bytes_in", c->bytes_in},
                   {"bytes_out", c->bytes_out},
                   {"opened", c->opened},
                   {"refused", c->refused},
                   {"inward_flows", l->inward_count},
                   {"inward_opened", c->inward},
                   {"inward_refused", c->inward_refused},
                   {"unroutable", c->unroutable},
                   {"out_full", c->out_full},
                   {"udp_dropped", c->udp_dropped},
                   {"rate", l->config.rate},
                   {"held", c->held},
                   {"acks_joined", c->joined},
                   {"captured", c->captured},
                   {"dhcp_answered", link_dhcp_answered(l->dhcp)},
                   {"dhcp_dropped", link_dhcp_dropped(l->dhcp)},
                   {"rogue_score", link_gate_score(l->gate, now)}};
    json_t *o =
        json_pack("{s:I, s:s, s:s, s:s, s:b, s:b, s:b, s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:s}",
                  "id", (json_int_t)l->number, "name", l->config.name, "kind",
                  l->config.kind == OM_PORT_ETHER ? "ether" : "ip", "gate",
                  link_gate_mode_name(l->config.gate), "dns", (int)l->config.has_dns, "dhcp",
                  (int)l->config.has_dhcp, "inward", (int)l->config.is_inward, "network",
                  control_id(&l->config.network), "peer", control_id(&l->config.peer), "here",
                  ip[0], "there", ip[1], "here6", ip[2], "there6", ip[3], "dropped",
                  link_gate_dropped(l->gate), "last_error", l->last_error);

    for (unsigned i = 0; o && i < OM_ARRAY_SIZE(numbers); i++)
        (void)json_object_set_new(o, numbers[i].name, json_integer((json_int_t)numbers[i].n));
    return o;
}

json_t *links_list(const struct links *s)
{
    json_t *out = json_array();

    for (struct om_link *l = om_list_first(&s->links); l; l = om_list_next(&s->links, l))
        (void)json_array_append_new(
            out, show(OM_CONTAINER_OF(l, const struct link, link), om_clock_now()));
    return out;
}

void links_total(const struct links *s, struct links_totals *out)
{
    *out = s->past;
    for (struct om_link *l = om_list_first(&s->links); l; l = om_list_next(&s->links, l)) {
        const struct link *k = OM_CONTAINER_OF(l, struct link, link);
        link_add_up(k, out);
        out->tcps += k->tcp_count;
        out->udps += k->udp_count;
    }
    out->links = s->count;
}

static void on_timer_closed(uv_handle_t *h)
{
    free(h->data);
}

void links_close(struct links *s)
{
    if (!s)
        return;
    for (struct om_link *l = om_list_first(&s->links), *next; l; l = next) {
        next = om_list_next(&s->links, l);
        link_end(OM_CONTAINER_OF(l, struct link, link));
    }
    om_stack_free(s->stack);
    s->stack = NULL;
    om_table_fini(&s->flows);
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

bool links_open(struct links **out, struct om_daemon *d, struct om_error *err)
{
    uint8_t key[OM_SIP_KEY];
    struct links *s = calloc(1, sizeof *s);

    if (!s || uv_timer_init(&d->loop, &s->timer) < 0) {
        free(s);
        (void)om_fail(err, OM_E_NO_MEM, "no memory for links");
        return false;
    }
    s->d = d;
    s->timer.data = s;
    om_list_init(&s->links);
    om_list_init(&s->knocks);
    randombytes_buf(key, sizeof key);
    OM_BUG_IF(om_table_init(&s->flows, sizeof(uint32_t), OM_FLOWS_MAX, key) != OM_OK);
    *out = s;
    return true;
}
