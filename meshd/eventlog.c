/* eventlog.c - events as JSON lines. */
#include "eventlog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <omerta/addr.h>

#include "logfile.h"

/* No value can hold a quote or a backslash: names are ours, ids base32, addresses digits. */
char *om_event_json(char out[static OM_EVENT_JSON], struct om_wall wall, const struct om_event *e,
                    const struct om_id *network)
{
    static const struct om_addr no_addr;
    char at[OM_WALL_TEXT], text[OM_ADDR_TEXT];
    size_t n = (size_t)snprintf(out, OM_EVENT_JSON, "{\"at\":\"%s\",\"event\":\"%s\"",
                                om_wall_print(wall, at), om_event_name(e->kind));

    if (network)
        n += (size_t)snprintf(out + n, OM_EVENT_JSON - n, ",\"network\":\"%s\"",
                              om_id_print(network, text));
    if (!om_id_is_zero(&e->peer))
        n += (size_t)snprintf(out + n, OM_EVENT_JSON - n, ",\"peer\":\"%s\"",
                              om_id_print(&e->peer, text));
    if (!om_addr_equal(&e->addr, &no_addr))
        n += (size_t)snprintf(out + n, OM_EVENT_JSON - n, ",\"addr\":\"%s\"",
                              om_addr_print(&e->addr, text));
    snprintf(out + n, OM_EVENT_JSON - n, ",\"a\":%" PRIu64 ",\"b\":%" PRIu64 "}", e->a, e->b);
    return out;
}

enum om_err om_eventlog_open(struct om_eventlog *log, const char *path, uint64_t rotate_bytes,
                             unsigned keep, struct om_error *err)
{
    return om_rotfile_open(&log->file, path, rotate_bytes, keep, err);
}

bool om_eventlog_put(struct om_eventlog *log, struct om_wall wall, const struct om_event *e,
                     const struct om_id *network)
{
    char line[OM_EVENT_JSON];

    return om_rotfile_put(&log->file, "", om_event_json(line, wall, e, network));
}

enum om_err om_eventlog_reopen(struct om_eventlog *log, struct om_error *err)
{
    return om_rotfile_reopen(&log->file, err);
}

void om_eventlog_close(struct om_eventlog *log)
{
    om_rotfile_close(&log->file);
}
