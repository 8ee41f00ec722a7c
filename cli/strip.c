/* strip.c - a token walker: each run of characters that could be a secret is judged as a whole. */
#include "strip.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { KEY_MIN = 32, KEY_TEXT_MIN = 40, ID_LEN = 52, SHORT_LEN = 10, IP_MAX = 64 };

void om_strip_init(struct om_strip *s)
{
    memset(s, 0, sizeof *s);
}

enum om_err om_strip_word(struct om_strip *s, const char *word, const char *placeholder)
{
    if (!word || strlen(word) < 2)
        return OM_OK;
    if (s->word_count == OM_STRIP_WORDS_MAX)
        return OM_E_FULL;
    s->words[s->word_count].word = word;
    s->words[s->word_count++].placeholder = placeholder;
    return OM_OK;
}

static bool is_alnum(char c)
{
    return isalnum((unsigned char)c) != 0;
}

static size_t run_of(const char *text, const char *set)
{
    return strspn(text, set);
}

static const char *const kind_names[] = {"key", "peer", "ipv4", "ipv6", "word"};

/* A short form all of letters looks like a word: it is an id only when the whole one was seen. */
static bool is_known_short(const struct om_strip *s, const char *text)
{
    for (unsigned k = 0; k < s->count; k++)
        if (s->seen[k].kind == OM_STRIP_ID && memcmp(s->seen[k].text, text, SHORT_LEN) == 0)
            return true;
    return false;
}

/* Number of this thing among those of its kind, 0 when the table is full. */
static unsigned number_of(struct om_strip *s, enum om_strip_kind kind, const char *text, size_t n)
{
    char lower[OM_STRIP_TEXT_MAX];
    size_t i;

    for (i = 0; i < n && i + 1 < sizeof lower; i++)
        lower[i] = (char)tolower((unsigned char)text[i]);
    lower[i] = 0;
    for (unsigned k = 0; k < s->count; k++)
        if (s->seen[k].kind == kind && strcmp(s->seen[k].text, lower) == 0)
            return s->seen[k].number;
    if (s->count == OM_STRIP_SEEN_MAX)
        return 0;
    s->seen[s->count].kind = kind;
    s->seen[s->count].number = ++s->of_kind[kind];
    memcpy(s->seen[s->count].text, lower, sizeof lower);
    return s->seen[s->count++].number;
}

static void put(struct om_strip *s, enum om_strip_kind kind, const char *text, size_t n, FILE *to)
{
    unsigned number = number_of(s, kind, text, n);

    if (number)
        fprintf(to, "<%s%u>", kind_names[kind], number);
    else
        fprintf(to, "<%s>", kind_names[kind]);
}

/* An address is text that inet_pton() takes; a zone or a port after it stays. */
static size_t ip_len(const char *text, int family)
{
    char copy[IP_MAX];
    unsigned char bytes[16];
    size_t n = run_of(text, family == AF_INET ? "0123456789." : "0123456789abcdefABCDEF:.");

    if (n >= sizeof copy)
        n = sizeof copy - 1;
    for (; n >= 2; n--) {
        memcpy(copy, text, n);
        copy[n] = 0;
        if (!is_alnum(text[n]) && inet_pton(family, copy, bytes) == 1)
            return n;
    }
    return 0;
}

/* Versions such as 1.2.3 are no addresses; ::1 and 127.0.0.1 tell nothing about anybody. */
static bool tells_nothing(const char *text, size_t n)
{
    static const char *const known[] = {"127.0.0.1", "0.0.0.0", "::1", "::"};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(known); i++)
        if (strlen(known[i]) == n && memcmp(known[i], text, n) == 0)
            return true;
    return false;
}

static size_t take_ip(struct om_strip *s, const char *text, FILE *to)
{
    enum om_strip_kind kind = OM_STRIP_IPV4;
    size_t n = ip_len(text, AF_INET), six = ip_len(text, AF_INET6);

    if (six > n) {
        n = six;
        kind = OM_STRIP_IPV6;
    }
    if (!n || tells_nothing(text, n))
        return 0;
    put(s, kind, text, n, to);
    return n;
}

static bool has_digit_and_letter(const char *text, size_t n)
{
    bool digit = false, letter = false;

    for (size_t i = 0; i < n; i++) {
        digit |= isdigit((unsigned char)text[i]) != 0;
        letter |= isalpha((unsigned char)text[i]) != 0;
    }
    return digit && letter;
}

/* A long run with slashes is a path, unless it looks like base64: padded, or of an SSH key. */
static bool is_path(const char *text, size_t n)
{
    return memchr(text, '/', n) && text[n - 1] != '=' && strncmp(text, "AAAA", 4) != 0;
}

static size_t take_token(struct om_strip *s, const char *text, FILE *to)
{
    size_t hex = run_of(text, "0123456789abcdefABCDEF");
    size_t b32 = run_of(text, "abcdefghijklmnopqrstuvwxyz234567");
    size_t b64 =
        run_of(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-");

    if (b32 == ID_LEN && !is_alnum(text[b32])) {
        put(s, OM_STRIP_ID, text, SHORT_LEN, to);
        return b32;
    }
    if (hex >= KEY_MIN && !is_alnum(text[hex])) {
        put(s, OM_STRIP_KEY, text, hex, to);
        return hex;
    }
    if (b32 == SHORT_LEN && !is_alnum(text[b32]) &&
        (has_digit_and_letter(text, b32) || is_known_short(s, text))) {
        put(s, OM_STRIP_ID, text, SHORT_LEN, to);
        return b32;
    }
    if (b64 >= KEY_TEXT_MIN && has_digit_and_letter(text, b64) && !is_path(text, b64)) {
        put(s, OM_STRIP_KEY, text, b64, to);
        return b64;
    }
    return 0;
}

static size_t take_word(struct om_strip *s, const char *text, bool starts, FILE *to)
{
    for (unsigned i = 0; i < s->word_count; i++) {
        size_t n = strlen(s->words[i].word);

        if (strncmp(text, s->words[i].word, n) == 0 && !is_alnum(text[n]) &&
            (starts || !is_alnum(text[0]))) {
            (void)fputs(s->words[i].placeholder, to);
            return n;
        }
    }
    return 0;
}

void om_strip_text(struct om_strip *s, const char *text, FILE *to)
{
    bool starts = true; /* no letter or digit just before */

    while (*text) {
        size_t n = take_word(s, text, starts, to);

        if (!n && starts)
            n = take_token(s, text, to);
        if (!n && (starts || *text == ':'))
            n = take_ip(s, text, to);
        if (!n) {
            (void)fputc(*text, to);
            n = 1;
        }
        starts = !is_alnum(text[n - 1]);
        text += n;
    }
}
