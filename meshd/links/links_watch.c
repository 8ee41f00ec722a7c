/* links_watch.c - what a link's owner sees of it, and does about it. */
#include <stdio.h>

#include "host/clock.h"
#include "links/parts.h"

void links_on_alarm(struct links *s,
                    void (*on_alarm)(void *self, uint64_t number, enum om_rogue_level level),
                    void *self)
{
    s->on_alarm = on_alarm;
    s->self = self;
}

void links_forgive(struct links *s, uint64_t number)
{
    struct link *l = links_find(s, number);

    if (l)
        link_gate_forgive(l->gate, om_clock_now());
}

om_time links_heard_at(const struct links *s, uint64_t number)
{
    const struct link *l = links_find(s, number);

    return l ? l->heard_at : OM_NEVER;
}

bool links_tap(struct links *s, uint64_t number, struct link_tap *t)
{
    struct link *l = links_find(s, number);

    if (l)
        om_list_push_back(&l->taps, &t->link);
    return l != NULL;
}

json_t *links_traffic(const struct links *s, uint64_t number)
{
    const struct link *l = links_find(s, number);
    om_time now = om_clock_now();

    if (!l)
        return NULL;
    const struct link_counts *c = &l->counts;
    return json_pack(
        "{s:s, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "gate",
        link_gate_mode_name(l->config.gate), "rate", (json_int_t)l->config.rate, "score",
        json_integer(link_gate_score(l->gate, now)), "packets_sent", (json_int_t)c->frames_in,
        "packets_got", (json_int_t)c->frames_out, "bytes_sent", (json_int_t)c->bytes_in,
        "bytes_got", (json_int_t)c->bytes_out, "held", (json_int_t)c->held, "out_full",
        (json_int_t)c->out_full, "captured", (json_int_t)c->captured, "capture_lost",
        (json_int_t)c->capture_lost, "flows_forgotten", (json_int_t)l->account.forgotten,
        "flow_count", (json_int_t)om_lru_count(&l->account.flows), "refused",
        link_gate_dropped(l->gate), "flows", link_account_rows(&l->account, now));
}

void links_refused(const struct links *s, uint64_t number, char *out, size_t size)
{
    const struct link *l = links_find(s, number);
    uint64_t all = 0;
    const char *before = " (";

    for (unsigned r = 1; l && r < link_gate_reasons(); r++)
        all += link_gate_refused(l->gate, r);
    int n = snprintf(out, size, "%llu packets", (unsigned long long)all);
    for (unsigned r = 1; l && r < link_gate_reasons() && n > 0 && (size_t)n < size; r++) {
        uint64_t some = link_gate_refused(l->gate, r);
        if (some == 0)
            continue;
        n += snprintf(out + n, size - (size_t)n, "%s%llu %s", before, (unsigned long long)some,
                      link_gate_reason(r));
        before = ", ";
    }
    if (all > 0 && n > 0 && (size_t)n < size)
        (void)snprintf(out + n, size - (size_t)n, ")");
}
