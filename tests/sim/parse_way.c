/* parse_way.c - links, pipes and what is led through them, segments. */
#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

#include "parse.h"

enum { LINK_TIME_MAX_S = 3600, REORDER_MAX = 65536, QUEUE_MAX = 1 << 30 };

enum om_err sim_parse_one_way(struct sim_parser *p, int *a, int *b)
{
    struct sim_words *w = &p->words;
    char name[SIM_NAME_MAX + 1];
    const char *word = sim_words_peek(w), *arrow = strchr(word, '>');

    *a = *b = -1;
    if (arrow && arrow - word <= SIM_NAME_MAX) {
        snprintf(name, sizeof name, "%.*s", (int)(arrow - word), word);
        *a = sim_parse_find(p, name);
        *b = sim_parse_find(p, arrow + 1);
    }
    if (*a < 0 || *b < 0)
        return sim_words_fail(w, "actors that were declared, as A>B");
    w->next++;
    return OM_OK;
}

static bool link_in_range(const struct sim_link_model *m)
{
    const om_time most = OM_SEC(LINK_TIME_MAX_S); /* unset is -1 and so passes */

    return m->latency <= most && m->jitter <= most && m->spacing <= most &&
           (m->reorder <= REORDER_MAX || m->reorder == UINT32_MAX) &&
           (m->loss.burst <= REORDER_MAX || m->loss.burst == UINT32_MAX) &&
           (m->queue_bytes <= QUEUE_MAX || m->queue_bytes == UINT64_MAX);
}

enum om_err sim_parse_link(struct sim_parser *p, struct sim_deed *d)
{
    struct sim_words *w = &p->words;
    struct sim_link_model *m = &d->link.value;
    const struct sim_option options[] = {
        {"latency", sim_read_time, &m->latency},
        {"jitter", sim_read_time, &m->jitter},
        {"loss", sim_read_share, &m->loss.ppm},
        {"burst", sim_read_u32, &m->loss.burst},
        {"good", sim_read_share, &m->loss.good_ppm},
        {"bad", sim_read_share, &m->loss.bad_ppm},
        {"dup", sim_read_share, &m->dup_ppm},
        {"corrupt", sim_read_share, &m->corrupt_ppm},
        {"reorder", sim_read_u32, &m->reorder},
        {"spacing", sim_read_time, &m->spacing},
        {"rate", sim_read_bits, &m->rate_bps},
        {"queue", sim_read_bytes, &m->queue_bytes},
        {"mtu", sim_read_u32, &m->mtu},
    };
    bool arrow = strchr(sim_words_peek(w), '>') != NULL;
    enum om_err e = OM_OK;

    memset(m, 0xff, sizeof *m);
    d->a = d->b = SIM_ALL;
    d->link.one_way = arrow;
    if (arrow)
        e = sim_parse_one_way(p, &d->a, &d->b);
    else if (!sim_words_take(w, "*"))
        e = sim_parse_two(p, d);
    if (e == OM_OK)
        e = sim_words_options(w, options, OM_ARRAY_SIZE(options));
    if (e == OM_OK && !link_in_range(m))
        e = sim_words_fail(w, "times up to 1h, reorder and burst up to %d, queue up to 1GiB",
                           REORDER_MAX);
    return e;
}

static int find_pipe(const struct sim_parser *p, const char *name)
{
    for (unsigned i = 0; i < p->script->pipe_count; i++)
        if (strcmp(p->script->pipes[i], name) == 0)
            return (int)i;
    return -1;
}

enum om_err sim_parse_pipe_name(struct sim_parser *p, int *out)
{
    *out = find_pipe(p, sim_words_peek(&p->words));
    if (*out < 0)
        return sim_words_fail(&p->words, "a pipe that was declared");
    p->words.next++;
    return OM_OK;
}

enum om_err sim_parse_new_pipe(struct sim_parser *p)
{
    struct sim_script *s = p->script;
    const char *name = sim_words_peek(&p->words);

    if (!sim_parse_is_name(name) || strcmp(name, "none") == 0 || find_pipe(p, name) >= 0)
        return sim_words_fail(&p->words, "a name that no pipe has yet");
    if (s->pipe_count == SIM_NECKS_MAX)
        return sim_words_fail(&p->words, "at most %d pipes", SIM_NECKS_MAX);
    snprintf(s->pipes[s->pipe_count++], SIM_NAME_MAX + 1, "%s", name);
    return OM_OK;
}

/* "10M/64k", or "0". */
static enum om_err read_police(struct sim_words *w, const char *value, void *out)
{
    struct sim_pipe_model *m = out;
    const char *slash = strchr(value, '/');
    char rate[24];

    m->police_bps = m->police_bytes = 0;
    if (strcmp(value, "0") == 0)
        return OM_OK;
    if (!slash || slash - value >= (int)sizeof rate)
        return sim_words_fail(w, "a rate and a size such as 10M/64k, or 0");
    snprintf(rate, sizeof rate, "%.*s", (int)(slash - value), value);
    if (sim_read_bits(w, rate, &m->police_bps) != OM_OK)
        return OM_E_PARSE;
    if (sim_read_bytes(w, slash + 1, &m->police_bytes) != OM_OK)
        return OM_E_PARSE;
    if (m->police_bps < 1000 || m->police_bps / 8 > UINT32_MAX || m->police_bytes > QUEUE_MAX)
        return sim_words_fail(w, "a policer of 1k to 34G, and up to 1GiB at once");
    return OM_OK;
}

enum om_err sim_parse_pipe(struct sim_parser *p, struct sim_deed *d)
{
    struct sim_words *w = &p->words;
    struct sim_pipe_model *m = &d->change;
    const struct sim_option options[] = {
        {"rate", sim_read_bits, &m->rate_bps},
        {"queue", sim_read_bytes, &m->queue_bytes},
        {"loss", sim_read_share, &m->loss.ppm},
        {"burst", sim_read_u32, &m->loss.burst},
        {"good", sim_read_share, &m->loss.good_ppm},
        {"bad", sim_read_share, &m->loss.bad_ppm},
        {"police", read_police, m},
    };

    memset(m, 0xff, sizeof *m);
    if (sim_parse_pipe_name(p, &d->pipe) != OM_OK ||
        sim_words_options(w, options, OM_ARRAY_SIZE(options)) != OM_OK)
        return OM_E_PARSE;
    if ((m->queue_bytes > QUEUE_MAX && m->queue_bytes != UINT64_MAX) ||
        (m->loss.burst > REORDER_MAX && m->loss.burst != UINT32_MAX))
        return sim_words_fail(w, "queue up to 1GiB, burst up to %d", REORDER_MAX);
    return OM_OK;
}

enum om_err sim_parse_through(struct sim_parser *p, struct sim_deed *d)
{
    if (!sim_words_take(&p->words, "none") && sim_parse_pipe_name(p, &d->pipe) != OM_OK)
        return OM_E_PARSE;
    for (;;) {
        if (sim_parse_one_way(p, &d->a, &d->b) != OM_OK)
            return OM_E_PARSE;
        if (sim_words_end(&p->words))
            return OM_OK;
        if (sim_parse_add_deed(p, d) != OM_OK)
            return OM_E_PARSE;
    }
}

static int find_lan(const struct sim_script *s, const char *name)
{
    for (unsigned i = 0; i < s->lan_count; i++)
        if (strcmp(s->lans[i], name) == 0)
            return (int)i + 1;
    return 0;
}

enum om_err sim_parse_new_lan(struct sim_parser *p)
{
    struct sim_script *s = p->script;
    const char *name = sim_words_peek(&p->words);

    if (find_lan(s, name) > 0 || strcmp(name, "none") == 0)
        return OM_OK;
    if (!sim_parse_is_name(name))
        return sim_words_fail(&p->words, "the name of a segment");
    if (s->lan_count == SIM_LANS_MAX)
        return sim_words_fail(&p->words, "at most %d segments", SIM_LANS_MAX);
    snprintf(s->lans[s->lan_count++], SIM_NAME_MAX + 1, "%s", name);
    return OM_OK;
}

enum om_err sim_parse_lan(struct sim_parser *p, struct sim_deed *d)
{
    struct sim_words *w = &p->words;

    if (!sim_words_take(w, "none")) {
        d->lan = find_lan(p->script, sim_words_peek(w));
        if (d->lan == 0)
            return sim_words_fail(w, "a segment that was declared");
        w->next++;
    }
    for (;;) {
        if (sim_parse_actor(p, "an actor", &d->a) != OM_OK)
            return OM_E_PARSE;
        if (sim_words_end(w))
            return OM_OK;
        if (sim_parse_add_deed(p, d) != OM_OK)
            return OM_E_PARSE;
    }
}

enum om_err sim_parse_measure(struct sim_parser *p, struct sim_deed *d)
{
    if (sim_words_take(&p->words, "pipe"))
        return sim_parse_pipe_name(p, &d->pipe);
    d->is_link = sim_words_take(&p->words, "link");
    if (d->is_link)
        return sim_parse_one_way(p, &d->a, &d->b);
    if (sim_parse_node(p, "pipe, link or a node", &d->a) != OM_OK)
        return OM_E_PARSE;
    if (!sim_words_take(&p->words, "from"))
        return sim_words_fail(&p->words, "from");
    return sim_parse_node(p, "a node", &d->b);
}
