/* parse_check.c - what must hold: one reader per kind of fact. */
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/member.h>
#include <omerta/text.h>

#include "check.h"

static const char *const facts[] = {"got",   "late", "gap",     "missing", "rtt",
                                    "info",  "peer", "event",   "sent",    "heard",
                                    "knows", "up",   "refused", "speaks"};

/* "pipe NAME rate > 5M" is a check, "pipe NAME rate=5M" a deed. */
static bool is_reading(const struct sim_words *w)
{
    return (sim_words_is(w, "pipe") || sim_words_is(w, "link")) && w->next + 2 < w->count &&
           sim_reading_parse(w->word[w->next + 2].text) != SIM_READ_COUNT;
}

bool sim_parse_is_check(const struct sim_parser *p)
{
    const struct sim_words *w = &p->words;

    if (sim_words_is(w, "session") || sim_words_is(w, "no") || sim_words_is(w, "nat") ||
        is_reading(w))
        return true;
    if (w->next + 1 >= w->count || sim_parse_find(p, sim_words_peek(w)) < 0)
        return false;
    for (unsigned i = 0; i < OM_ARRAY_SIZE(facts); i++)
        if (!w->word[w->next + 1].is_quoted && strcmp(w->word[w->next + 1].text, facts[i]) == 0)
            return true;
    return false;
}

static enum om_err parse_session(struct sim_parser *p, struct sim_check *c, enum sim_fact fact)
{
    c->fact = fact;
    if (sim_parse_node(p, "a node", &c->a) != OM_OK)
        return OM_E_PARSE;
    return sim_parse_node(p, "a node", &c->b);
}

static enum om_err parse_from(struct sim_parser *p, struct sim_check *c)
{
    if (!sim_words_take(&p->words, "from"))
        return sim_words_fail(&p->words, "from");
    return sim_parse_node(p, "a node", &c->b);
}

static enum om_err parse_number(struct sim_parser *p, struct sim_check *c)
{
    if (sim_words_op(&p->words, &c->op) != OM_OK)
        return OM_E_PARSE;
    return sim_words_count(&p->words, UINT64_MAX, &c->number);
}

static enum om_err parse_got(struct sim_parser *p, struct sim_check *c)
{
    struct sim_words *w = &p->words;
    const char *next = sim_words_peek(w);

    if (w->next < w->count && w->word[w->next].is_quoted) {
        c->fact = SIM_FACT_TEXT;
        c->text = sim_copy(sim_words_next(w)->text);
        return parse_from(p, c);
    }
    c->fact = SIM_FACT_GOT;
    c->op = SIM_OP_EQ;
    if (*next >= '0' && *next <= '9') {
        if (sim_words_count(w, UINT64_MAX, &c->number) != OM_OK)
            return OM_E_PARSE;
    } else if (parse_number(p, c) != OM_OK) {
        return OM_E_PARSE;
    }
    return parse_from(p, c);
}

/* Of datagrams from another: how many were late, or are @fact. */
static enum om_err parse_some(struct sim_parser *p, struct sim_check *c, enum sim_fact fact)
{
    c->fact = fact;
    if (parse_number(p, c) != OM_OK)
        return OM_E_PARSE;
    return parse_from(p, c);
}

static enum om_err parse_time_value(struct sim_parser *p, struct sim_check *c)
{
    om_time t;

    if (sim_words_time(&p->words, &t) != OM_OK)
        return OM_E_PARSE;
    c->number = (uint64_t)t;
    return OM_OK;
}

static enum om_err parse_gap(struct sim_parser *p, struct sim_check *c)
{
    c->fact = SIM_FACT_GAP;
    if (sim_words_op(&p->words, &c->op) != OM_OK || parse_time_value(p, c) != OM_OK)
        return OM_E_PARSE;
    return parse_from(p, c);
}

static enum om_err parse_rtt(struct sim_parser *p, struct sim_check *c)
{
    c->fact = SIM_FACT_RTT;
    if (sim_parse_node(p, "a node", &c->b) != OM_OK || sim_words_op(&p->words, &c->op) != OM_OK)
        return OM_E_PARSE;
    return parse_time_value(p, c);
}

static enum om_err parse_field_value(struct sim_parser *p, struct sim_check *c)
{
    struct sim_words *w = &p->words;

    if (sim_words_op(w, &c->op) != OM_OK)
        return OM_E_PARSE;
    switch (c->field->kind) {
    case SIM_FIELD_U64:
    case SIM_FIELD_UNSIGNED:
    case SIM_FIELD_BOOL:
        return sim_words_count(w, UINT64_MAX, &c->number);
    case SIM_FIELD_TIME:
        return parse_time_value(p, c);
    case SIM_FIELD_TEXT:
        if (sim_words_end(w) || (c->op != SIM_OP_EQ && c->op != SIM_OP_NE))
            return sim_words_fail(w, "= or != and a word");
        c->text = sim_copy(sim_words_next(w)->text);
        return OM_OK;
    }
    return OM_E_PARSE;
}

static enum om_err parse_info(struct sim_parser *p, struct sim_check *c)
{
    c->fact = SIM_FACT_INFO;
    c->field = sim_field_node(sim_words_peek(&p->words));
    if (!c->field)
        return sim_words_fail(&p->words, "a member of om_node_info, or drops.NAME");
    p->words.next++;
    return parse_field_value(p, c);
}

static enum om_err parse_peer(struct sim_parser *p, struct sim_check *c)
{
    c->fact = SIM_FACT_PEER;
    if (sim_parse_node(p, "a node", &c->b) != OM_OK)
        return OM_E_PARSE;
    c->field = sim_field_peer(sim_words_peek(&p->words));
    if (!c->field)
        return sim_words_fail(&p->words, "a member of om_peer_info");
    p->words.next++;
    return parse_field_value(p, c);
}

static enum om_err parse_event(struct sim_parser *p, struct sim_check *c)
{
    struct sim_words *w = &p->words;

    c->fact = SIM_FACT_EVENT;
    c->op = SIM_OP_GE;
    c->number = 1;
    c->event = om_event_parse(sim_words_peek(w));
    if (c->event == OM_EVENT_COUNT)
        return sim_words_fail(w, "an event such as session_up");
    w->next++;
    if (sim_words_is(w, "from") && parse_from(p, c) != OM_OK)
        return OM_E_PARSE;
    if (sim_words_end(w) || sim_words_is(w, "after") || sim_words_is(w, "until"))
        return OM_OK;
    return parse_number(p, c);
}

static enum om_err parse_refused(struct sim_parser *p, struct sim_check *c)
{
    struct sim_words *w = &p->words;

    c->fact = SIM_FACT_REFUSED;
    for (unsigned i = 0; i < OM_JOIN_WHY_COUNT; i++)
        if (sim_words_take(w, om_join_why_name((enum om_join_why)i))) {
            c->number = i;
            return OM_OK;
        }
    return sim_words_fail(w, "a reason such as used");
}

static enum om_err parse_sent(struct sim_parser *p, struct sim_check *c)
{
    c->fact = SIM_FACT_SENT;
    if (parse_number(p, c) != OM_OK)
        return OM_E_PARSE;
    if (!sim_words_take(&p->words, "to"))
        return sim_words_fail(&p->words, "to");
    return sim_parse_actor(p, "an actor", &c->b);
}

static enum om_err parse_reading(struct sim_parser *p, struct sim_check *c)
{
    struct sim_words *w = &p->words;
    uint32_t share;
    enum om_err e;

    c->reading = sim_reading_parse(sim_words_peek(w));
    if (c->reading == SIM_READ_COUNT)
        return sim_words_fail(w, "what a meter tells, such as wait_p95");
    w->next++;
    if (sim_words_op(w, &c->op) != OM_OK)
        return OM_E_PARSE;
    switch (c->reading) {
    case SIM_READ_WAIT_P50:
    case SIM_READ_WAIT_P95:
    case SIM_READ_WAIT_MAX:
        return parse_time_value(p, c);
    case SIM_READ_USED:
        e = sim_read_share(w, sim_words_peek(w), &share);
        c->number = e == OM_OK ? share : 0;
        break;
    case SIM_READ_RATE:
        e = sim_read_bits(w, sim_words_peek(w), &c->number);
        break;
    default:
        return sim_words_count(w, UINT64_MAX, &c->number);
    }
    w->next += e == OM_OK;
    return e;
}

static enum om_err parse_fact(struct sim_parser *p, struct sim_check *c)
{
    struct sim_words *w = &p->words;
    const char *wanted = "session, no session, pipe, link, nat, or an actor";

    if (sim_words_take(w, "pipe")) {
        c->fact = SIM_FACT_PIPE;
        return sim_parse_pipe_name(p, &c->pipe) == OM_OK ? parse_reading(p, c) : OM_E_PARSE;
    }
    if (sim_words_take(w, "link")) {
        c->fact = SIM_FACT_LINK;
        return sim_parse_one_way(p, &c->a, &c->b) == OM_OK ? parse_reading(p, c) : OM_E_PARSE;
    }
    if (sim_words_take(w, "nat"))
        return sim_parse_nat_check(p, c);
    if (sim_words_take(w, "session"))
        return parse_session(p, c, SIM_FACT_SESSION);
    if (sim_words_take(w, "no"))
        return sim_words_take(w, "session") ? parse_session(p, c, SIM_FACT_NO_SESSION)
                                            : sim_words_fail(w, "session");
    if (sim_parse_actor(p, wanted, &c->a) != OM_OK)
        return OM_E_PARSE;
    if (sim_words_take(w, "heard")) {
        c->fact = SIM_FACT_HEARD;
        if (!p->script->actors[c->a].is_attacker)
            return sim_words_fail(w, "an attacker before heard");
        return parse_number(p, c);
    }
    if (p->script->actors[c->a].is_attacker)
        return sim_words_fail(w, "heard, after an attacker");
    if (sim_words_take(w, "got"))
        return parse_got(p, c);
    if (sim_words_take(w, "late"))
        return parse_some(p, c, SIM_FACT_LATE);
    if (sim_words_take(w, "missing"))
        return parse_some(p, c, SIM_FACT_MISSING);
    if (sim_words_take(w, "gap"))
        return parse_gap(p, c);
    if (sim_words_take(w, "rtt"))
        return parse_rtt(p, c);
    if (sim_words_take(w, "info"))
        return parse_info(p, c);
    if (sim_words_take(w, "peer"))
        return parse_peer(p, c);
    if (sim_words_take(w, "event"))
        return parse_event(p, c);
    if (sim_words_take(w, "refused"))
        return parse_refused(p, c);
    if (sim_words_take(w, "sent"))
        return parse_sent(p, c);
    if (sim_words_take(w, "speaks")) {
        c->fact = SIM_FACT_EPOCH;
        return parse_number(p, c);
    }
    if (sim_words_take(w, "knows")) {
        c->fact = SIM_FACT_KNOWS;
        if (!p->script->actors[c->a].spec.gossip)
            return sim_words_fail(w, "a node with gossip before knows");
        return parse_number(p, c);
    }
    if (!sim_words_take(w, "up"))
        return sim_words_fail(
            w, "got, late, gap, missing, rtt, info, peer, event, refused, sent, speaks, knows "
               "or up");
    c->fact = SIM_FACT_UP;
    return OM_OK;
}

/* The words from @first on, as a person wrote them. */
static char *join(const struct sim_words *w, unsigned first)
{
    char text[SIM_LINE_MAX + 1] = "";
    size_t at = 0;

    for (unsigned i = first; i < w->next && at < sizeof text; i++) {
        const char *quote = w->word[i].is_quoted ? "\"" : "";
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s%s%s", i > first ? " " : "", quote,
                               w->word[i].text, quote);
    }
    return sim_copy(text);
}

static enum om_err parse_window(struct sim_parser *p, struct sim_check *c)
{
    struct sim_words *w = &p->words;

    if (sim_words_take(w, "after") && sim_words_time(w, &c->from) != OM_OK)
        return OM_E_PARSE;
    if (c->when == SIM_NEVER && sim_words_take(w, "until") && sim_words_time(w, &c->until) != OM_OK)
        return OM_E_PARSE;
    if (c->from > c->until)
        return sim_words_fail(w, "a time after which there is one left");
    return OM_OK;
}

enum om_err sim_parse_check(struct sim_parser *p, enum sim_when when, om_time at)
{
    struct sim_script *s = p->script;
    struct sim_words *w = &p->words;
    struct sim_check c = {.when = when,
                          .line = w->line,
                          .from = when == SIM_AT ? at : 0,
                          .until = at,
                          .a = -1,
                          .b = -1,
                          .pipe = -1};
    om_time named;
    enum om_err e;

    if (s->check_count == SIM_CHECKS_MAX)
        return sim_words_fail(w, "at most %d checks", SIM_CHECKS_MAX);
    e = parse_fact(p, &c);
    if (e == OM_OK && when != SIM_AT)
        e = parse_window(p, &c);
    if (e != OM_OK) {
        free(c.text);
        return e;
    }
    named = c.until == OM_NEVER ? c.from : c.until;
    if (named > p->last)
        p->last = named;
    c.source = join(w, 0);
    s->checks = sim_grow(s->checks, s->check_count, &p->check_cap, sizeof *s->checks);
    s->checks[s->check_count++] = c;
    return OM_OK;
}
