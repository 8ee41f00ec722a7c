/*
 * strip.h - text without what tells who and where somebody is
 *
 * What:  replaces keys (64 hex digits or more), ids (52 base32 characters and their 10-character
 *        short form), IPv4 and IPv6 addresses, and given words (user, home, host name) by
 *        placeholders; the same thing gets the same placeholder all through one report.
 * Why:   a bug report is sent to strangers, and must still tell peer 1 from peer 2.
 * Keeps: strip_leaves_none_of_the_planted_secrets; strip_gives_the_same_name_to_the_same_thing;
 *        strip_leaves_ordinary_text_alone; strip_is_bounded.
 *
 * Full: beyond OM_STRIP_SEEN_MAX different things the placeholder has no number.
 */
#ifndef OM_CLI_STRIP_H
#define OM_CLI_STRIP_H

#include <stdio.h>

#include <omerta/err.h>

enum { OM_STRIP_SEEN_MAX = 512, OM_STRIP_WORDS_MAX = 8, OM_STRIP_TEXT_MAX = 136 };

enum om_strip_kind {
    OM_STRIP_KEY,
    OM_STRIP_ID,
    OM_STRIP_IPV4,
    OM_STRIP_IPV6,
    OM_STRIP_WORD,
};

struct om_strip {
    struct {
        enum om_strip_kind kind;
        unsigned number;
        char text[OM_STRIP_TEXT_MAX]; /* lower case; an id only its short form */
    } seen[OM_STRIP_SEEN_MAX];
    unsigned count, of_kind[OM_STRIP_WORD + 1];
    struct {
        const char *word, *placeholder;
    } words[OM_STRIP_WORDS_MAX];
    unsigned word_count;
};

/** om_strip_init() - @s has seen nothing yet. */
void om_strip_init(struct om_strip *s);

/**
 * om_strip_word() - a word to be replaced wherever it stands alone
 * @s:            ours
 * @word:         borrowed for the life of @s; NULL or shorter than 2 bytes: ignored
 * @placeholder:  "<user>"; borrowed as well
 *
 * Words are tried in the order given: the longest first. Beyond OM_STRIP_WORDS_MAX: OM_E_FULL.
 *
 * Return: OM_OK or OM_E_FULL.
 */
OM_MUST enum om_err om_strip_word(struct om_strip *s, const char *word, const char *placeholder);

/**
 * om_strip_text() - write @text without its secrets
 * @s:     remembers what it saw: a short form all of letters is known for an id only after the
 *         whole id, so long texts are stripped twice and the second result is used
 * @text:  terminated
 * @to:    written to; errors stay in its error indicator
 */
void om_strip_text(struct om_strip *s, const char *text, FILE *to);

#endif
