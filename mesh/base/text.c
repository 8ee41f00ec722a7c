/* text.c - base32, numbers with units, and escaping. */
#include <omerta/text.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* 0 to 25 are a to z, 26 to 31 are 2 to 7; arithmetic, so that a secret leaves no cache trace. */
static char base32_char(unsigned v)
{
    unsigned is_digit = (25 - v) >> 31;

    return (char)('a' + v - is_digit * ('a' + 26 - '2'));
}

/* 0 to 31, or a value with bits above them when @c is not in the alphabet. */
static unsigned base32_value(char c)
{
    unsigned u = (unsigned char)c;
    unsigned letter = u - 'a', digit = u - '2';
    unsigned is_letter = (letter - 26) >> 31 & ~(letter >> 31) & 1;
    unsigned is_digit = (digit - 6) >> 31 & ~(digit >> 31) & 1;

    return (letter & -is_letter) | ((digit + 26) & -is_digit) | (1 - is_letter - is_digit) << 8;
}

void om_base32_encode(char *out, struct om_bytes in)
{
    unsigned held = 0, bits = 0;

    for (size_t i = 0; i < in.n; i++) {
        held = (held << 8 | in.p[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            *out++ = base32_char(held >> (bits - 5) & 31);
    }
    if (bits > 0)
        *out++ = base32_char(held << (5 - bits) & 31);
    *out = '\0';
}

enum om_err om_base32_decode(struct om_mut out, const char *text)
{
    size_t want = OM_BASE32_LEN(out.n), at = 0;
    unsigned held = 0, bits = 0, bad = 0;

    if (strnlen(text, want + 1) != want)
        return OM_E_PARSE;
    for (size_t i = 0; i < want; i++)
        bad |= base32_value(text[i]) >> 5;
    if (want > 0) /* the last character may carry bits that belong to no byte */
        bad |= base32_value(text[want - 1]) & ((1u << (want * 5 - out.n * 8)) - 1);
    if (bad)
        return OM_E_PARSE;
    for (size_t i = 0; i < want; i++) {
        held = (held << 5 | base32_value(text[i])) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out.p[at++] = (uint8_t)(held >> bits);
        }
    }
    return OM_OK;
}

/* Reads the digits at *@p, at least one, and moves past them; false also when they overflow. */
static enum om_err digits_take(const char **p, uint64_t *out, unsigned *count)
{
    uint64_t v = 0;
    bool is_big = false;

    for (*count = 0; **p >= '0' && **p <= '9'; ++*p, ++*count) {
        unsigned d = (unsigned)(**p - '0');
        if (v > (UINT64_MAX - d) / 10)
            is_big = true;
        else
            v = v * 10 + d;
    }
    if (*count == 0)
        return OM_E_PARSE;
    *out = v;
    return is_big ? OM_E_RANGE : OM_OK;
}

enum om_err om_u64_parse(uint64_t *out, const char *text, uint64_t max, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    const char *p = text;
    unsigned count;
    uint64_t v = 0;
    enum om_err e = digits_take(&p, &v, &count);

    if (e == OM_E_PARSE || *p != '\0')
        return om_fail(err, OM_E_PARSE, "\"%s\": want a decimal number", om_text_show(shown, text));
    if (e || v > max)
        return om_fail(err, OM_E_RANGE, "\"%s\": want a number from 0 to %" PRIu64,
                       om_text_show(shown, text), max);
    *out = v;
    return OM_OK;
}

static const struct {
    char name[3];
    om_time us;
} time_units[] = {
    {"d", 86400 * OM_SEC(1)}, {"h", 3600 * OM_SEC(1)}, {"m", 60 * OM_SEC(1)},
    {"s", OM_SEC(1)},         {"ms", OM_MS(1)},        {"us", OM_US(1)},
};

/* The unit at *@p, as an index into time_units; moves past it. A letter after it spoils it. */
static size_t unit_take(const char **p)
{
    size_t len = 0, i;

    while ((*p)[len] >= 'a' && (*p)[len] <= 'z')
        len++;
    for (i = 0; i < OM_ARRAY_SIZE(time_units); i++)
        if (strlen(time_units[i].name) == len && memcmp(*p, time_units[i].name, len) == 0)
            break;
    *p += len;
    return i;
}

/* One "12.5s" at *@p, added to *@sum; its unit must come after @unit in the table. */
static enum om_err term_take(const char **p, size_t *unit, uint64_t *sum)
{
    static const uint64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
    uint64_t whole = 0, part = 0, us;
    unsigned count = 0;
    enum om_err range = digits_take(p, &whole, &count), e;
    size_t i;

    if (range == OM_E_PARSE)
        return range;
    count = 0;
    if (**p == '.') {
        ++*p;
        e = digits_take(p, &part, &count);
        if (e || count >= OM_ARRAY_SIZE(tens))
            return OM_E_PARSE;
    }
    i = unit_take(p);
    if (i >= OM_ARRAY_SIZE(time_units) || i < *unit || (count > 0 && **p != '\0'))
        return OM_E_PARSE;
    *unit = i + 1;
    us = (uint64_t)time_units[i].us;
    if (part * us % tens[count] != 0)
        return OM_E_PARSE;
    part = part * us / tens[count];
    if (range || whole > ((uint64_t)OM_NEVER - 1 - part) / us ||
        *sum > (uint64_t)OM_NEVER - 1 - part - whole * us)
        return OM_E_RANGE;
    *sum += whole * us + part;
    return OM_OK;
}

enum om_err om_duration_parse(om_time *out, const char *text, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    const char *p = text;
    uint64_t sum = 0;
    size_t unit = 0;

    do {
        enum om_err e = term_take(&p, &unit, &sum);

        if (e == OM_E_RANGE)
            return om_fail(err, e, "\"%s\": a duration that long cannot be counted",
                           om_text_show(shown, text));
        if (e)
            return om_fail(err, e, "\"%s\": want a duration with its unit, such as %s",
                           om_text_show(shown, text), "250ms, 1.5s, 2m30s, 24h or 7d");
    } while (*p != '\0');
    *out = (om_time)sum;
    return OM_OK;
}

/* @whole + @part/@scale and @unit, without trailing zeros: "1.5s". */
static void fraction_print(char *out, size_t n, uint64_t whole, uint64_t part, int digits,
                           const char *unit)
{
    while (part > 0 && part % 10 == 0) {
        part /= 10;
        digits--;
    }
    if (part > 0)
        snprintf(out, n, "%" PRIu64 ".%0*" PRIu64 "%s", whole, digits, part, unit);
    else
        snprintf(out, n, "%" PRIu64 "%s", whole, unit);
}

char *om_duration_print(om_time d, char *out, size_t n)
{
    char text[OM_DURATION_TEXT] = "";
    size_t at = 0;
    uint64_t us = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;

    if (d < 0)
        text[at++] = '-';
    for (size_t i = 0; i < 3; i++) { /* days, hours, minutes */
        uint64_t unit = (uint64_t)time_units[i].us;
        if (us >= unit)
            at += (size_t)snprintf(text + at, sizeof text - at, "%" PRIu64 "%s", us / unit,
                                   time_units[i].name);
        us %= unit;
    }
    if (us >= 1000000 || (us > 0 && at > 1))
        fraction_print(text + at, sizeof text - at, us / 1000000, us % 1000000, 6, "s");
    else if (us >= 1000)
        fraction_print(text + at, sizeof text - at, us / 1000, us % 1000, 3, "ms");
    else if (us > 0)
        fraction_print(text + at, sizeof text - at, us, 0, 0, "us");
    else if (d == 0)
        snprintf(text, sizeof text, "0s");
    snprintf(out, n, "%s", d == OM_NEVER ? "never" : text);
    return out;
}

static const char size_letters[] = "KMGTPE";

/* How many bytes the unit @text means, 0 when it is none. */
static uint64_t size_unit(const char *text)
{
    const char *at;
    uint64_t base = 1024, unit = 1;

    if (text[0] == '\0' || strcmp(text, "B") == 0)
        return 1;
    at = strchr(size_letters, text[0] == 'k' ? 'K' : text[0]);
    if (!at)
        return 0;
    if (strcmp(text + 1, "B") == 0)
        base = 1000;
    else if (text[1] != '\0' && (text[0] == 'k' || strcmp(text + 1, "iB") != 0))
        return 0;
    for (const char *p = size_letters; p <= at; p++)
        unit *= base;
    return unit;
}

enum om_err om_size_parse(uint64_t *out, const char *text, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    const char *p = text;
    unsigned count;
    uint64_t v = 0, unit;
    enum om_err e = digits_take(&p, &v, &count);

    unit = size_unit(p);
    if (e == OM_E_PARSE || unit == 0)
        return om_fail(err, OM_E_PARSE, "\"%s\": want a size such as 1500, 64k, 4MiB or 2GB",
                       om_text_show(shown, text));
    if (e || v > UINT64_MAX / unit)
        return om_fail(err, OM_E_RANGE, "\"%s\": want a size below 16EiB",
                       om_text_show(shown, text));
    *out = v * unit;
    return OM_OK;
}

char *om_size_print(uint64_t bytes, char *out, size_t n)
{
    size_t i = 0;

    while (bytes > 0 && bytes % 1024 == 0 && i < sizeof size_letters - 1) {
        bytes /= 1024;
        i++;
    }
    if (i == 0)
        snprintf(out, n, "%" PRIu64, bytes);
    else
        snprintf(out, n, "%" PRIu64 "%ciB", bytes, size_letters[i - 1]);
    return out;
}

/* Length of the first character of @in, 1 to 4, or 0 when it is not valid UTF-8. */
static size_t utf8_take(struct om_bytes in, uint32_t *cp)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = in.p[0];
    size_t len = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4;
    uint32_t v = len == 1 ? first : first & (0x7fu >> len);

    if (len > in.n || (len == 4 && first >> 3 != 30))
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (in.p[i] >> 6 != 2)
            return 0;
        v = v << 6 | (in.p[i] & 0x3f);
    }
    if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
        return 0;
    *cp = v;
    return len;
}

bool om_text_is_utf8(struct om_bytes in)
{
    uint32_t cp;

    while (in.n > 0) {
        size_t len = utf8_take(in, &cp);
        if (len == 0)
            return false;
        in = om_bytes(in.p + len, in.n - len);
    }
    return true;
}

/* What would be unseen, or would move what is seen: Unicode's Cc, Cf, Co, Zs, Zl, Zp and fillers.
 */
static bool is_visible(uint32_t cp)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1f},       {'"', '"'},          {'\\', '\\'},       {0x7f, 0xa0},
        {0xad, 0xad},       {0x34f, 0x34f},      {0x600, 0x605},     {0x61c, 0x61c},
        {0x6dd, 0x6dd},     {0x70f, 0x70f},      {0x890, 0x891},     {0x8e2, 0x8e2},
        {0x115f, 0x1160},   {0x1680, 0x1680},    {0x17b4, 0x17b5},   {0x180b, 0x180f},
        {0x2000, 0x200f},   {0x2028, 0x202f},    {0x205f, 0x206f},   {0x2800, 0x2800},
        {0x3000, 0x3000},   {0x3164, 0x3164},    {0xe000, 0xf8ff},   {0xfdd0, 0xfdef},
        {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},    {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
        {0x110bd, 0x110bd}, {0x110cd, 0x110cd},  {0x13430, 0x1343f}, {0x1bca0, 0x1bca3},
        {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
    };

    if ((cp & 0xfffe) == 0xfffe) /* noncharacters at the end of every plane */
        return false;
    for (size_t i = 0; i < OM_ARRAY_SIZE(hidden); i++)
        if (cp >= hidden[i].first && cp <= hidden[i].last)
            return false;
    return true;
}

size_t om_text_escape_take(char *out, size_t n, struct om_bytes *in)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    uint32_t cp = 0;

    if (n == 0)
        return 0;
    while (in->n > 0) {
        size_t len = utf8_take(*in, &cp);
        bool stays = len > 0 && is_visible(cp);

        len = len > 0 ? len : 1;
        if ((stays ? len : 4 * len) > n - 1 - at)
            break;
        for (size_t i = 0; i < len; i++) {
            uint8_t b = in->p[i];
            if (stays) {
                out[at++] = (char)b;
                continue;
            }
            out[at++] = '\\';
            out[at++] = 'x';
            out[at++] = hex[b >> 4];
            out[at++] = hex[b & 15];
        }
        *in = om_bytes(in->p + len, in->n - len);
    }
    out[at] = '\0';
    return at;
}

size_t om_text_escape(char *out, size_t n, struct om_bytes in)
{
    return om_text_escape_take(out, n, &in);
}

char *om_text_show(char out[static OM_SHOW_TEXT], const char *text)
{
    struct om_bytes in = om_bytes(text, strnlen(text, OM_SHOW_TEXT));
    size_t at = om_text_escape_take(out, OM_SHOW_TEXT - 3, &in);

    if (in.n > 0)
        memcpy(out + at, "...", 4);
    return out;
}
