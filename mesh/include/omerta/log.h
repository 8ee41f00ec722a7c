/*
 * log.h - structured log lines, built without I/O
 *
 * What:  key=value lines ("level=warn mod=handshake msg=\"no answer\" peer=aaaqeayeau try=3") are
 *        put together on the stack and handed, finished, to a sink.
 * Why:   the core may not write anywhere; and a line made of typed fields can be searched by a
 *        program and cannot be forged by what a peer calls itself.
 * Keeps: log_line_has_level_module_message_and_fields; log_below_the_level_reaches_no_sink;
 *        log_text_of_others_cannot_forge_fields; log_line_is_bounded_and_says_that_it_was_cut;
 *        log_null_is_silent.
 *
 * When a line is full, the text that does not fit is cut, later fields are left out, the line
 * ends in cut=1, and om_log.cut counts it. A sink adds the time: it has the clock.
 *
 * Source: the logfmt convention; values are quoted where they hold a space, "=" or an escape.
 */
#ifndef OMERTA_LOG_H
#define OMERTA_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/addr.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

enum { OM_LOG_LINE = 1024 }; /* bytes of a line with its terminator */

enum om_level {
    OM_LOG_ERROR, /* something a person must act on */
    OM_LOG_WARN,  /* something a person should know */
    OM_LOG_INFO,
    OM_LOG_DEBUG,
    OM_LOG_TRACE,
    OM_LEVEL_COUNT
};

struct om_log {
    enum om_level level; /* the last one that is wanted; may be changed at any time */
    void (*sink)(void *self, enum om_level level, const char *line); /* no newline; borrowed */
    void *self;
    uint64_t lines; /* handed to the sink */
    uint64_t cut;   /* of these, cut short */
};

struct om_logline {
    struct om_log *log; /* NULL: nobody wants this line, and the rest is not filled in */
    enum om_level level;
    bool is_cut;
    size_t n;
    char text[OM_LOG_LINE];
};

/**
 * om_log_start() - the part of om_log_begin() for lines that somebody wants
 * @line:    filled in
 * @log:     not NULL
 * @level:   of this line
 * @module:  as in om_log_begin()
 * @msg:     as in om_log_begin()
 */
void om_log_start(struct om_logline *line, struct om_log *log, enum om_level level,
                  const char *module, const char *msg);

/**
 * om_log_begin() - begin a line; a line below the level costs this comparison and no more
 * @line:    the caller's, need not be cleared
 * @log:     borrowed until om_log_end(); NULL: nothing is logged
 * @level:   of this line
 * @module:  our own word, the noun of the file
 * @msg:     our own constant sentence; what varies goes into fields
 *
 * Return: true when the line is wanted, so that a caller can skip costly fields.
 */
static inline bool om_log_begin(struct om_logline *line, struct om_log *log, enum om_level level,
                                const char *module, const char *msg)
{
    line->log = log && level <= log->level && log->sink ? log : NULL;
    if (line->log)
        om_log_start(line, log, level, module, msg);
    return line->log != NULL;
}

/**
 * om_log_str() - add a field with text, escaped and where needed quoted
 * @line:  begun
 * @key:   our own word of a-z, 0-9 and "_", as in all fields
 * @text:  terminated, may come from others; NULL is an empty text
 */
void om_log_str(struct om_logline *line, const char *key, const char *text);

/** om_log_u64() - add to @line the field @key with the number @v. */
void om_log_u64(struct om_logline *line, const char *key, uint64_t v);

/** om_log_i64() - add to @line the field @key with the signed number @v. */
void om_log_i64(struct om_logline *line, const char *key, int64_t v);

/** om_log_addr() - add to @line the field @key with the address @a. */
void om_log_addr(struct om_logline *line, const char *key, const struct om_addr *a);

/** om_log_id() - add to @line the field @key with the short form of @id. */
void om_log_id(struct om_logline *line, const char *key, const struct om_id *id);

/** om_log_time() - add to @line the field @key with the duration @d, in microseconds. */
void om_log_time(struct om_logline *line, const char *key, om_time d);

/** om_log_end() - hand @line to the sink; it is then spent, and om_log_begin() may reuse it. */
void om_log_end(struct om_logline *line);

/** om_level_name() - "error" ... "trace" of @level; "unknown" for other values. */
const char *om_level_name(enum om_level level);

/**
 * om_level_parse() - the level of a name, for configuration
 * @out:   untouched on failure
 * @text:  terminated
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err om_level_parse(enum om_level *out, const char *text, struct om_error *err);

#endif
