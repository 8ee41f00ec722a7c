/* parse_deed.c - what happens: one reader per verb, one table of verbs. */
#include "parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JUNK_SIZE_DEFAULT = 448, JUNK_S_MAX = 86400 };

static enum om_err read_actors(struct sim_words *w, const char *value, void *out);
static enum om_err read_network(struct sim_words *w, const char *value, void *out);

/* What the readers of names need besides the value. */
struct deed_out {
    struct sim_parser *parser;
    struct sim_deed *deed;
};

static enum om_err read_actors(struct sim_words *w, const char *value, void *out)
{
    struct deed_out *o = out;
    struct sim_deed *d = o->deed;
    char name[SIM_NAME_MAX + 1];

    d->end_count = 0;
    if (strcmp(value, "none") == 0)
        return OM_OK;
    while (*value != '\0' && d->end_count < OM_ENDPOINTS_MAX) {
        size_t n = strcspn(value, ",");
        snprintf(name, sizeof name, "%.*s", (int)(n <= SIM_NAME_MAX ? n : SIM_NAME_MAX), value);
        int found = sim_parse_find(o->parser, name);
        if (found < 0)
            return sim_words_fail(w, "actors that were declared, or none");
        d->ends[d->end_count++] = found;
        value += n + (value[n] == ',');
    }
    return *value == '\0' && d->end_count > 0
               ? OM_OK
               : sim_words_fail(w, "1 to %d actors", OM_ENDPOINTS_MAX);
}

static enum om_err read_network(struct sim_words *w, const char *value, void *out)
{
    struct deed_out *o = out;

    o->deed->network = sim_parse_network(o->parser, value);
    return o->deed->network >= 0 ? OM_OK : sim_words_fail(w, "a network that was declared");
}

static enum om_err read_expect(struct sim_words *w, const char *value, void *out)
{
    for (unsigned i = OM_OK + 1; i < OM_ERR_COUNT; i++)
        if (strcmp(value, om_err_name((enum om_err)i)) == 0) {
            *(enum om_err *)out = (enum om_err)i;
            return OM_OK;
        }
    return sim_words_fail(w, "an error such as OM_E_FULL");
}

static enum om_err read_channel(struct sim_words *w, const char *value, void *out)
{
    size_t n = strlen(value);

    if (n < 1 || n > OM_CHANNEL_MAX)
        return sim_words_fail(w, "1 to %d letters", OM_CHANNEL_MAX);
    memcpy(out, value, n + 1);
    return OM_OK;
}

static enum om_err read_count(struct sim_words *w, const char *value, void *out)
{
    uint64_t *count = out;

    if (sim_read_u64(w, value, out) != OM_OK || *count < 1 || *count > SIM_COUNT_MAX)
        return sim_words_fail(w, "1 to %d", SIM_COUNT_MAX);
    return OM_OK;
}

static enum om_err read_sizes(struct sim_words *w, const char *value, void *out)
{
    struct sim_junk *j = out;
    unsigned min, max;
    char rest;

    if (strlen(value) > 12 || sscanf(value, "%5u..%5u%c", &min, &max, &rest) != 2 || min < 1 ||
        max < min || max > SIM_JUNK_MAX)
        return sim_words_fail(w, "sizes such as 28..1200, at most %d", SIM_JUNK_MAX);
    j->size_min = min;
    j->size_max = max;
    return OM_OK;
}

static enum om_err read_kind(struct sim_words *w, const char *value, void *out)
{
    static const char *const names[] = {
        [SIM_JUNK_RANDOM] = "random",
        [SIM_JUNK_DATA] = "data",
        [SIM_JUNK_INITIATION] = "initiation",
    };

    for (unsigned i = 0; i < SIM_JUNK_KIND_COUNT; i++)
        if (strcmp(value, names[i]) == 0) {
            *(enum sim_junk_kind *)out = (enum sim_junk_kind)i;
            return OM_OK;
        }
    return sim_words_fail(w, "random, data or initiation");
}

static enum om_err read_seen(struct sim_words *w, const char *value, void *out)
{
    const struct deed_out *o = out;

    o->deed->seen_by = sim_parse_find(o->parser, value) + 1;
    return o->deed->seen_by > 0 ? OM_OK : sim_words_fail(w, "an actor that was declared");
}

static enum om_err parse_connect(struct sim_parser *p, struct sim_deed *d)
{
    struct deed_out out = {p, d};
    const struct sim_option options[] = {
        {"at", read_actors, &out},
        {"seen", read_seen, &out},
        {"in", read_network, &out},
        {"expect", read_expect, &d->expect},
    };

    if (sim_parse_node(p, "a node", &d->b) != OM_OK)
        return OM_E_PARSE;
    return sim_words_options(&p->words, options, OM_ARRAY_SIZE(options));
}

static enum om_err parse_send(struct sim_parser *p, struct sim_deed *d)
{
    struct sim_words *w = &p->words;
    struct deed_out out = {p, d};
    const struct sim_option options[] = {
        {"channel", read_channel, d->channel},
        {"count", read_count, &d->number},
        {"size", sim_read_bytes, &d->size},
        {"every", sim_read_time, &d->pace},
        {"in", read_network, &out},
        {"expect", read_expect, &d->expect},
    };

    d->number = 1;
    if (sim_parse_node(p, "a node", &d->b) != OM_OK)
        return OM_E_PARSE;
    if (w->next == w->count || !w->word[w->next].is_quoted)
        return sim_words_fail(w, "a text in quotes");
    d->text = sim_copy(sim_words_next(w)->text);
    return sim_words_options(w, options, OM_ARRAY_SIZE(options));
}

static enum om_err parse_ping(struct sim_parser *p, struct sim_deed *d)
{
    struct deed_out out = {p, d};
    const struct sim_option options[] = {
        {"in", read_network, &out},
        {"expect", read_expect, &d->expect},
    };

    if (sim_parse_node(p, "a node", &d->b) != OM_OK)
        return OM_E_PARSE;
    return sim_words_options(&p->words, options, OM_ARRAY_SIZE(options));
}

/* KIND=X: what is said, and about whom. */
static enum om_err parse_lie(struct sim_parser *p, struct sim_deed *d)
{
    struct sim_words *w = &p->words;
    struct deed_out out = {p, d};
    char kind[SIM_NAME_MAX + 1] = "";
    const struct sim_option options[] = {
        {"in", read_network, &out},
        {"expect", read_expect, &d->expect},
    };

    if (sim_parse_node(p, "a node", &d->b) != OM_OK)
        return OM_E_PARSE;
    size_t n = strcspn(sim_words_peek(w), "=");
    snprintf(kind, sizeof kind, "%.*s", (int)(n <= SIM_NAME_MAX ? n : SIM_NAME_MAX),
             sim_words_peek(w));
    d->lie = sim_lie_kind_parse(kind);
    if (d->lie == SIM_LIE_KIND_COUNT || sim_words_peek(w)[n] != '=')
        return sim_words_fail(w, "candidate=, punch=, seen=, record=, source= or answer=");
    d->c = sim_parse_find(p, sim_words_peek(w) + n + 1);
    if (d->c < 0)
        return sim_words_fail(w, "an actor that was declared");
    w->next++;
    return sim_words_options(w, options, OM_ARRAY_SIZE(options));
}

static enum om_err parse_join(struct sim_parser *p, struct sim_deed *d)
{
    struct deed_out out = {p, d};
    const struct sim_option options[] = {
        {"at", read_actors, &out},      {"token", read_count, &d->number},
        {"uses", read_count, &d->size}, {"age", sim_read_time, &d->pace},
        {"in", read_network, &out},     {"expect", read_expect, &d->expect},
    };

    d->number = d->size = 1;
    if (sim_parse_node(p, "a node", &d->b) != OM_OK)
        return OM_E_PARSE;
    return sim_words_options(&p->words, options, OM_ARRAY_SIZE(options));
}

static enum om_err parse_void(struct sim_parser *p, struct sim_deed *d)
{
    struct deed_out out = {p, d};
    const struct sim_option options[] = {
        {"token", read_count, &d->number},
        {"uses", read_count, &d->size},
        {"in", read_network, &out},
        {"expect", read_expect, &d->expect},
    };

    d->number = d->size = 1;
    return sim_words_options(&p->words, options, OM_ARRAY_SIZE(options));
}

static enum om_err parse_oust(struct sim_parser *p, struct sim_deed *d)
{
    struct deed_out out = {p, d};
    const struct sim_option options[] = {
        {"honour", read_count, &d->number},
        {"in", read_network, &out},
        {"expect", read_expect, &d->expect},
    };

    if (sim_parse_node(p, "a node", &d->b) != OM_OK)
        return OM_E_PARSE;
    return sim_words_options(&p->words, options, OM_ARRAY_SIZE(options));
}

static enum om_err parse_epoch(struct sim_parser *p, struct sim_deed *d)
{
    struct deed_out out = {p, d};
    const struct sim_option options[] = {
        {"in", read_network, &out},
        {"expect", read_expect, &d->expect},
    };

    if (sim_words_count(&p->words, UINT32_MAX, &d->number) != OM_OK)
        return OM_E_PARSE;
    return sim_words_options(&p->words, options, OM_ARRAY_SIZE(options));
}

static enum om_err parse_rotate(struct sim_parser *p, struct sim_deed *d)
{
    struct deed_out out = {p, d};
    const struct sim_option options[] = {
        {"in", read_network, &out},
        {"expect", read_expect, &d->expect},
    };

    return sim_words_options(&p->words, options, OM_ARRAY_SIZE(options));
}

static enum om_err parse_restart(struct sim_parser *p, struct sim_deed *d)
{
    const struct sim_option options[] = {
        {"fresh", NULL, &d->is_fresh},
        {"newkey", NULL, &d->is_newkey},
    };

    if (sim_parse_node(p, "a node", &d->a) != OM_OK)
        return OM_E_PARSE;
    return sim_words_options(&p->words, options, OM_ARRAY_SIZE(options));
}

static enum om_err parse_one_node(struct sim_parser *p, struct sim_deed *d)
{
    return sim_parse_node(p, "a node", &d->a);
}

static enum om_err parse_clock(struct sim_parser *p, struct sim_deed *d)
{
    struct sim_words *w = &p->words;

    if (sim_parse_node(p, "a node", &d->a) != OM_OK)
        return OM_E_PARSE;
    if (sim_read_signed_time(w, sim_words_peek(w), &d->pace) != OM_OK)
        return OM_E_PARSE;
    w->next++;
    return OM_OK;
}

static enum om_err parse_cut(struct sim_parser *p, struct sim_deed *d)
{
    if (sim_parse_actor(p, "an actor", &d->a) != OM_OK)
        return OM_E_PARSE;
    return sim_words_end(&p->words) ? OM_OK : sim_parse_actor(p, "an actor", &d->b);
}

enum om_err sim_parse_two(struct sim_parser *p, struct sim_deed *d)
{
    if (sim_parse_actor(p, "an actor", &d->a) != OM_OK)
        return OM_E_PARSE;
    if (sim_parse_find(p, sim_words_peek(&p->words)) == d->a)
        return sim_words_fail(&p->words, "another actor");
    return sim_parse_actor(p, "an actor", &d->b);
}

static enum om_err parse_replay(struct sim_parser *p, struct sim_deed *d)
{
    struct sim_words *w = &p->words;
    const struct sim_option options[] = {
        {"times", read_count, &d->number},
        {"every", sim_read_time, &d->pace},
        {"own", NULL, &d->is_own},
    };

    d->number = 1;
    d->pace = OM_MS(1);
    if (sim_parse_two(p, d) != OM_OK)
        return OM_E_PARSE;
    if (!sim_words_take(w, "from"))
        return sim_words_fail(w, "from");
    if (sim_parse_attacker(p, &d->c) != OM_OK)
        return OM_E_PARSE;
    return sim_words_options(w, options, OM_ARRAY_SIZE(options));
}

static enum om_err parse_junk(struct sim_parser *p, struct sim_deed *d)
{
    struct sim_words *w = &p->words;
    struct sim_junk *j = &d->junk;
    uint32_t sources = 0;
    const struct sim_option options[] = {
        {"rate", sim_read_u64, &j->rate},
        {"for", sim_read_time, &j->length},
        {"size", read_sizes, j},
        {"kind", read_kind, &j->kind},
        {"sources", sim_read_u32, &sources},
    };

    j->size_min = 1;
    j->size_max = JUNK_SIZE_DEFAULT;
    if (sim_parse_attacker(p, &d->c) != OM_OK || sim_parse_node(p, "a node", &d->a) != OM_OK)
        return OM_E_PARSE;
    if (sim_words_options(w, options, OM_ARRAY_SIZE(options)) != OM_OK)
        return OM_E_PARSE;
    if (j->rate < 1 || j->rate > SIM_RATE_MAX || j->length < 1 || j->length > OM_SEC(JUNK_S_MAX))
        return sim_words_fail(w, "rate=1 to %d and for= up to a day", SIM_RATE_MAX);
    if (sources > SIM_SOURCES_MAX)
        return sim_words_fail(w, "sources=0 to %d", SIM_SOURCES_MAX);
    if (j->kind == SIM_JUNK_INITIATION && !p->script->actors[d->c].is_insider)
        return sim_words_fail(w, "an attacker that is an insider, for kind=initiation");
    j->sources = sources;
    return OM_OK;
}

struct verb {
    const char *word;
    bool subject_first;
    enum om_err (*parse)(struct sim_parser *p, struct sim_deed *d);
};

static const struct verb verbs[] = {
    [SIM_CONNECT] = {"connect", true, parse_connect},
    [SIM_SEND] = {"send", true, parse_send},
    [SIM_ALLOW] = {"allow", true, parse_ping},
    [SIM_PING] = {"ping", true, parse_ping},
    [SIM_CLOSE] = {"close", true, parse_ping},
    [SIM_KEEP] = {"keep", true, parse_ping},
    [SIM_BLOCK] = {"blocks", true, parse_ping},
    [SIM_LIE] = {"lie", true, parse_lie},
    [SIM_JOIN] = {"join", true, parse_join},
    [SIM_REVOKE] = {"revokes", true, parse_ping},
    [SIM_OUST] = {"ousts", true, parse_oust},
    [SIM_VOID] = {"voids", true, parse_void},
    [SIM_ROTATE] = {"rotates", true, parse_rotate},
    [SIM_CERTIFY] = {"certifies", true, parse_rotate},
    [SIM_EPOCH] = {"epoch", true, parse_epoch},
    [SIM_CRASH] = {"crash", false, parse_one_node},
    [SIM_RESTART] = {"restart", false, parse_restart},
    [SIM_MOVE] = {"move", false, sim_parse_move},
    [SIM_CLOCK] = {"clock", false, parse_clock},
    [SIM_PARTITION] = {"partition", false, parse_cut},
    [SIM_HEAL] = {"heal", false, parse_cut},
    [SIM_LINK] = {"link", false, sim_parse_link},
    [SIM_PIPE] = {"pipe", false, sim_parse_pipe},
    [SIM_THROUGH] = {"through", false, sim_parse_through},
    [SIM_MEASURE] = {"measure", false, sim_parse_measure},
    [SIM_RECORD] = {"record", false, sim_parse_two},
    [SIM_REPLAY] = {"replay", false, parse_replay},
    [SIM_JUNK] = {"junk", false, parse_junk},
    [SIM_LAN] = {"lan", false, sim_parse_lan},
    [SIM_FLUSH] = {"flush", false, sim_parse_flush},
};
static_assert(OM_ARRAY_SIZE(verbs) == SIM_VERB_COUNT, "a reader for each verb");

/* The verb of the next deed: the first word, or the second after a node's name. */
static enum om_err parse_verb(struct sim_parser *p, struct sim_deed *d)
{
    struct sim_words *w = &p->words;

    for (unsigned i = 0; i < SIM_VERB_COUNT; i++)
        if (!verbs[i].subject_first && sim_words_take(w, verbs[i].word)) {
            d->verb = (enum sim_verb)i;
            return OM_OK;
        }
    if (sim_parse_node(p,
                       "a node, or crash, restart, move, clock, partition, heal, link, pipe, "
                       "through, measure, record, replay, junk, lan or flush,",
                       &d->a) != OM_OK)
        return OM_E_PARSE;
    for (unsigned i = 0; i < SIM_VERB_COUNT; i++)
        if (verbs[i].subject_first && sim_words_take(w, verbs[i].word)) {
            d->verb = (enum sim_verb)i;
            return OM_OK;
        }
    return sim_words_fail(w, "connect, send, allow, ping, close, keep, blocks, lie, join, revokes, "
                             "ousts, voids, rotates, certifies or epoch");
}

enum om_err sim_parse_add_deed(struct sim_parser *p, struct sim_deed *d)
{
    struct sim_script *s = p->script;

    if (s->deed_count == SIM_DEEDS_MAX) {
        free(d->text);
        return sim_words_fail(&p->words, "at most %d deeds", SIM_DEEDS_MAX);
    }
    s->deeds = sim_grow(s->deeds, s->deed_count, &p->deed_cap, sizeof *s->deeds);
    s->deeds[s->deed_count++] = *d;
    if (d->until > p->last)
        p->last = d->until;
    return OM_OK;
}

enum om_err sim_parse_deeds(struct sim_parser *p, om_time at, om_time every, om_time until)
{
    do {
        struct sim_deed d = {
            .line = p->words.line,
            .at = at,
            .every = every,
            .until = until,
            .a = -1,
            .b = -1,
            .c = -1,
            .network = -1,
            .pipe = -1,
            .end_count = -1,
            .channel = "chat",
        };
        enum om_err e = parse_verb(p, &d);
        if (e == OM_OK)
            e = verbs[d.verb].parse(p, &d);
        if (e == OM_OK && !sim_words_end(&p->words))
            e = sim_words_fail(&p->words, "; or the end of the line");
        if (e != OM_OK) {
            free(d.text);
            return e;
        }
        if (sim_parse_add_deed(p, &d) != OM_OK)
            return OM_E_PARSE;
        if (p->words.next < p->words.count)
            p->words.next++; /* the ";" */
        else
            break;
    } while (p->words.next < p->words.count);
    return OM_OK;
}
