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
    vfprintf(out->to, fmt, ap);
    va_end(ap);
    fputc('\n', out->to);
}

void om_out_error(struct om_out *out, const char *fmt, ...)
{
    va_list ap;

    om_out_progress_done(out);
    fflush(out->to);
    fputs("omerta: ", out->problems);
    va_start(ap, fmt);
    vfprintf(out->problems, fmt, ap);
    va_end(ap);
    fputc('\n', out->problems);
}

void om_out_progress(struct om_out *out, const char *text)
{
    if (!out->shows_progress)
        return;
    fprintf(out->problems, "\r\033[K%s", text);
    fflush(out->problems);
    out->has_progress = true;
}

void om_out_progress_done(struct om_out *out)
{
    if (!out->has_progress)
        return;
    fputs("\r\033[K", out->problems);
    fflush(out->problems);
    out->has_progress = false;
}

void om_out_json(struct om_out *out, const json_t *value)
{
    om_out_progress_done(out);
    json_dumpf(value, out->to, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    fputc('\n', out->to);
}

void om_out_json_line(struct om_out *out, const json_t *value)
{
    json_dumpf(value, out->to, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    fputc('\n', out->to);
    fflush(out->to);
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

char *om_out_escape(char buf[static OM_OUT_TEXT_MAX], const char *text)
{
    struct om_bytes in = {.p = (const uint8_t *)(text ? text : ""), .n = text ? strlen(text) : 0};

    om_text_escape(buf, OM_OUT_TEXT_MAX, in);
    return buf;
}
