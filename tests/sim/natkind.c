/* natkind.c - names of boxes and of their properties. */
#include "natkind.h"

#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

enum { TIMEOUT_MAX_S = 86400 };

struct kind {
    const char *name, *what;
    const char *words; /* properties, with spaces between */
};

/* The first ten are those of tests/lab/nat.py, in the same state: conntrack's timeouts, a map that
 * keeps a port open for five minutes after it was used, an INPUT chain that accepts. */
static const struct kind kinds[] = {
    {"full", "one port, anybody may answer",
     "refresh=out timeout=5m answered=5m early=claim sticky=yes"},
    {"addr", "one port, addresses that were asked may answer",
     "filter=ad refresh=out timeout=5m answered=5m early=claim sticky=yes"},
    {"port", "plain masquerade", "mapping=apd filter=apd early=claim sticky=yes"},
    {"portdrop", "masquerade, INPUT drops", "mapping=apd filter=apd sticky=yes"},
    {"sym", "masquerade to a range, fully random",
     "mapping=apd filter=apd ports=random range=20000..60000 early=claim"},
    {"symrand", "masquerade, random", "mapping=apd filter=apd ports=random early=claim"},
    {"symblock", "masquerade to 512 ports, fully random",
     "mapping=apd filter=apd ports=random range=20000..20511 early=claim"},
    {"ranged", "masquerade to 512 ports",
     "mapping=apd filter=apd ports=random range=20000..20511 early=claim sticky=yes"},
    {"hairpin", "full, and the inside may use the outside address",
     "refresh=out timeout=5m answered=5m hairpin=yes early=claim sticky=yes"},
    {"udpblock", "no UDP", "udp=no"},
    {"restricted", "one port, and who was asked may answer", "filter=apd"},
    {"next", "each destination has the next port",
     "mapping=apd filter=apd ports=stride exclusive=yes"},
    {"stride", "each destination has a port four further on",
     "mapping=apd filter=apd ports=stride stride=4 exclusive=yes"},
    {"block", "carrier: random in a block of 512 per subscriber, shared by destinations",
     "mapping=apd filter=apd ports=block block=512"},
    {"blockex", "the same, each port once",
     "mapping=apd filter=apd ports=block block=512 exclusive=yes"},
    {"carrier", "carrier as RFC 6888 has it: one port out of a block, hairpin",
     "ports=block block=512 hairpin=yes refresh=out timeout=2m answered=2m"},
};

static bool pick(const char *value, const char *const *names, unsigned count, unsigned *out)
{
    for (*out = 0; *out < count; (*out)++)
        if (strcmp(value, names[*out]) == 0)
            return true;
    return false;
}

static bool read_scope(const char *value, enum sim_nat_scope *out)
{
    static const char *const names[] = {"ei", "ad", "apd"};
    unsigned i;

    if (!pick(value, names, OM_ARRAY_SIZE(names), &i))
        return false;
    *out = (enum sim_nat_scope)i;
    return true;
}

static bool read_ports(const char *value, enum sim_nat_ports *out)
{
    static const char *const names[] = {"preserve", "stride", "random", "block"};
    unsigned i;

    if (!pick(value, names, OM_ARRAY_SIZE(names), &i))
        return false;
    *out = (enum sim_nat_ports)i;
    return true;
}

static bool read_refresh(const char *value, enum sim_nat_refresh *out)
{
    static const char *const names[] = {"both", "out", "in"};
    unsigned i;

    if (!pick(value, names, OM_ARRAY_SIZE(names), &i))
        return false;
    *out = (enum sim_nat_refresh)i;
    return true;
}

/* @no and @yes are the words for it. */
static bool read_bool(const char *value, const char *no, const char *yes, bool *out)
{
    *out = strcmp(value, yes) == 0;
    return *out || strcmp(value, no) == 0;
}

static bool read_count(const char *value, unsigned max, unsigned *out)
{
    char rest;

    return strlen(value) <= 7 && value[0] >= '0' && value[0] <= '9' &&
           sscanf(value, "%7u%c", out, &rest) == 1 && *out >= 1 && *out <= max;
}

static bool read_range(const char *value, struct sim_nat_model *m)
{
    unsigned first, last;
    char rest;

    if (strlen(value) > 12 || sscanf(value, "%5u..%5u%c", &first, &last, &rest) != 2 || first < 1 ||
        last < first || last > UINT16_MAX)
        return false;
    m->first = (uint16_t)first;
    m->last = (uint16_t)last;
    return true;
}

static bool read_time(const char *value, om_time *out)
{
    return om_duration_parse(out, value, NULL) == OM_OK && *out > 0 &&
           *out <= OM_SEC(TIMEOUT_MAX_S);
}

static bool is_key(const char *word, const char *key, const char **value)
{
    size_t n = strlen(key);

    *value = word + n + 1;
    return strncmp(word, key, n) == 0 && word[n] == '=';
}

bool sim_nat_set(struct sim_nat_model *m, const char *word)
{
    const char *v;

    if (is_key(word, "mapping", &v))
        return read_scope(v, &m->mapping);
    if (is_key(word, "filter", &v))
        return read_scope(v, &m->filtering);
    if (is_key(word, "ports", &v))
        return read_ports(v, &m->ports);
    if (is_key(word, "stride", &v))
        return read_count(v, UINT16_MAX, &m->stride);
    if (is_key(word, "block", &v))
        return read_count(v, UINT16_MAX, &m->block);
    if (is_key(word, "range", &v))
        return read_range(v, m);
    if (is_key(word, "exclusive", &v))
        return read_bool(v, "no", "yes", &m->is_exclusive);
    if (is_key(word, "sticky", &v))
        return read_bool(v, "no", "yes", &m->is_sticky);
    if (is_key(word, "hairpin", &v))
        return read_bool(v, "no", "yes", &m->is_hairpin);
    if (is_key(word, "early", &v))
        return read_bool(v, "drop", "claim", &m->is_claiming);
    if (is_key(word, "udp", &v))
        return read_bool(v, "yes", "no", &m->is_blocked);
    if (is_key(word, "refresh", &v))
        return read_refresh(v, &m->refresh);
    if (is_key(word, "timeout", &v))
        return read_time(v, &m->timeout);
    if (is_key(word, "answered", &v))
        return read_time(v, &m->answered);
    if (is_key(word, "entries", &v))
        return read_count(v, SIM_NAT_ENTRIES_MAX, &m->entries);
    return false;
}

bool sim_nat_is_sound(const struct sim_nat_model *m)
{
    return m->first > 0 && m->last >= m->first && m->stride > 0 && m->timeout > 0 &&
           m->answered > 0 && m->entries > 0 && m->entries <= SIM_NAT_ENTRIES_MAX &&
           (m->ports != SIM_NAT_BLOCK || (m->block > 0 && m->block <= m->last - m->first + 1u));
}

bool sim_nat_kind(const char *name, struct sim_nat_model *out)
{
    char word[64];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(kinds); i++) {
        if (strcmp(kinds[i].name, name) != 0)
            continue;
        *out = sim_nat_model_default();
        for (const char *at = kinds[i].words; *at != '\0';) {
            size_t n = strcspn(at, " ");
            snprintf(word, sizeof word, "%.*s", (int)n, at);
            bool is_known = sim_nat_set(out, word);
            OM_BUG_IF(!is_known);
            at += n + (at[n] == ' ');
        }
        return true;
    }
    return false;
}

const char *sim_nat_box(char *const *words, int count, struct sim_nat_model *out,
                        struct om_addr *outside)
{
    if (count < 2)
        return count > 0 ? words[0] : "";
    *outside = (struct om_addr){0};
    if (!om_addr_ip_parse(outside->ip, words[0]))
        return words[0];
    if (!sim_nat_kind(words[1], out))
        return words[1];
    for (int i = 2; i < count; i++)
        if (!sim_nat_set(out, words[i]))
            return words[i];
    return sim_nat_is_sound(out) ? NULL : words[1];
}

const char *sim_nat_kind_at(unsigned i, const char **what)
{
    if (i >= OM_ARRAY_SIZE(kinds))
        return NULL;
    *what = kinds[i].what;
    return kinds[i].name;
}
