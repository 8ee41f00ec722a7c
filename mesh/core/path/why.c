/* why.c - hints, by what carries and how attempts ended. */
#include "path/why.h"

#include <string.h>

#include "path/paths.h"

static void add(struct om_path_why *w, enum om_hint_kind kind, uint64_t n)
{
    if (w->hint_count < OM_WHY_HINTS_MAX)
        w->hints[w->hint_count++] = (struct om_hint){.kind = kind, .n = n};
}

static const struct om_attempt *last_punch(const struct om_path_why *w)
{
    for (unsigned i = w->attempt_count; i-- > 0;)
        if (w->attempts[i].what == OM_ATTEMPT_PUNCH)
            return &w->attempts[i];
    return NULL;
}

static bool was_asked(const struct om_path_why *w)
{
    for (unsigned i = 0; i < w->attempt_count; i++)
        if (w->attempts[i].saw != OM_SAW_UNASKED)
            return true;
    return false;
}

static void judge_unreached(struct om_path_why *w)
{
    if (w->is_blocked) { /* before that is mended nothing else helps */
        add(w, OM_HINT_UDP_BLOCKED, w->asked);
        return;
    }
    if (was_asked(w))
        add(w, OM_HINT_SILENT, 0);
    if (!w->knows_address)
        add(w, OM_HINT_NO_ADDRESS, 0);
    if (w->relays == 0)
        add(w, OM_HINT_NO_RELAY, 0);
}

static void judge_relayed(struct om_path_why *w)
{
    const struct om_attempt *punch = last_punch(w);
    bool is_failed = punch && (punch->saw == OM_SAW_REFUSAL || punch->saw == OM_SAW_SILENCE);

    if (w->is_punching || (!is_failed && w->again != OM_NEVER))
        add(w, OM_HINT_WAIT, w->is_punching ? 0 : (uint64_t)(w->again / 1000));
    if (is_failed && strcmp(punch->reason, "hairpin") == 0)
        add(w, OM_HINT_HAIRPIN, 0);
    else if (is_failed)
        add(w, OM_HINT_OPEN_PORT, 0);
    if (!w->is_mapped)
        add(w, OM_HINT_MAP_PORT, 0);
    if (!w->has_v6)
        add(w, OM_HINT_IPV6, 0);
    if (w->gain >= OM_MS(OM_WHY_NEARER_MS)) {
        if (w->hint_count == OM_WHY_HINTS_MAX)
            w->hint_count--;
        add(w, OM_HINT_NEARER_RELAY, (uint64_t)(w->gain / 1000));
        w->hints[w->hint_count - 1].relay = w->nearer;
    }
}

void om_why_judge(struct om_path_why *w)
{
    w->hint_count = 0;
    if (!w->has_session || w->active < 0)
        judge_unreached(w);
    else if (w->paths[w->active].via.lane != 0)
        judge_relayed(w);
}

const char *om_hint_name(enum om_hint_kind k)
{
    static const char *const names[] = {[OM_HINT_UDP_BLOCKED] = "udp_blocked",
                                        [OM_HINT_SILENT] = "silent",
                                        [OM_HINT_NO_ADDRESS] = "no_address",
                                        [OM_HINT_NO_RELAY] = "no_relay",
                                        [OM_HINT_WAIT] = "wait",
                                        [OM_HINT_MAP_PORT] = "map_port",
                                        [OM_HINT_OPEN_PORT] = "open_port",
                                        [OM_HINT_HAIRPIN] = "hairpin",
                                        [OM_HINT_IPV6] = "ipv6",
                                        [OM_HINT_NEARER_RELAY] = "nearer_relay"};

    return (unsigned)k < OM_HINT_KINDS ? names[k] : "unknown";
}

const char *om_paths_why_name(enum om_paths_why w)
{
    static const char *const names[OM_PATHS_WHYS] = {
        [OM_PATHS_FIRST] = "first",       [OM_PATHS_SHAKEN] = "handshake",
        [OM_PATHS_BETTER] = "better",     [OM_PATHS_FOLLOWED] = "followed",
        [OM_PATHS_SILENT] = "old-silent", [OM_PATHS_GONE] = "old-gone",
    };

    return (unsigned)w < OM_PATHS_WHYS ? names[w] : "unknown";
}
