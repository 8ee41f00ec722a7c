/*
 * eventlog.h - what happened, one JSON object per line
 *
 * What:  {"at":"2026-11-21T10:00:00.123Z","event":"session_up","network":...,"peer":...,
 *        "addr":"192.0.2.1:18002","a":1,"b":0}; network, peer and addr only when the event has one.
 * Why:   a log line is for people; a program that wants to know what happened yesterday needs
 *        fields that mean the same in every version.
 * Keeps: eventlog_writes_one_object_per_event; eventlog_goes_on_after_a_crash;
 *        eventlog_rotates_between_lines; eventlog_survives_a_full_disk.
 * Full:  a line that cannot be written is counted in om_eventlog.file.lost.
 *
 * Source: JSON Lines; names of <omerta/event.h>.
 */
#ifndef OM_MESHD_EVENTLOG_H
#define OM_MESHD_EVENTLOG_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/event.h>
#include <omerta/id.h>
#include <omerta/time.h>

#include "rotfile.h"

enum { OM_EVENT_JSON = 384 };

struct om_eventlog {
    struct om_rotfile file;
};

/**
 * om_event_json() - an event as one JSON object
 * @out:      OM_EVENT_JSON bytes, terminated, without a newline
 * @wall:     when it happened
 * @e:        the event
 * @network:  where; NULL: nowhere in particular
 *
 * Return: @out.
 */
char *om_event_json(char out[static OM_EVENT_JSON], struct om_wall wall, const struct om_event *e,
                    const struct om_id *network);

/**
 * om_eventlog_open() - open or create the file; a line that a crash cut short is ended
 * @log:           filled in, also on failure: then every line is lost and counted
 * @path:          copied
 * @rotate_bytes:  as the limit of om_rotfile_open()
 * @keep:          as of om_rotfile_open()
 * @err:           sentence for a person; may be NULL
 *
 * Return: as om_rotfile_open().
 */
OM_MUST enum om_err om_eventlog_open(struct om_eventlog *log, const char *path,
                                     uint64_t rotate_bytes, unsigned keep, struct om_error *err);

/**
 * om_eventlog_put() - write one event
 * @log:      opened, with or without success
 * @wall:     when it happened
 * @e:        the event
 * @network:  where; NULL: nowhere in particular
 *
 * Return: false when it was lost.
 */
bool om_eventlog_put(struct om_eventlog *log, struct om_wall wall, const struct om_event *e,
                     const struct om_id *network);

/** om_eventlog_reopen() - on SIGHUP: open @log again; when that fails, @err says why and the old
 *  file stays in use. Return: as om_rotfile_reopen(). */
OM_MUST enum om_err om_eventlog_reopen(struct om_eventlog *log, struct om_error *err);

/** om_eventlog_close() - close @log; closing twice is fine. */
void om_eventlog_close(struct om_eventlog *log);

#endif
