/* out.c - printing, with what a terminal needs. */
#include "out.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/text.h>

void om_out_init(struct om_out *out, FILE *to, FILE *problems, bool json, enum om_color color)
{
    const char *none = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    memset(out, 0, sizeof *out);
    out->to = to;
    out->problems = problems;
    out->json = json;
    out->colors = color == OM_COLOR_ALWAYS;
    if (color == OM_COLOR_AUTO)
        out->colors = isatty(fileno(to)) && !(none && *none) && term && strcmp(term, "dumb") != 0;
    out->shows_progress = !json && isatty(fileno(problems));
}

void om_out_line(struct om_out *out, const char *fmt, ...)
{
    va_list ap;

    om_out_progress_done(out);
    va_start(ap, fmt);
    (void)vfprintf(out->to, fmt, ap);
    va_end(ap);
    (void)fputc('\n', out->to);
}

void om_out_error(struct om_out *out, const char *fmt, ...)
{
    va_list ap;

    om_out_progress_done(out);
    (void)fflush(out->to);
    (void)fputs("omerta: ", out->problems);
    va_start(ap, fmt);
    (void)vfprintf(out->problems, fmt, ap);
    va_end(ap);
    (void)fputc('\n', out->problems);
}

void om_out_progress(struct om_out *out, const char *text)
{
    if (!out->shows_progress)
        return;
    fprintf(out->problems, "\r\033[K%s", text);
    (void)fflush(out->problems);
    out->has_progress = true;
}

void om_out_progress_done(struct om_out *out)
{
    if (!out->has_progress)
        return;
    (void)fputs("\r\033[K", out->problems);
    (void)fflush(out->problems);
    out->has_progress = false;
}

/* 15 digits: what is 0.244 is not shown as 0.24399999999999999. */
static const size_t dump_flags = JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);

void om_out_json(struct om_out *out, const json_t *value)
{
    om_out_progress_done(out);
    json_dumpf(value, out->to, JSON_INDENT(2) | dump_flags);
    (void)fputc('\n', out->to);
}

void om_out_json_line(struct om_out *out, const json_t *value)
{
    json_dumpf(value, out->to, JSON_COMPACT | dump_flags);
    (void)fputc('\n', out->to);
    (void)fflush(out->to);
}

const char *om_out_on(const struct om_out *out, enum om_paint paint)
{
    static const char *const codes[] = {"", "\033[32m", "\033[33m", "\033[31m", "\033[2m"};

    return out->colors ? codes[paint] : "";
}

const char *om_out_off(const struct om_out *out)
{
    return out->colors ? "\033[0m" : "";
}

/* All of @text is made harmless but the characters of @kept. */
static char *escape(char buf[static OM_OUT_TEXT_MAX], const char *text, const char *kept)
{
    size_t at = 0;

    buf[0] = 0;
    while (text && *text && at + 2 < OM_OUT_TEXT_MAX) {
        size_t n = strcspn(text, kept);
        struct om_bytes in = om_bytes(text, n);

        at += om_text_escape_take(buf + at, OM_OUT_TEXT_MAX - at, &in);
        if (in.n || !text[n] || at + 2 > OM_OUT_TEXT_MAX)
            break; /* it did not fit, or that was all */
        buf[at++] = text[n];
        buf[at] = 0;
        text += n + 1;
    }
    return buf;
}

char *om_out_escape(char buf[static OM_OUT_TEXT_MAX], const char *text)
{
    return escape(buf, text, "\"");
}

char *om_out_said(char buf[static OM_OUT_TEXT_MAX], const char *text)
{
    return escape(buf, text, "\"\\");
}

void om_out_lines(FILE *to, const char *text)
{
    while (*text) {
        struct om_bytes line = om_bytes(text, strcspn(text, "\n"));

        text += line.n + (text[line.n] == '\n');
        while (line.n) {
            char shown[OM_OUT_TEXT_MAX];

            om_text_escape_take(shown, sizeof shown, &line);
            (void)fputs(shown, to);
        }
        (void)fputc('\n', to);
    }
}
