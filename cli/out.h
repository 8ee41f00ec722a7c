/*
 * out.h - what omerta prints
 *
 * What:  lines and JSON on standard output; sentences and progress on standard error.
 * Why:   colour, terminal and JSON are decided once; a peer's text reaches a terminal only escaped.
 * Keeps: out_peer_text_moves_no_cursor; out_colours_are_for_terminals; out_json_is_ascii.
 *
 * Source: https://no-color.org (NO_COLOR, present and not empty).
 */
#ifndef OM_CLI_OUT_H
#define OM_CLI_OUT_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include <omerta/attr.h>

#include "args.h"

enum { OM_OUT_TEXT_MAX = 1024 };

enum om_paint { OM_PAINT_NONE, OM_PAINT_GOOD, OM_PAINT_WARN, OM_PAINT_BAD, OM_PAINT_DIM };

struct om_out {
    FILE *to, *problems;
    bool json, colors;
    bool shows_progress; /* the problems file is a terminal and no JSON is wanted */
    bool has_progress;   /* a progress line is on it now */
};

/**
 * om_out_init() - where and how to print
 * @out:       filled
 * @to:        results; borrowed for the life of @out
 * @problems:  sentences and progress; borrowed as well
 * @json:      --json was given
 * @color:     what --color said
 */
void om_out_init(struct om_out *out, FILE *to, FILE *problems, bool json, enum om_color color);

/** om_out_line() - print @fmt and a newline on @out; text of others is escaped before. */
void om_out_line(struct om_out *out, const char *fmt, ...) OM_PRINTF(2, 3);

/** om_out_error() - print "omerta: ", @fmt and a newline among the problems of @out. */
void om_out_error(struct om_out *out, const char *fmt, ...) OM_PRINTF(2, 3);

/** om_out_progress() - show @text on the one line that is overwritten, when @out has a terminal. */
void om_out_progress(struct om_out *out, const char *text);

/** om_out_progress_done() - take the progress line of @out away. */
void om_out_progress_done(struct om_out *out);

/** om_out_json() - print @value on @out, indented by two and pure ASCII. */
void om_out_json(struct om_out *out, const json_t *value);

/** om_out_json_line() - print @value on @out in one line, and flush. */
void om_out_json_line(struct om_out *out, const json_t *value);

/** om_out_on() - the escape that starts @paint, or "" when @out has no colours. */
const char *om_out_on(const struct om_out *out, enum om_paint paint);

/** om_out_off() - the escape that ends what om_out_on() began on @out, or "". */
const char *om_out_off(const struct om_out *out);

/**
 * om_out_escape() - text of a peer made harmless
 * @buf:   terminated
 * @text:  terminated, or NULL for ""; what does not fit is cut; double quotes stay as they are
 *
 * Return: @buf.
 */
char *om_out_escape(char buf[static OM_OUT_TEXT_MAX], const char *text);

/** om_out_said() - as om_out_escape(), into @buf, a sentence @text of the daemon, which has escaped
 *  what others wrote in it: its backslashes stay. */
char *om_out_said(char buf[static OM_OUT_TEXT_MAX], const char *text);

/** om_out_lines() - write @text, lines that others wrote, escaped to @to. */
void om_out_lines(FILE *to, const char *text);

#endif
