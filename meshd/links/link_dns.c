/* link_dns.c - questions about names that something behind a link asks us. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "links/parts.h"
#include "netstack/dns/message.h"
#include "tunnels/dns.h"

struct question {
    struct om_link link;
    struct link *of;
    struct om_addr from, to;
    struct om_dns_question question;
    bool is_question;
    struct dns_ask *ask;
};

static bool is_same(const struct om_addr *a, const struct om_addr *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool link_dns_is_at(const struct link *l, const struct om_addr *to)
{
    const struct link_sides *s = &l->config.sides;

    return l->config.has_dns && to->port == LINK_DNS_PORT &&
           ((s->has_v4 && is_same(to, &s->here)) || (s->has_v6 && is_same(to, &s->here6)));
}

void link_dns_place(const struct link *l, struct dns_place *out)
{
    *out = (struct dns_place){
        .network = l->config.network, .gateway = l->config.peer, .has_gateway = true};
    (void)snprintf(out->machine, sizeof out->machine, "%s", link_machine(l));
}

static void forget(struct question *q)
{
    om_list_remove(&q->link);
    q->of->question_count--;
    free(q);
}

static void say(struct link *l, const struct om_addr *from, const struct om_addr *to,
                struct om_bytes answer)
{
    if (answer.n == 0 ||
        om_stack_send(l->links->stack, om_clock_now(), l->port, to, from, answer) != OM_OK)
        l->counts.udp_dropped++;
    links_touch(l->links);
}

static void on_told(void *self, struct om_bytes answer, const char *why)
{
    struct question *q = self;
    uint8_t room[OM_DNS_UDP_LEAST];

    if (why)
        link_fail(q->of, why);
    if (q->is_question)
        answer = om_dns_cut(om_mut(room, sizeof room), &q->question, answer);
    say(q->of, &q->from, &q->to, answer);
    forget(q);
}

/* What cannot be asked now is answered all the same: a silent resolver stops whole programs. */
static void say_busy(struct link *l, const struct om_stack_act *act,
                     const struct om_dns_question *question)
{
    const struct om_dns_reply busy = {.rcode = OM_DNS_SERVFAIL, .why = "too many questions"};
    uint8_t out[OM_DNS_UDP_LEAST];

    link_fail(l, "names: too many questions");
    say(l, &act->from, &act->to,
        om_bytes(out, om_dns_reply_write(om_mut(out, sizeof out), question, &busy)));
}

void link_dns_input(struct link *l, const struct om_stack_act *act)
{
    struct dns_place where;
    struct om_dns_question question;
    bool is_question = om_dns_question_parse(&question, act->bytes) == OM_DNS_BAD_NONE;
    struct question *q = l->question_count < LINK_DNS_MAX ? calloc(1, sizeof *q) : NULL;

    link_dns_place(l, &where);
    if (q) {
        q->of = l;
        q->from = act->from;
        q->to = act->to;
        q->question = question;
        q->is_question = is_question;
        om_list_push_back(&l->questions, &q->link);
        l->question_count++;
        q->ask = tunnel_dns_ask(l->links->d->tunnels, &where, act->bytes, on_told, q);
        if (q->ask)
            return;
        forget(q);
    }
    if (is_question)
        say_busy(l, act, &question);
    else
        l->counts.udp_dropped++;
}

void link_dns_end(struct link *l)
{
    for (struct om_link *k = om_list_first(&l->questions), *next; k; k = next) {
        struct question *q = OM_CONTAINER_OF(k, struct question, link);
        next = om_list_next(&l->questions, k);
        tunnel_dns_cancel(q->ask);
        forget(q);
    }
}
