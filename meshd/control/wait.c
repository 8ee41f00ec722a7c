/* wait.c - questions whose answer the mesh has to give, and pings. */
#include <stdlib.h>
#include <string.h>

#include "control/methods.h"
#include "control/parts.h"
#include "host/clock.h"

enum { PING_PATIENCE_MS = 3000, PING_LOOK_MS = 50 };

static void forget(struct control *c, struct control_wait *w)
{
    om_list_remove(&w->link);
    c->wait_count--;
    json_decref(w->id);
    free(w);
}

bool control_wait(struct control_ask *ask, enum wait_kind kind, const struct om_id *network,
                  const struct om_id *peer, const uint8_t *message, struct om_error *err)
{
    struct control *c = ask->control;
    struct control_wait *w = c->wait_count < OM_WAITS_MAX ? calloc(1, sizeof *w) : NULL;

    if (!w) {
        (void)om_fail(err, OM_E_FULL, "too many questions are waiting for their answer");
        return false;
    }
    w->client = ask->client->number;
    w->id = json_deep_copy(ask->id);
    w->kind = kind;
    w->network = *network;
    w->peer = *peer;
    if (message)
        memcpy(w->message, message, sizeof w->message);
    om_list_push_back(&c->waits, &w->link);
    c->wait_count++;
    ask->is_deferred = true;
    return true;
}

static bool is_about(const struct control_wait *w, enum wait_kind kind, const struct om_id *network,
                     const struct om_id *peer, const uint8_t *message)
{
    return w->kind == kind && om_id_equal(&w->network, network) && om_id_equal(&w->peer, peer) &&
           (!message || memcmp(w->message, message, sizeof w->message) == 0);
}

/* Answers every question of @kind about @peer with @result, which is taken. */
static void answer_all(struct control *c, enum wait_kind kind, const struct om_id *network,
                       const struct om_id *peer, const uint8_t *message, json_t *result,
                       const struct om_error *err)
{
    struct om_link *next;
    struct om_list about;

    /* Taken out first: an answer may end its client, and with it its other questions. */
    om_list_init(&about);
    for (struct om_link *l = om_list_first(&c->waits); l; l = next) {
        next = om_list_next(&c->waits, l);
        if (is_about(OM_CONTAINER_OF(l, struct control_wait, link), kind, network, peer, message)) {
            om_list_remove(l);
            om_list_push_back(&about, l);
        }
    }
    for (struct om_link *l = om_list_first(&about); l; l = next) {
        next = om_list_next(&about, l);
        struct control_wait *w = OM_CONTAINER_OF(l, struct control_wait, link);
        struct control_client *k = control_client(c, w->client);
        if (k)
            control_answer(k, w->id, result ? json_incref(result) : NULL, err);
        forget(c, w);
    }
    json_decref(result);
}

void control_health(struct control *c, const struct om_act_health *h)
{
    const struct om_health_result *r = &h->result;

    answer_all(c, WAIT_HEALTH, &h->network, &h->peer, NULL,
               json_pack("{s:o, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o}", "peer",
                         control_id(&h->peer), "sent", (int)r->sent, "echoed", (int)r->echoed,
                         "lost_there", (int)r->lost_there, "lost_back", (int)r->lost_back,
                         "rtt_min_ms", control_ms(r->rtt_min), "rtt_avg_ms", control_ms(r->rtt_avg),
                         "rtt_max_ms", control_ms(r->rtt_max), "rtt_p95_ms",
                         control_ms(r->rtt_p95)),
               NULL);
}

static json_t *known(double v)
{
    return v < 0 ? json_null() : json_real(v);
}

void control_status(struct control *c, const struct om_act_status *s)
{
    struct om_error err;

    (void)om_fail(&err, OM_E_NO_ROUTE, "the peer did not answer");
    answer_all(c, WAIT_STATUS, &s->network, &s->peer, NULL,
               s->is_ok ? json_pack("{s:o, s:o, s:o, s:o, s:o}", "peer", control_id(&s->peer),
                                    "uptime_s", known(s->status.uptime_s), "peers",
                                    known(s->status.peers), "sessions", known(s->status.sessions),
                                    "version",
                                    control_text(s->status.version, strlen(s->status.version)))
                        : NULL,
               &err);
}

void control_notify_message(struct control *c, const struct inbox_entry *e)
{
    if (!c)
        return;
    control_send_event(c, "message", control_message_json(e));
    if (e->state > INBOX_SENT)
        answer_all(c, WAIT_RECEIPT, &e->network, &e->peer, e->id, control_message_json(e), NULL);
}

static void answer_number(struct control *c, enum wait_kind kind, uint64_t number,
                          const struct om_id *network, const struct om_id *peer, json_t *result,
                          const struct om_error *err)
{
    uint8_t key[OM_MESSAGE_ID] = {0};

    memcpy(key, &number, sizeof number);
    if (c)
        answer_all(c, kind, network, peer, key, result, err);
    else
        json_decref(result);
}

void control_forwarded(struct control *c, uint64_t number, const struct om_id *network,
                       const struct om_id *peer, json_t *result, const struct om_error *err)
{
    answer_number(c, WAIT_FORWARD, number, network, peer, result, err);
}

void control_vm_answer(struct control *c, uint64_t number, const struct om_id *network,
                       const struct om_id *peer, json_t *result, const struct om_error *err)
{
    answer_number(c, WAIT_VM, number, network, peer, result, err);
}

bool control_wait_vm(struct control_ask *ask, uint64_t number, const struct om_id *network,
                     const struct om_id *peer, struct om_error *err)
{
    uint8_t key[OM_MESSAGE_ID] = {0};

    memcpy(key, &number, sizeof number);
    return control_wait(ask, WAIT_VM, network, peer, key, err);
}

bool control_wait_forward(struct control_ask *ask, uint64_t number, const struct om_id *network,
                          const struct om_id *peer, struct om_error *err)
{
    uint8_t key[OM_MESSAGE_ID] = {0};

    memcpy(key, &number, sizeof number);
    return control_wait(ask, WAIT_FORWARD, network, peer, key, err);
}

bool control_wait_cloister(struct control_ask *ask, bool is_code, unsigned number,
                           const struct om_id *network, const struct om_id *peer,
                           struct om_error *err)
{
    uint8_t key[OM_MESSAGE_ID] = {0};
    const uint64_t wide = number;

    memcpy(key, &wide, sizeof wide);
    return control_wait(ask, is_code ? WAIT_CODE : WAIT_CLOISTER, network, peer, key, err);
}

void control_cloister_code(struct control *c, unsigned number, const struct om_id *network,
                           const struct om_id *peer, json_t *result, const struct om_error *err)
{
    answer_number(c, WAIT_CODE, number, network, peer, result, err);
}

void control_cloister_end(struct control *c, unsigned number, const struct om_id *network,
                          const struct om_id *peer, const struct daemon_network *net,
                          const struct om_error *err)
{
    answer_number(c, WAIT_CLOISTER, number, network, peer,
                  c && net ? control_network_show(c->d, net) : NULL, err);
}

void control_cloister_joins(struct control *c, unsigned number, const struct om_id *network,
                            const struct om_id *peer, const struct om_id *joined)
{
    uint8_t key[OM_MESSAGE_ID] = {0};
    const uint64_t wide = number;

    memcpy(key, &wide, sizeof wide);
    for (struct om_link *l = om_list_first(&c->waits); l; l = om_list_next(&c->waits, l)) {
        struct control_wait *w = OM_CONTAINER_OF(l, struct control_wait, link);
        if (!is_about(w, WAIT_CLOISTER, network, peer, key))
            continue;
        w->kind = WAIT_JOIN;
        w->network = w->peer = *joined;
    }
}

static struct control_ping *find_ping(const struct control *c, uint64_t run)
{
    for (struct om_link *l = om_list_first(&c->pings); l; l = om_list_next(&c->pings, l))
        if (OM_CONTAINER_OF(l, struct control_ping, link)->run == run)
            return OM_CONTAINER_OF(l, struct control_ping, link);
    return NULL;
}

/* Tells the client about ping @seq of @p: @rtt, or OM_NEVER when it was lost. */
static void tell(struct control_ping *p, unsigned seq, om_time rtt)
{
    struct control_client *k = control_client(p->control, p->client);
    struct om_peer_info info = {.cipher = ""};
    struct om_daemon *d = p->control->d;

    (void)!om_node_peer_info(daemon_node(d), om_clock_now(), &p->network, &p->peer, &info);
    if (k)
        control_send_to(k, "pong",
                        json_pack("{s:I, s:o, s:i, s:o, s:o}", "run", (json_int_t)p->run, "peer",
                                  control_id(&p->peer), "seq", (int)seq + 1, "rtt_ms",
                                  control_ms(rtt), "path", control_path(d, &p->network, &info)));
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void control_ping_stop(struct control_ping *p)
{
    struct control_client *k = control_client(p->control, p->client);

    om_list_remove(&p->link);
    p->control->ping_count--;
    uv_close((uv_handle_t *)&p->timer, on_closed);
    if (k)
        control_leave(k);
}

static void on_over(uv_timer_t *t)
{
    struct control_ping *p = t->data;
    struct control *c = p->control;
    uint64_t run = p->run;

    for (unsigned i = 0; find_ping(c, run) && i < p->sent; i++)
        if (!p->answered[i])
            tell(p, i, OM_NEVER);
    if (find_ping(c, run)) /* unless its client went meanwhile */
        control_ping_stop(p);
}

static void on_due(uv_timer_t *t)
{
    struct control_ping *p = t->data;
    struct om_daemon *d = p->control->d;

    if (p->sent == p->count) {
        if (p->heard == p->count)
            control_ping_stop(p);
        else
            (void)uv_timer_start(t, on_over, PING_PATIENCE_MS, 0);
        return;
    }
    enum om_err e =
        om_node_ping(daemon_node(d), om_clock_now(), &p->network, &p->peer, p->run << 32 | p->sent);
    /* Who has just joined, or comes back, is without a session for a moment. */
    if (e == OM_E_NO_ROUTE && p->waited_ms < p->interval_ms) {
        p->waited_ms += PING_LOOK_MS;
        (void)uv_timer_start(t, on_due, PING_LOOK_MS, 0);
        return;
    }
    p->waited_ms = 0;
    p->sent++; /* what cannot be sent counts as lost */
    om_pump_kick(d->pump);
    (void)uv_timer_start(t, on_due, p->interval_ms, 0);
}

void control_pong(struct control *c, const struct om_act_pong *pong)
{
    unsigned seq = (unsigned)(pong->token & UINT32_MAX);
    struct control_ping *p = find_ping(c, pong->token >> 32);

    if (!p || seq >= p->sent || p->answered[seq] || !om_id_equal(&p->peer, &pong->peer))
        return;
    p->answered[seq] = true;
    p->heard++;
    bool is_last = p->heard == p->count;
    tell(p, seq, pong->rtt);
    if (is_last && find_ping(c, pong->token >> 32)) /* unless its client went meanwhile */
        control_ping_stop(p);
}

json_t *control_ping_start(struct control_ask *ask, struct om_error *err)
{
    struct control *c = ask->control;
    const json_t *count = json_object_get(ask->params, "count");
    const json_t *interval = json_object_get(ask->params, "interval");
    const struct daemon_network *net;
    struct om_id peer;

    if (!control_other(ask, &net, &peer, err))
        return NULL;
    json_int_t n = count ? json_integer_value(count) : 4;
    double s = interval ? json_number_value(interval) : 1;
    if (n < 1 || n > OM_PONGS_MAX || s < 0.01 || s > 3600) {
        (void)om_fail(err, OM_E_RANGE,
                      "want \"count\" from 1 to %d and \"interval\" from 0.01 s"
                      " to an hour",
                      OM_PONGS_MAX);
        return NULL;
    }
    struct control_ping *p = c->ping_count < OM_PINGS_MAX ? calloc(1, sizeof *p) : NULL;
    if (!p || uv_timer_init(&c->d->loop, &p->timer) < 0) {
        free(p);
        (void)om_fail(err, OM_E_FULL, "too many pings are under way");
        return NULL;
    }
    *p = (struct control_ping){.timer = p->timer,
                               .control = c,
                               .client = ask->client->number,
                               .run = ++c->numbers & UINT32_MAX,
                               .network = net->id,
                               .peer = peer,
                               .count = (unsigned)n,
                               .interval_ms = (uint64_t)(s * 1000)};
    p->timer.data = p;
    om_list_push_back(&c->pings, &p->link);
    c->ping_count++;
    (void)uv_timer_start(&p->timer, on_due, 0, 0);
    return json_pack("{s:I, s:o, s:i}", "run", (json_int_t)p->run, "peer", control_id(&peer),
                     "count", (int)n);
}

bool control_wait_join(struct control_ask *ask, const struct om_id *network, struct om_error *err)
{
    return control_wait(ask, WAIT_JOIN, network, network, NULL, err);
}

void control_joined(struct control *c, const struct om_id *network,
                    const struct daemon_network *net, const struct om_error *err)
{
    if (c)
        answer_all(c, WAIT_JOIN, network, network, NULL,
                   net ? control_network_show(c->d, net) : NULL, err);
}

bool control_waits_for(const struct control *c, uint64_t number)
{
    for (struct om_link *l = om_list_first(&c->waits); l; l = om_list_next(&c->waits, l))
        if (OM_CONTAINER_OF(l, struct control_wait, link)->client == number)
            return true;
    for (struct om_link *l = om_list_first(&c->pings); l; l = om_list_next(&c->pings, l))
        if (OM_CONTAINER_OF(l, struct control_ping, link)->client == number)
            return true;
    return false;
}

void control_wait_forget(struct control *c, uint64_t number)
{
    struct om_link *next;

    for (struct om_link *l = om_list_first(&c->waits); l; l = next) {
        next = om_list_next(&c->waits, l);
        struct control_wait *w = OM_CONTAINER_OF(l, struct control_wait, link);
        if (w->client == number)
            forget(c, w);
    }
    for (struct om_link *l = om_list_first(&c->pings); l; l = next) {
        next = om_list_next(&c->pings, l);
        struct control_ping *p = OM_CONTAINER_OF(l, struct control_ping, link);
        if (p->client == number)
            control_ping_stop(p);
    }
}
