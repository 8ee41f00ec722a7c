/* script.c - declarations, and what all statements share. */
#include "script.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "router.h"

enum { CIPHER_CHACHA = 1, CIPHER_AES = 2 };

char *sim_copy(const char *text)
{
    size_t n = strlen(text) + 1;

    return memcpy(sim_alloc(n), text, n);
}

void *sim_grow(void *list, unsigned count, unsigned *cap, size_t size)
{
    if (count < *cap)
        return list;
    unsigned more = *cap ? 2 * *cap : 8;
    void *bigger = sim_alloc(more * size);
    if (count > 0)
        memcpy(bigger, list, count * size);
    free(list);
    *cap = more;
    return bigger;
}

bool sim_parse_is_name(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return isalpha((unsigned char)*s) && s[n] == '\0' && n <= SIM_NAME_MAX;
}

int sim_parse_find(const struct sim_parser *p, const char *name)
{
    for (unsigned i = 0; i < p->script->actor_count; i++)
        if (strcmp(p->script->actors[i].name, name) == 0)
            return (int)i;
    return -1;
}

int sim_parse_network(const struct sim_parser *p, const char *name)
{
    for (unsigned i = 0; i < p->script->network_count; i++)
        if (strcmp(p->script->networks[i].name, name) == 0)
            return (int)i;
    return -1;
}

enum om_err sim_parse_actor(struct sim_parser *p, const char *wanted, int *out)
{
    *out = sim_parse_find(p, sim_words_peek(&p->words));
    if (*out < 0)
        return sim_words_fail(&p->words, "%s that was declared", wanted);
    p->words.next++;
    return OM_OK;
}

enum om_err sim_parse_node(struct sim_parser *p, const char *wanted, int *out)
{
    int found = sim_parse_find(p, sim_words_peek(&p->words));

    if (found >= 0 && p->script->actors[found].is_attacker)
        return sim_words_fail(&p->words, "%s, not an attacker", wanted);
    return sim_parse_actor(p, wanted, out);
}

enum om_err sim_parse_attacker(struct sim_parser *p, int *out)
{
    int found = sim_parse_find(p, sim_words_peek(&p->words));

    if (found < 0 || !p->script->actors[found].is_attacker)
        return sim_words_fail(&p->words, "an attacker that was declared");
    return sim_parse_actor(p, "an attacker", out);
}

static enum om_err parse_network(struct sim_parser *p)
{
    struct sim_words *w = &p->words;
    struct sim_script *s = p->script;
    struct sim_decl_network n = {.name = ""};
    const char *name = sim_words_peek(w);

    if (!sim_parse_is_name(name) || sim_parse_network(p, name) >= 0)
        return sim_words_fail(w, "a new name of up to %d letters and digits", SIM_NAME_MAX);
    if (s->network_count == SIM_NETWORKS_MAX)
        return sim_words_fail(w, "at most %d networks", SIM_NETWORKS_MAX);
    if (s->actor_count > 0)
        return sim_words_fail(w, "networks before nodes");
    snprintf(n.name, sizeof n.name, "%s", name);
    sim_words_next(w);
    const struct sim_option options[] = {
        {"open", NULL, &n.is_open},
        {"closed", NULL, &n.is_closed},
        {"epoch", sim_read_u32, &n.epoch},
    };
    enum om_err e = sim_words_options(w, options, OM_ARRAY_SIZE(options));
    if (e == OM_OK && n.is_open && n.is_closed)
        return sim_words_fail(w, "open or closed");
    if (e == OM_OK)
        s->networks[s->network_count++] = n;
    return e;
}

/* A value read by a function that also needs the parser. */
struct spec_out {
    struct sim_parser *parser;
    struct sim_node_spec *spec;
};

static enum om_err read_networks(struct sim_words *w, const char *value, void *out)
{
    struct spec_out *o = out;
    struct sim_node_spec *s = o->spec;
    char name[SIM_NAME_MAX + 1];

    for (s->network_count = 0; *value != '\0' && s->network_count < SIM_NETWORKS_MAX;) {
        size_t n = strcspn(value, ",");
        snprintf(name, sizeof name, "%.*s", (int)(n <= SIM_NAME_MAX ? n : SIM_NAME_MAX), value);
        int found = sim_parse_network(o->parser, name);
        if (found < 0)
            return sim_words_fail(w, "networks that were declared");
        for (unsigned i = 0; i < s->network_count; i++)
            if (s->networks[i] == (unsigned)found)
                return sim_words_fail(w, "each network once");
        s->networks[s->network_count++] = (unsigned)found;
        value += n + (value[n] == ',');
    }
    return s->network_count > 0 && *value == '\0'
               ? OM_OK
               : sim_words_fail(w, "1 to %d networks", SIM_NETWORKS_MAX);
}

static enum om_err read_psk(struct sim_words *w, const char *value, void *out)
{
    if (strcmp(value, "wrong") != 0)
        return sim_words_fail(w, "psk=wrong");
    *(bool *)out = true;
    return OM_OK;
}

static enum om_err read_cert(struct sim_words *w, const char *value, void *out)
{
    static const char *const names[] = {
        [SIM_CERT_NONE] = "none",         [SIM_CERT_MEMBER] = "member",
        [SIM_CERT_ADMIN] = "admin",       [SIM_CERT_EXPIRED] = "expired",
        [SIM_CERT_OLD] = "old",           [SIM_CERT_LINK] = "link",
        [SIM_CERT_OPEN] = "open",         [SIM_CERT_ALIEN] = "alien",
        [SIM_CERT_BYMEMBER] = "bymember", [SIM_CERT_NORIGHT] = "noright",
        [SIM_CERT_CHAIN] = "chain",       [SIM_CERT_STOLEN] = "stolen",
        [SIM_CERT_RELAY] = "relay"};

    static_assert(OM_ARRAY_SIZE(names) == SIM_CERT_COUNT, "a name for each");
    for (unsigned i = 0; i < OM_ARRAY_SIZE(names); i++)
        if (strcmp(value, names[i]) == 0) {
            *(enum sim_cert *)out = (enum sim_cert)i;
            return OM_OK;
        }
    return sim_words_fail(
        w, "none, member, relay, admin, expired, old, link, open, alien, bymember, noright, "
           "chain or stolen");
}

static enum om_err read_ciphers(struct sim_words *w, const char *value, void *out)
{
    static const char *const names[] = {"", "chacha", "aes", "both"};

    for (unsigned i = CIPHER_CHACHA; i <= (CIPHER_CHACHA | CIPHER_AES); i++)
        if (strcmp(value, names[i]) == 0) {
            *(uint8_t *)out = (uint8_t)i;
            return OM_OK;
        }
    return sim_words_fail(w, "chacha, aes or both");
}

static enum om_err read_versions(struct sim_words *w, const char *value, void *out)
{
    struct sim_node_spec *s = out;
    unsigned min, max;
    char rest;

    if (strlen(value) > 8 || sscanf(value, "%3u..%3u%c", &min, &max, &rest) != 2 || min < 1 ||
        max < min || max > UINT8_MAX)
        return sim_words_fail(w, "versions such as 1..2");
    s->version_min = (uint8_t)min;
    s->version_max = (uint8_t)max;
    return OM_OK;
}

static enum om_err read_behind(struct sim_words *w, const char *value, void *out)
{
    const struct spec_out *o = out;

    o->spec->router = sim_parse_find_nat(o->parser, value);
    return o->spec->router > 0 ? OM_OK : sim_words_fail(w, "a NAT that was declared");
}

static enum om_err spec_options(struct sim_parser *p, struct sim_node_spec *s)
{
    struct spec_out out = {p, s};
    const struct sim_option options[] = {
        {"network", read_networks, &out},
        {"psk", read_psk, &s->wrong_secret},
        {"cert", read_cert, &s->cert},
        {"audit", NULL, &s->audit},
        {"gossip", NULL, &s->gossip},
        {"relay", NULL, &s->relays},
        {"clock", sim_read_signed_time, &s->skew},
        {"version", read_versions, s},
        {"ciphers", read_ciphers, &s->ciphers},
        {"rekey", sim_read_time, &s->rekey},
        {"packets", sim_read_u64, &s->packets},
        {"load", sim_read_u32, &s->load},
        {"peers", sim_read_u32, &s->peers},
        {"indices", sim_read_u32, &s->indices},
        {"carry", sim_read_bits, &s->carry_bits},
        {"lanes", sim_read_u32, &s->lanes},
        {"offer", sim_read_u32, &s->offer},
        {"behind", read_behind, &out},
    };

    if (sim_words_options(&p->words, options, OM_ARRAY_SIZE(options)) != OM_OK)
        return OM_E_PARSE;
    return s->carry_bits / 8 <= UINT32_MAX ? OM_OK : sim_words_fail(&p->words, "lanes up to 34G");
}

/* "NAME... [options]": a name has no "=" and is none of the bare options. */
static enum om_err parse_actors(struct sim_parser *p, bool attackers)
{
    struct sim_words *w = &p->words;
    struct sim_script *s = p->script;
    struct sim_decl_actor proto = {.is_attacker = attackers};
    unsigned first = s->actor_count;
    struct spec_out out = {p, &proto.spec};
    const struct sim_option options[] = {{"insider", NULL, &proto.is_insider},
                                         {"behind", read_behind, &out}};

    while (sim_parse_is_name(sim_words_peek(w)) && !sim_words_is(w, "audit") &&
           !sim_words_is(w, "gossip") && !sim_words_is(w, "relay") && !sim_words_is(w, "insider")) {
        if (sim_parse_find(p, sim_words_peek(w)) >= 0)
            return sim_words_fail(w, "a name that nobody has yet");
        if (s->actor_count == SIM_SCRIPT_ACTORS)
            return sim_words_fail(w, "at most %d actors", SIM_SCRIPT_ACTORS);
        s->actors = sim_grow(s->actors, s->actor_count, &p->actor_cap, sizeof *s->actors);
        struct sim_decl_actor *a = &s->actors[s->actor_count++];
        snprintf(a->name, sizeof a->name, "%s", sim_words_next(w)->text);
    }
    if (first == s->actor_count)
        return sim_words_fail(w, "a name of up to %d letters and digits", SIM_NAME_MAX);
    enum om_err e = attackers ? sim_words_options(w, options, OM_ARRAY_SIZE(options))
                              : spec_options(p, &proto.spec);
    proto.spec.remembers = proto.spec.gossip;
    for (; first < s->actor_count; first++) {
        memcpy(proto.name, s->actors[first].name, sizeof proto.name);
        s->actors[first] = proto;
    }
    return e;
}

static enum om_err parse_every(struct sim_parser *p)
{
    struct sim_words *w = &p->words;
    om_time every, from, to;

    if (sim_words_time(w, &every) != OM_OK)
        return OM_E_PARSE;
    if (every == 0 || !sim_words_is(w, "from"))
        return sim_words_fail(w, "from, after a time above 0");
    w->next++;
    if (sim_words_time(w, &from) != OM_OK)
        return OM_E_PARSE;
    if (!sim_words_take(w, "to"))
        return sim_words_fail(w, "to");
    if (sim_words_time(w, &to) != OM_OK)
        return OM_E_PARSE;
    if (to < from || (to - from) / every > SIM_COUNT_MAX)
        return sim_words_fail(w, "1 to %d repetitions before it", SIM_COUNT_MAX);
    return sim_parse_deeds(p, from, every, to);
}

static enum om_err parse_at(struct sim_parser *p)
{
    om_time at;

    if (sim_words_time(&p->words, &at) != OM_OK)
        return OM_E_PARSE;
    return sim_parse_is_check(p) ? sim_parse_check(p, SIM_AT, at) : sim_parse_deeds(p, at, 0, at);
}

static enum om_err parse_by(struct sim_parser *p)
{
    om_time at;

    if (sim_words_time(&p->words, &at) != OM_OK)
        return OM_E_PARSE;
    return sim_parse_check(p, SIM_BY, at);
}

/* What can be declared and is also a deed: it happens at the start. */
static enum om_err parse_way(struct sim_parser *p, enum sim_verb verb)
{
    struct sim_deed d = {
        .verb = verb, .line = p->words.line, .a = -1, .b = -1, .c = -1, .network = -1, .pipe = -1};
    enum om_err e;

    if (verb == SIM_PIPE && sim_parse_new_pipe(p) != OM_OK)
        return OM_E_PARSE;
    if (verb == SIM_LAN && sim_parse_new_lan(p) != OM_OK)
        return OM_E_PARSE;
    e = verb == SIM_LINK   ? sim_parse_link(p, &d)
        : verb == SIM_PIPE ? sim_parse_pipe(p, &d)
        : verb == SIM_LAN  ? sim_parse_lan(p, &d)
                           : sim_parse_through(p, &d);
    return e == OM_OK ? sim_parse_add_deed(p, &d) : e;
}

static enum om_err parse_statement(struct sim_parser *p)
{
    struct sim_words *w = &p->words;

    if (sim_words_take(w, "seed"))
        return sim_words_count(w, UINT64_MAX, &p->script->seed);
    if (sim_words_take(w, "hops"))
        return sim_words_count(w, SIM_HOPS_MAX, &p->script->hops);
    if (sim_words_take(w, "duration")) {
        p->has_duration = true;
        return sim_words_time(w, &p->script->end);
    }
    if (sim_words_take(w, "needs")) {
        p->script->needs_aes = sim_words_take(w, "aes");
        return p->script->needs_aes ? OM_OK : sim_words_fail(w, "aes");
    }
    if (sim_words_take(w, "network"))
        return parse_network(p);
    if (sim_words_take(w, "nat"))
        return sim_parse_nat(p);
    if (sim_words_take(w, "node"))
        return parse_actors(p, false);
    if (sim_words_take(w, "attacker"))
        return parse_actors(p, true);
    if (sim_words_take(w, "link"))
        return parse_way(p, SIM_LINK);
    if (sim_words_take(w, "pipe"))
        return parse_way(p, SIM_PIPE);
    if (sim_words_take(w, "through"))
        return parse_way(p, SIM_THROUGH);
    if (sim_words_take(w, "lan"))
        return parse_way(p, SIM_LAN);
    if (sim_words_take(w, "every"))
        return parse_every(p);
    if (sim_words_take(w, "at"))
        return parse_at(p);
    if (sim_words_take(w, "by"))
        return parse_by(p);
    if (sim_words_take(w, "never"))
        return sim_parse_check(p, SIM_NEVER, OM_NEVER);
    return sim_words_fail(
        w, "seed, duration, hops, needs, network, nat, node, attacker, link, pipe, through, "
           "lan, at, every, by or never");
}

/* Networks exist before nodes: without any, the first node finds "main". */
static void add_main(struct sim_script *s)
{
    if (s->network_count > 0)
        return;
    s->networks[s->network_count++] = (struct sim_decl_network){.name = "main", .is_open = true};
}

static enum om_err parse(struct sim_parser *p)
{
    bool more = true;

    while (more) {
        enum om_err e = sim_words_line(&p->words, &more);
        if (e != OM_OK || p->words.count == 0)
            return e;
        if (sim_words_is(&p->words, "node") || sim_words_is(&p->words, "attacker"))
            add_main(p->script);
        e = parse_statement(p);
        if (e == OM_OK && p->words.next < p->words.count)
            e = sim_words_fail(&p->words, "the end of the line");
        if (e != OM_OK)
            return e;
    }
    return OM_OK;
}

enum om_err sim_script_parse(struct sim_script **out, const char *file, struct om_bytes text,
                             struct om_error *err)
{
    struct sim_parser *p;
    enum om_err e;

    if (text.n > SIM_SCRIPT_MAX)
        return om_fail(err, OM_E_PARSE, "%s: %zu bytes, wanted at most %d", file, text.n,
                       SIM_SCRIPT_MAX);
    p = sim_alloc(sizeof *p);
    p->script = sim_alloc(sizeof *p->script);
    p->script->seed = 1;
    p->script->hops = SIM_HOPS;
    snprintf(p->script->file, sizeof p->script->file, "%s", file);
    sim_words_init(&p->words, file, text, err);
    e = parse(p);
    add_main(p->script);
    if (!p->has_duration)
        p->script->end = p->last + OM_SEC(1);
    if (e == OM_OK && p->script->end < p->last)
        e = om_fail(err, OM_E_PARSE, "%s: duration, wanted at least the last time that is named",
                    p->script->file);
    if (e == OM_OK)
        *out = p->script;
    else
        sim_script_free(p->script);
    free(p);
    return e;
}

void sim_script_free(struct sim_script *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->deed_count; i++)
        free(s->deeds[i].text);
    for (unsigned i = 0; i < s->check_count; i++) {
        free(s->checks[i].text);
        free(s->checks[i].source);
    }
    free(s->actors);
    free(s->deeds);
    free(s->checks);
    free(s);
}
