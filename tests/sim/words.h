/*
 * words.h - the words of a scenario text
 *
 * What:  cuts a text into lines and words through the wire cursor, and reads values out of words:
 *        durations, counts, shares, sizes, key=value options.
 * Why:   every statement is read with the same few functions, so every mistake is answered in the
 *        same way: file, line, what stood there, what was wanted.
 * Keeps: script_errors_name_file_and_line; script_any_bytes_are_answered.
 *
 *     word      letters, digits and most signs, up to blank, ";" or the end of the line
 *     "text"    a word of any characters but quotes
 *     ;         a word of its own;   > >= < <= = !=   too, at the start of a word
 *     # ...     nothing, up to the end of the line
 */
#ifndef SIM_WORDS_H
#define SIM_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/time.h>
#include <omerta/wire.h>

enum {
    SIM_LINE_MAX = 1000, /* bytes of a line; more is an error */
    SIM_WORDS_MAX = 200, /* of a line */
    SIM_FILE_SHOWN = 80  /* of the file's name, in errors */
};

struct sim_word {
    const char *text; /* terminated */
    bool is_quoted;
};

/* The words of one line, and which is next. */
struct sim_words {
    struct om_rd r;
    char file[SIM_FILE_SHOWN];
    unsigned line; /* counted from 1 */
    char text[2 * SIM_LINE_MAX + 2];
    struct sim_word word[SIM_WORDS_MAX];
    unsigned count, next;
    struct om_error *err; /* borrowed; receives the sentence */
};

enum sim_op { SIM_OP_LT, SIM_OP_LE, SIM_OP_EQ, SIM_OP_NE, SIM_OP_GE, SIM_OP_GT, SIM_OP_COUNT };

/* One key=value option: @read puts the value at @out; without @read the bare word sets a bool. */
struct sim_option {
    const char *key;
    enum om_err (*read)(struct sim_words *w, const char *value, void *out);
    void *out;
};

/**
 * sim_words_init() - start on a text
 * @w:     storage
 * @file:  its name, for errors
 * @text:  borrowed until the last line was read
 * @err:   borrowed; receives the sentence of the first mistake; may be NULL
 */
void sim_words_init(struct sim_words *w, const char *file, struct om_bytes text,
                    struct om_error *err);

/**
 * sim_words_line() - the next line that has words
 * @w:     the words
 * @more:  receives false at the end of the text
 *
 * Return: OM_OK, or OM_E_PARSE for a line too long, an open quote, a strange byte.
 */
OM_MUST enum om_err sim_words_line(struct sim_words *w, bool *more);

/**
 * sim_words_fail() - answer a mistake: "file:line: what, wanted WANTED"
 * @w:       the words; the next one is "what"
 * @wanted:  printf format
 *
 * Return: OM_E_PARSE.
 */
enum om_err sim_words_fail(struct sim_words *w, const char *wanted, ...) OM_PRINTF(2, 3);

/** sim_words_is() - the next unquoted word of @w is @word; it is not consumed. */
bool sim_words_is(const struct sim_words *w, const char *word);

/** sim_words_take() - as sim_words_is(@w, @word), and consume it if so. */
bool sim_words_take(struct sim_words *w, const char *word);

/** sim_words_end() - the line, or the statement up to ";", of @w is over. */
bool sim_words_end(const struct sim_words *w);

/** sim_words_next() - consume and lend the next word of @w; NULL at sim_words_end(). */
const struct sim_word *sim_words_next(struct sim_words *w);

/** sim_words_peek() - text of the next word of @w; "" at sim_words_end(). */
const char *sim_words_peek(const struct sim_words *w);

/** sim_words_time() - consume a duration of @w such as "250ms" into @out. */
OM_MUST enum om_err sim_words_time(struct sim_words *w, om_time *out);

/** sim_words_count() - consume a number of @w, 0 to @max, into @out. */
OM_MUST enum om_err sim_words_count(struct sim_words *w, uint64_t max, uint64_t *out);

/** sim_words_op() - consume a comparison of @w into @out. */
OM_MUST enum om_err sim_words_op(struct sim_words *w, enum sim_op *out);

/** sim_op_holds() - whether @a @op @b. */
bool sim_op_holds(uint64_t a, enum sim_op op, uint64_t b);

/** sim_op_text() - how @op is written. */
const char *sim_op_text(enum sim_op op);

/**
 * sim_words_options() - consume the rest of a statement as options in any order
 * @w:        the words
 * @options:  what may stand there
 * @n:        how many
 *
 * Return: OM_OK, or OM_E_PARSE for a word that is none of them.
 */
OM_MUST enum om_err sim_words_options(struct sim_words *w, const struct sim_option *options,
                                      size_t n);

/* Readers for struct sim_option; their @w is for the error sentence. */

/** sim_read_time() - @value of @w, a duration, into the om_time at @out. */
enum om_err sim_read_time(struct sim_words *w, const char *value, void *out);

/** sim_read_signed_time() - @value of @w, a duration after "+" or "-", into the om_time at @out. */
enum om_err sim_read_signed_time(struct sim_words *w, const char *value, void *out);

/** sim_read_u32() - @value of @w, a number below 2^32, into the uint32_t at @out. */
enum om_err sim_read_u32(struct sim_words *w, const char *value, void *out);

/** sim_read_u64() - @value of @w, a number below 2^48, into the uint64_t at @out. */
enum om_err sim_read_u64(struct sim_words *w, const char *value, void *out);

/** sim_read_share() - @value of @w, "12.5%" or "0.125%", as ppm into the uint32_t at @out. */
enum om_err sim_read_share(struct sim_words *w, const char *value, void *out);

/** sim_read_bytes() - @value of @w, a size such as "64k", into the uint64_t at @out. */
enum om_err sim_read_bytes(struct sim_words *w, const char *value, void *out);

/** sim_read_bits() - @value of @w, bits/s such as "10M" (10^7), into the uint64_t at @out. */
enum om_err sim_read_bits(struct sim_words *w, const char *value, void *out);

#endif
