/* event.c - names and text of events. */
#include <omerta/event.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

static const struct {
    const char *name, *help;
} kinds[] = {
#define X(symbol, name_, help_) [OM_EVENT_##symbol] = {name_, help_},
    OM_EVENTS(X)
#undef X
};

const char *om_event_name(enum om_event_kind kind)
{
    return (unsigned)kind < OM_EVENT_COUNT ? kinds[kind].name : "unknown";
}

const char *om_event_help(enum om_event_kind kind)
{
    return (unsigned)kind < OM_EVENT_COUNT ? kinds[kind].help : "";
}

enum om_event_kind om_event_parse(const char *name)
{
    unsigned i;

    for (i = 0; i < OM_EVENT_COUNT; i++)
        if (strcmp(kinds[i].name, name) == 0)
            break;
    return (enum om_event_kind)i;
}

char *om_event_print(const struct om_event *e, char out[static OM_EVENT_TEXT])
{
    static const struct om_addr no_addr;
    char at[OM_DURATION_TEXT], peer[6 + OM_ID_TEXT] = "", addr[6 + OM_ADDR_TEXT] = "";

    if (!om_id_is_zero(&e->peer)) {
        memcpy(peer, " peer=", 6);
        om_id_print(&e->peer, peer + 6);
    }
    if (!om_addr_equal(&e->addr, &no_addr)) {
        memcpy(addr, " addr=", 6);
        om_addr_print(&e->addr, addr + 6);
    }
    snprintf(out, OM_EVENT_TEXT, "event=%s at=%s%s%s a=%" PRIu64 " b=%" PRIu64,
             om_event_name(e->kind), om_duration_print(e->at, at, sizeof at), peer, addr, e->a,
             e->b);
    return out;
}
