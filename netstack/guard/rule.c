/* rule.c - the words of a filter. */
#include "guard/rule.h"

#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

enum { WORDS_MAX = 5, WORD_MAX = OM_CIDR_TEXT };

static const char *const proto_words[OM_RULE_PROTO_COUNT] = {"any", "tcp", "udp", "icmp"};

struct words {
    char at[WORDS_MAX][WORD_MAX];
    unsigned n;
};

/* False when there are too many, or one is too long or empty. */
static bool cut(struct words *w, const char *text)
{
    for (w->n = 0; w->n < WORDS_MAX; w->n++) {
        size_t len = strcspn(text, " ");

        if (len == 0 || len >= WORD_MAX)
            return false;
        memcpy(w->at[w->n], text, len);
        w->at[w->n][len] = '\0';
        if (text[len] == '\0') {
            w->n++;
            return true;
        }
        text += len + 1;
    }
    return false;
}

static bool read_proto(struct om_rule *r, const char *word)
{
    for (unsigned i = 0; i < OM_RULE_PROTO_COUNT; i++) {
        if (strcmp(word, proto_words[i]) == 0) {
            r->proto = (enum om_rule_proto)i;
            return true;
        }
    }
    return false;
}

static bool read_ports(struct om_rule *r, char *word)
{
    char *dash = strchr(word, '-');
    uint64_t first, last;

    if (dash)
        *dash = '\0';
    if (om_u64_parse(&first, word, UINT16_MAX, NULL) != OM_OK)
        return false;
    last = first;
    if (dash && om_u64_parse(&last, dash + 1, UINT16_MAX, NULL) != OM_OK)
        return false;
    r->port_first = (uint16_t)first;
    r->port_last = (uint16_t)last;
    return first > 0 && first <= last;
}

static bool read_rule(struct om_rule *r, struct words *w, struct om_error *err)
{
    bool is_both = w->n > 1 && strcmp(w->at[1], "both") == 0;

    if (w->n < 3)
        return false;
    r->is_allow = strcmp(w->at[0], "allow") == 0;
    if (!r->is_allow && strcmp(w->at[0], "deny") != 0)
        return false;
    r->is_of[OM_OUT] = is_both || strcmp(w->at[1], "out") == 0;
    r->is_of[OM_IN] = is_both || strcmp(w->at[1], "in") == 0;
    if (!r->is_of[OM_OUT] && !r->is_of[OM_IN])
        return false;
    if (strcmp(w->at[2], "any") != 0 && om_cidr_parse(&r->net, w->at[2], err) != OM_OK)
        return false;
    if (w->n > 3 && !read_proto(r, w->at[3]))
        return false;
    if (w->n < 5)
        return true;
    return (r->proto == OM_RULE_TCP || r->proto == OM_RULE_UDP) && read_ports(r, w->at[4]);
}

enum om_err om_rule_parse(struct om_rule *out, const char *text, struct om_error *err)
{
    struct om_rule r = {.port_last = UINT16_MAX};
    struct om_error range = {0};
    struct words w;
    char shown[OM_SHOW_TEXT];

    if (!cut(&w, text) || !read_rule(&r, &w, &range))
        return om_fail(err, OM_E_PARSE,
                       "\"%s\": want such as \"allow out 10.0.0.0/8 tcp 80-443\"%s",
                       om_text_show(shown, text), range.code ? "; the range is none" : "");
    *out = r;
    return OM_OK;
}

char *om_rule_print(const struct om_rule *r, char out[static OM_RULE_TEXT])
{
    char net[OM_CIDR_TEXT] = "any", ports[16] = "";
    const char *way = r->is_of[OM_OUT] && r->is_of[OM_IN] ? "both" : r->is_of[OM_IN] ? "in" : "out";

    if (r->net.bits > 0)
        (void)om_cidr_print(&r->net, net);
    if (r->port_first == r->port_last)
        snprintf(ports, sizeof ports, " %u", r->port_first);
    else if (r->port_first > 0)
        snprintf(ports, sizeof ports, " %u-%u", r->port_first, r->port_last);
    snprintf(out, OM_RULE_TEXT, "%s %s %s %s%s", r->is_allow ? "allow" : "deny", way, net,
             proto_words[r->proto], ports);
    return out;
}
