/* parse_nat.c - boxes, who is behind them, what they counted. */
#include <stdio.h>
#include <string.h>

#include "parse.h"

unsigned sim_parse_find_nat(const struct sim_parser *p, const char *name)
{
    for (unsigned i = 0; i < p->script->nat_count; i++)
        if (strcmp(p->script->nats[i].name, name) == 0)
            return i + 1;
    return 0;
}

enum om_err sim_parse_nat_name(struct sim_parser *p, int *out)
{
    *out = (int)sim_parse_find_nat(p, sim_words_peek(&p->words));
    if (*out == 0)
        return sim_words_fail(&p->words, "a NAT that was declared");
    p->words.next++;
    return OM_OK;
}

enum om_err sim_parse_nat(struct sim_parser *p)
{
    static const char behind[] = "behind=";
    struct sim_words *w = &p->words;
    struct sim_script *s = p->script;
    struct sim_decl_nat n = {.outer = 0};
    const char *name = sim_words_peek(w), *word;

    if (!sim_parse_is_name(name) || strcmp(name, "none") == 0 || sim_parse_find_nat(p, name) > 0)
        return sim_words_fail(w, "a name that no NAT has yet");
    if (s->nat_count == SIM_NATS_MAX)
        return sim_words_fail(w, "at most %d NATs", SIM_NATS_MAX);
    snprintf(n.name, sizeof n.name, "%s", name);
    w->next++;
    if (!sim_nat_kind(sim_words_peek(w), &n.model))
        return sim_words_fail(w, "a kind of natkind.h, such as full or port");
    w->next++;
    for (; !sim_words_end(w); w->next++) {
        word = sim_words_peek(w);
        if (strncmp(word, behind, sizeof behind - 1) == 0) {
            n.outer = sim_parse_find_nat(p, word + sizeof behind - 1);
            if (n.outer == 0)
                return sim_words_fail(w, "a NAT that was declared");
        } else if (!sim_nat_set(&n.model, word)) {
            return sim_words_fail(w, "a property of natkind.h, such as timeout=20s");
        }
    }
    if (!sim_nat_is_sound(&n.model))
        return sim_words_fail(w, "a block that fits into the range");
    s->nats[s->nat_count++] = n;
    return OM_OK;
}

enum om_err sim_parse_flush(struct sim_parser *p, struct sim_deed *d)
{
    const struct sim_option options[] = {{"moved", NULL, &d->is_moved}};

    if (sim_parse_nat_name(p, &d->nat) != OM_OK)
        return OM_E_PARSE;
    if (d->nat > 0 && p->script->nats[d->nat - 1].outer != 0 &&
        strcmp(sim_words_peek(&p->words), "moved") == 0)
        return sim_words_fail(&p->words, "a public NAT to move");
    return sim_words_options(&p->words, options, OM_ARRAY_SIZE(options));
}

/* Where a move leads. */
struct move {
    const struct sim_parser *parser;
    struct sim_deed *deed;
};

static enum om_err read_behind(struct sim_words *w, const char *value, void *out)
{
    const struct move *m = out;

    m->deed->nat = strcmp(value, "none") == 0 ? -1 : (int)sim_parse_find_nat(m->parser, value);
    return m->deed->nat != 0 ? OM_OK : sim_words_fail(w, "a NAT that was declared, or none");
}

enum om_err sim_parse_move(struct sim_parser *p, struct sim_deed *d)
{
    struct move m = {p, d};
    const struct sim_option options[] = {
        {"behind", read_behind, &m},
        {"told", NULL, &d->is_told},
    };

    if (sim_parse_node(p, "a node", &d->a) != OM_OK)
        return OM_E_PARSE;
    return sim_words_options(&p->words, options, OM_ARRAY_SIZE(options));
}

enum om_err sim_parse_nat_check(struct sim_parser *p, struct sim_check *c)
{
    struct sim_words *w = &p->words;

    c->fact = SIM_FACT_NAT;
    if (sim_parse_nat_name(p, &c->nat) != OM_OK)
        return OM_E_PARSE;
    for (c->count = 0; c->count < SIM_NAT_ANSWERS; c->count++)
        if (sim_words_take(w, sim_nat_answer_name((enum sim_nat_answer)c->count)))
            return sim_words_op(w, &c->op) == OM_OK ? sim_words_count(w, UINT64_MAX, &c->number)
                                                    : OM_E_PARSE;
    return sim_words_fail(w, "what a NAT counts, such as in or filtered");
}
