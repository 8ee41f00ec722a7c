/* words.c - lines and words, and the values in them. */
#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

enum { SHARE_DIGITS = 4, PERCENT = 10000 };

static const char *const ops[] = {
    [SIM_OP_LT] = "<",  [SIM_OP_LE] = "<=", [SIM_OP_EQ] = "=",
    [SIM_OP_NE] = "!=", [SIM_OP_GE] = ">=", [SIM_OP_GT] = ">",
};
static_assert(OM_ARRAY_SIZE(ops) == SIM_OP_COUNT, "a text for each comparison");

void sim_words_init(struct sim_words *w, const char *file, struct om_bytes text,
                    struct om_error *err)
{
    *w = (struct sim_words){.r = om_rd(text), .err = err};
    snprintf(w->file, sizeof w->file, "%s", file);
}

enum om_err sim_words_fail(struct sim_words *w, const char *wanted, ...)
{
    char shown[OM_SHOW_TEXT], want[OM_ERROR_MSG_MAX];
    va_list args;

    va_start(args, wanted);
    (void)vsnprintf(want, sizeof want, wanted, args);
    va_end(args);
    if (sim_words_end(w))
        return om_fail(w->err, OM_E_PARSE, "%s:%u: nothing more here, wanted %s", w->file, w->line,
                       want);
    return om_fail(w->err, OM_E_PARSE, "%s:%u: \"%s\", wanted %s", w->file, w->line,
                   om_text_show(shown, sim_words_peek(w)), want);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The bytes of one line into @line, without comment and newline; *@more is false at the end. */
static enum om_err read_line(struct sim_words *w, char line[static SIM_LINE_MAX + 1], bool *more)
{
    bool in_quote = false, in_comment = false;
    size_t n = 0;

    for (*more = true;;) {
        uint8_t c = om_rd_u8(&w->r);
        if (w->r.bad || c == '\n')
            break;
        in_quote ^= c == '"' && !in_comment;
        in_comment |= c == '#' && !in_quote;
        if (c < ' ' && !is_blank(c))
            return om_fail(w->err, OM_E_PARSE, "%s:%u: byte %u, wanted text", w->file, w->line, c);
        if (in_comment)
            continue;
        if (n == SIM_LINE_MAX)
            return om_fail(w->err, OM_E_PARSE, "%s:%u: a longer line, wanted at most %d bytes",
                           w->file, w->line, SIM_LINE_MAX);
        line[n++] = (char)c;
    }
    line[n] = '\0';
    *more = !w->r.bad || n > 0;
    if (in_quote)
        return om_fail(w->err, OM_E_PARSE, "%s:%u: a quote that stays open, wanted \"text\"",
                       w->file, w->line);
    return OM_OK;
}

/* Length of the word at @p. */
static size_t word_length(const char *p)
{
    if (*p == ';')
        return 1;
    if (*p == '<' || *p == '>' || *p == '!' || *p == '=')
        return p[1] == '=' ? 2 : 1;
    return strcspn(p, " \t\r;\"");
}

/* Cuts @line into words, whose text is kept in w->text: each with its terminator, so at most
 * twice the bytes of the line. */
static enum om_err cut(struct sim_words *w, const char *line)
{
    char *at = w->text;

    for (const char *p = line; *p != '\0';) {
        if (is_blank((uint8_t)*p)) {
            p++;
            continue;
        }
        if (w->count == SIM_WORDS_MAX)
            return om_fail(w->err, OM_E_PARSE, "%s:%u: more words, wanted at most %d", w->file,
                           w->line, SIM_WORDS_MAX);
        bool quoted = *p == '"';
        size_t n = quoted ? strcspn(++p, "\"") : word_length(p);
        w->word[w->count++] = (struct sim_word){at, quoted};
        memcpy(at, p, n);
        at[n] = '\0';
        at += n + 1;
        p += n + quoted;
    }
    return OM_OK;
}

enum om_err sim_words_line(struct sim_words *w, bool *more)
{
    char line[SIM_LINE_MAX + 1] = "";

    w->count = 0;
    w->next = 0;
    do {
        w->line++;
        enum om_err e = read_line(w, line, more);
        if (e == OM_OK)
            e = cut(w, line);
        if (e != OM_OK)
            return e;
    } while (w->count == 0 && *more);
    return OM_OK;
}

bool sim_words_end(const struct sim_words *w)
{
    return w->next == w->count ||
           (!w->word[w->next].is_quoted && strcmp(w->word[w->next].text, ";") == 0);
}

const char *sim_words_peek(const struct sim_words *w)
{
    return sim_words_end(w) ? "" : w->word[w->next].text;
}

const struct sim_word *sim_words_next(struct sim_words *w)
{
    return sim_words_end(w) ? NULL : &w->word[w->next++];
}

bool sim_words_is(const struct sim_words *w, const char *word)
{
    return !sim_words_end(w) && !w->word[w->next].is_quoted &&
           strcmp(w->word[w->next].text, word) == 0;
}

bool sim_words_take(struct sim_words *w, const char *word)
{
    if (!sim_words_is(w, word))
        return false;
    w->next++;
    return true;
}

enum om_err sim_words_time(struct sim_words *w, om_time *out)
{
    if (sim_read_time(w, sim_words_peek(w), out) != OM_OK)
        return sim_words_fail(w, "a duration such as 250ms, 2s or 1h");
    w->next++;
    return OM_OK;
}

enum om_err sim_words_count(struct sim_words *w, uint64_t max, uint64_t *out)
{
    if (om_u64_parse(out, sim_words_peek(w), max, NULL) != OM_OK)
        return sim_words_fail(w, "a number from 0 to %llu", (unsigned long long)max);
    w->next++;
    return OM_OK;
}

enum om_err sim_words_op(struct sim_words *w, enum sim_op *out)
{
    for (unsigned i = 0; i < SIM_OP_COUNT; i++)
        if (sim_words_take(w, ops[i])) {
            *out = (enum sim_op)i;
            return OM_OK;
        }
    return sim_words_fail(w, "one of < <= = != >= >");
}

bool sim_op_holds(uint64_t a, enum sim_op op, uint64_t b)
{
    switch (op) {
    case SIM_OP_LT:
        return a < b;
    case SIM_OP_LE:
        return a <= b;
    case SIM_OP_EQ:
        return a == b;
    case SIM_OP_NE:
        return a != b;
    case SIM_OP_GE:
        return a >= b;
    case SIM_OP_GT:
        return a > b;
    case SIM_OP_COUNT:
        break;
    }
    return false;
}

const char *sim_op_text(enum sim_op op)
{
    return op < SIM_OP_COUNT ? ops[op] : "?";
}

/* The keys of @options, for a sentence. */
static enum om_err fail_option(struct sim_words *w, const struct sim_option *options, size_t n)
{
    char list[OM_ERROR_MSG_MAX] = "";
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        int more = snprintf(list + at, sizeof list - at, "%s%s%s", i ? " " : "", options[i].key,
                            options[i].read ? "=" : "");
        at += (size_t)more;
        if (at >= sizeof list)
            break;
    }
    return sim_words_fail(w, n ? "one of: %s" : "the end of the statement%s", list);
}

static enum om_err read_option(struct sim_words *w, const struct sim_option *o)
{
    const char *value = sim_words_peek(w) + strlen(o->key);

    if (!o->read)
        *(bool *)o->out = true;
    else if (o->read(w, value + 1, o->out) != OM_OK)
        return OM_E_PARSE;
    w->next++;
    return OM_OK;
}

enum om_err sim_words_options(struct sim_words *w, const struct sim_option *options, size_t n)
{
    while (!sim_words_end(w)) {
        const char *word = sim_words_peek(w);
        const struct sim_option *found = NULL;
        for (size_t i = 0; i < n && !found; i++) {
            size_t key = strlen(options[i].key);
            if (strncmp(word, options[i].key, key) == 0 &&
                word[key] == (options[i].read ? '=' : '\0'))
                found = &options[i];
        }
        if (!found || w->word[w->next].is_quoted)
            return fail_option(w, options, n);
        if (read_option(w, found) != OM_OK)
            return OM_E_PARSE;
    }
    return OM_OK;
}

enum om_err sim_read_time(struct sim_words *w, const char *value, void *out)
{
    om_time *t = out;

    if (om_duration_parse(t, value, NULL) != OM_OK || *t > OM_SEC(86400) * 36500)
        return sim_words_fail(w, "a duration such as 250ms, 2s or 1h, below 100 years");
    return OM_OK;
}

enum om_err sim_read_signed_time(struct sim_words *w, const char *value, void *out)
{
    om_time *t = out;

    if ((*value != '+' && *value != '-') || sim_read_time(w, value + 1, out) != OM_OK)
        return sim_words_fail(w, "a duration after + or -, such as +1h or -2s");
    if (*value == '-')
        *t = -*t;
    return OM_OK;
}

enum om_err sim_read_u32(struct sim_words *w, const char *value, void *out)
{
    uint64_t v;

    if (om_u64_parse(&v, value, UINT32_MAX, NULL) != OM_OK)
        return sim_words_fail(w, "a number below 2^32");
    *(uint32_t *)out = (uint32_t)v;
    return OM_OK;
}

enum om_err sim_read_u64(struct sim_words *w, const char *value, void *out)
{
    if (om_u64_parse(out, value, UINT64_C(1) << 48, NULL) != OM_OK)
        return sim_words_fail(w, "a number up to 2^48");
    return OM_OK;
}

enum om_err sim_read_share(struct sim_words *w, const char *value, void *out)
{
    uint64_t ppm = 0, unit = PERCENT;
    const char *p = value;
    unsigned digits = 0;

    for (; *p >= '0' && *p <= '9' && digits < 3; p++, digits++)
        ppm = ppm * 10 + (uint64_t)(*p - '0') * PERCENT;
    if (digits > 0 && *p == '.')
        for (p++; *p >= '0' && *p <= '9' && unit > 1; p++)
            ppm += (uint64_t)(*p - '0') * (unit /= 10);
    if (digits == 0 || strcmp(p, "%") != 0 || ppm > 100 * PERCENT)
        return sim_words_fail(w, "a share from 0%% to 100%%, with up to %d decimals", SHARE_DIGITS);
    *(uint32_t *)out = (uint32_t)ppm;
    return OM_OK;
}

enum om_err sim_read_bytes(struct sim_words *w, const char *value, void *out)
{
    if (om_size_parse(out, value, NULL) != OM_OK)
        return sim_words_fail(w, "a size such as 1200 or 64k");
    return OM_OK;
}

enum om_err sim_read_bits(struct sim_words *w, const char *value, void *out)
{
    char digits[24];
    size_t n = strspn(value, "0123456789");
    uint64_t unit = value[n] == '\0'              ? 1
                    : strcmp(value + n, "k") == 0 ? 1000
                    : strcmp(value + n, "M") == 0 ? 1000000
                    : strcmp(value + n, "G") == 0 ? 1000000000
                                                  : 0;
    uint64_t v;

    snprintf(digits, sizeof digits, "%.*s", (int)(n < sizeof digits ? n : sizeof digits), value);
    if (unit == 0 || om_u64_parse(&v, digits, UINT64_C(100000000000) / unit, NULL) != OM_OK ||
        (v > 0 && v * unit < 1000))
        return sim_words_fail(w, "bits per second from 1k to 100G, such as 10M");
    *(uint64_t *)out = v * unit;
    return OM_OK;
}
