/*
 * config_keys.h - the one table of configuration keys
 *
 * What:  for each key its path, flag, kind, default, range, help, and whether it needs a restart;
 *        setting one from text or JSON and printing it, whatever its kind.
 * Why:   flags, config.json, --help, the man page and the report of a reload are made from it, so
 *        none of them can lag behind the others.
 * Keeps: config_keys_are_whole; config_keys_near_words_are_found; config_every_key_sets_and_prints.
 */
#ifndef OM_MESHD_CONFIG_KEYS_H
#define OM_MESHD_CONFIG_KEYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/err.h>

struct om_config;

enum {
    OM_CONFIG_KEYS = 28,
    OM_CONFIG_VALUE = 16 * 384 + 64 /* the longest text of om_config_key_print(): a full list */
};

enum om_config_kind {
    OM_CONFIG_BOOL,
    OM_CONFIG_NUMBER,
    OM_CONFIG_SIZE, /* bytes: a number, or a text with a unit */
    OM_CONFIG_WORD, /* one of a few */
    OM_CONFIG_STRING,
    OM_CONFIG_LIST /* of texts */
};

struct om_config_key {
    const char *path;   /* in config.json; dots are nested objects */
    const char *flag;   /* without "--" */
    const char *preset; /* the default, as om_config_key_set() reads it */
    const char *want;   /* what it takes, for sentences; NULL: made from kind and range */
    const char *help;   /* one sentence without its full stop */
    enum om_config_kind kind;
    bool needs_restart;
    bool zero_too;            /* 0 is allowed though below min */
    uint64_t min, max;        /* of numbers and sizes */
    const char *const *words; /* NULL ends them; the value is the index */
    enum om_err (*check)(const char *text, struct om_error *err); /* of texts; may be NULL */
    size_t at, bytes; /* of the value in struct om_config */
};

extern const struct om_config_key om_config_keys[OM_CONFIG_KEYS];

/** om_config_key_find() - the key whose path is @path; NULL: none. */
const struct om_config_key *om_config_key_find(const char *path);

/** om_config_key_flag() - the key whose flag is the @n bytes at @name; NULL: none. */
const struct om_config_key *om_config_key_flag(const char *name, size_t n);

/** om_config_key_near() - the key whose path is most like @path; NULL: none is like it. */
const struct om_config_key *om_config_key_near(const char *path);

/** om_config_key_near_flag() - the key whose flag is most like @name; NULL: none is like it. */
const struct om_config_key *om_config_key_near_flag(const char *name);

/**
 * om_config_key_want() - what a key takes, in words
 * @key:  the key
 * @out:  terminated; cut when it does not fit
 * @n:    bytes of @out
 *
 * Return: @out.
 */
char *om_config_key_want(const struct om_config_key *key, char *out, size_t n);

/**
 * om_config_key_set() - set one key from text, as flags do
 * @key:    the key; a list gets one text more
 * @c:      changed on success only
 * @text:   terminated
 * @where:  what the sentence begins with: "--port"
 * @err:    sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE, OM_E_RANGE, or OM_E_FULL for a list.
 */
OM_MUST enum om_err om_config_key_set(const struct om_config_key *key, struct om_config *c,
                                      const char *text, const char *where, struct om_error *err);

/**
 * om_config_key_set_json() - set one key from JSON, as config.json does
 * @key:    the key; a list is replaced whole
 * @c:      changed on success only
 * @v:      borrowed
 * @where:  what the sentence begins with: the file and the path of the key
 * @err:    sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE, OM_E_RANGE, or OM_E_FULL for a list.
 */
OM_MUST enum om_err om_config_key_set_json(const struct om_config_key *key, struct om_config *c,
                                           const json_t *v, const char *where,
                                           struct om_error *err);

/** om_config_key_clear() - make the list of @key in @c empty; other kinds are left alone. */
void om_config_key_clear(const struct om_config_key *key, struct om_config *c);

/**
 * om_config_key_print() - a value as text; texts that differ mean values that differ
 * @key:  the key
 * @c:    its values
 * @out:  OM_CONFIG_VALUE bytes, terminated; what people wrote is escaped by who shows it
 *
 * Return: @out.
 */
char *om_config_key_print(const struct om_config_key *key, const struct om_config *c,
                          char out[static OM_CONFIG_VALUE]);

#endif
