/* log.c - building log lines. */
#include <omerta/log.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

static const char cut_mark[] = " cut=1";

/* What fields may fill, so that the mark always fits. */
enum { FIELDS_MAX = OM_LOG_LINE - sizeof cut_mark };

static const char *const level_names[] = {
    [OM_LOG_ERROR] = "error", [OM_LOG_WARN] = "warn",   [OM_LOG_INFO] = "info",
    [OM_LOG_DEBUG] = "debug", [OM_LOG_TRACE] = "trace",
};
static_assert(OM_ARRAY_SIZE(level_names) == OM_LEVEL_COUNT, "a level has no name");

const char *om_level_name(enum om_level level)
{
    return (unsigned)level < OM_LEVEL_COUNT ? level_names[level] : "unknown";
}

enum om_err om_level_parse(enum om_level *out, const char *text, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];

    for (unsigned i = 0; i < OM_LEVEL_COUNT; i++) {
        if (strcmp(level_names[i], text) == 0) {
            *out = (enum om_level)i;
            return OM_OK;
        }
    }
    return om_fail(err, OM_E_PARSE, "\"%s\": want error, warn, info, debug or trace",
                   om_text_show(shown, text));
}

/* " key=" and @room more bytes for the value; false when they do not fit, which ends the line. */
static bool key_put(struct om_logline *line, const char *key, size_t room)
{
    size_t len = strlen(key), space = line->n > 0;

    if (!line->log || line->is_cut)
        return false;
    if (space + len + 1 + room > FIELDS_MAX - line->n) {
        line->is_cut = true;
        return false;
    }
    if (space)
        line->text[line->n++] = ' ';
    memcpy(line->text + line->n, key, len);
    line->n += len;
    line->text[line->n++] = '=';
    return true;
}

/* A field whose value is our own print, without anything to escape. */
static void plain_put(struct om_logline *line, const char *key, const char *value)
{
    size_t len = strlen(value);

    if (!key_put(line, key, len))
        return;
    memcpy(line->text + line->n, value, len);
    line->n += len;
}

/* Without quotes a value must be one word that holds nothing of the line's own grammar. */
static bool is_plain(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f || strchr("=\"\\", *text))
            return false;
    return true;
}

void om_log_str(struct om_logline *line, const char *key, const char *text)
{
    const char *from = text ? text : "";
    bool is_quoted;
    struct om_bytes in;

    if (!line->log || line->is_cut)
        return;
    in = om_bytes(from, strnlen(from, OM_LOG_LINE)); /* more cannot fit in any case */
    is_quoted = in.n == OM_LOG_LINE || !is_plain(from);
    if (!key_put(line, key, 2))
        return;
    if (is_quoted)
        line->text[line->n++] = '"';
    /* One byte stays for the closing quote; the terminator's is beyond FIELDS_MAX. */
    line->n += om_text_escape_take(line->text + line->n, FIELDS_MAX - line->n, &in);
    if (is_quoted)
        line->text[line->n++] = '"';
    line->is_cut = in.n > 0;
}

void om_log_u64(struct om_logline *line, const char *key, uint64_t v)
{
    char text[24];

    if (!line->log)
        return;
    snprintf(text, sizeof text, "%" PRIu64, v);
    plain_put(line, key, text);
}

void om_log_i64(struct om_logline *line, const char *key, int64_t v)
{
    char text[24];

    if (!line->log)
        return;
    snprintf(text, sizeof text, "%" PRId64, v);
    plain_put(line, key, text);
}

void om_log_addr(struct om_logline *line, const char *key, const struct om_addr *a)
{
    char text[OM_ADDR_TEXT];

    if (line->log)
        plain_put(line, key, om_addr_print(a, text));
}

void om_log_id(struct om_logline *line, const char *key, const struct om_id *id)
{
    char text[OM_ID_SHORT];

    if (line->log)
        plain_put(line, key, om_id_short(id, text));
}

void om_log_time(struct om_logline *line, const char *key, om_time d)
{
    char text[OM_DURATION_TEXT];

    if (line->log)
        plain_put(line, key, om_duration_print(d, text, sizeof text));
}

void om_log_start(struct om_logline *line, struct om_log *log, enum om_level level,
                  const char *module, const char *msg)
{
    line->log = log;
    line->level = level;
    line->is_cut = false;
    line->n = 0;
    plain_put(line, "level", om_level_name(level));
    om_log_str(line, "mod", module);
    om_log_str(line, "msg", msg);
}

void om_log_end(struct om_logline *line)
{
    struct om_log *log = line->log;

    if (!log)
        return;
    line->log = NULL;
    if (line->is_cut) {
        memcpy(line->text + line->n, cut_mark, sizeof cut_mark);
        log->cut++;
    } else {
        line->text[line->n] = '\0';
    }
    log->lines++;
    log->sink(log->self, line->level, line->text);
}
