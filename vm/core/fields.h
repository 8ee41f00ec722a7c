/*
 * fields.h - the members of a JSON object, each asked for once and none left over
 *
 * What:  typed getters over one object; the first wrong member makes all later ones absent, and
 *        done() tells it; a member that nobody asked for is wrong too.
 * Why:   a misspelt "memroy" must not become a default, and a sentence must say where it stood.
 * Keeps: fields_refuse_what_nobody_asked_for; fields_name_the_place; fields_sizes_count_in_mib;
 *        fields_stop_at_the_first_fault.
 *
 * Full: more than OM_VM_FIELDS_MAX members asked of one object is a bug of ours.
 */
#ifndef OM_VM_FIELDS_H
#define OM_VM_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/time.h>

enum { OM_VM_FIELDS_MAX = 24 };

/* Read nothing but bad. */
struct om_vm_fields {
    const json_t *o;      /* borrowed */
    const char *where;    /* borrowed: how sentences call the object */
    struct om_error *err; /* borrowed, may be NULL */
    enum om_err bad;
    unsigned count;
    const char *keys[OM_VM_FIELDS_MAX]; /* asked for; borrowed */
};

/**
 * om_vm_fields_open() - begin
 * @f:      storage of the caller
 * @o:      any value; what is no object is a fault
 * @where:  the object's name in sentences, "spec" or "filters[3]"
 * @err:    receives the sentence of the first fault; may be NULL
 */
void om_vm_fields_open(struct om_vm_fields *f, const json_t *o, const char *where,
                       struct om_error *err);

/**
 * om_vm_fields_fail() - tell a fault of member @key, unless there was one before
 * @f:    the fields
 * @key:  the member; NULL: the object itself
 * @fmt:  what is wrong with it and what was wanted
 */
void om_vm_fields_fail(struct om_vm_fields *f, const char *key, const char *fmt, ...)
    OM_PRINTF(3, 4);

/** om_vm_fields_get() - member @key of @f, lent; NULL when it is absent or after a fault. */
const json_t *om_vm_fields_get(struct om_vm_fields *f, const char *key);

/**
 * om_vm_fields_text() - a text without control characters
 * @f:    the fields
 * @key:  the member
 * @out:  terminated; untouched unless it is there and fits
 * @n:    bytes of @out, so one more than the text may have
 *
 * Return: true when @out was written.
 */
bool om_vm_fields_text(struct om_vm_fields *f, const char *key, char *out, size_t n);

/**
 * om_vm_fields_number() - a whole number
 * @f:    the fields
 * @key:  the member
 * @min:  least allowed
 * @max:  greatest allowed
 * @out:  untouched unless it is there
 *
 * Return: true when @out was written.
 */
bool om_vm_fields_number(struct om_vm_fields *f, const char *key, uint64_t min, uint64_t max,
                         uint64_t *out);

/**
 * om_vm_fields_mib() - a size: a number, or a text of digits, is MiB; "4G", "512M" as in text.h
 * @f:    the fields
 * @key:  the member
 * @min:  least allowed, in MiB
 * @max:  greatest allowed, in MiB
 * @out:  MiB, rounded up; untouched unless it is there
 *
 * Return: true when @out was written.
 */
bool om_vm_fields_mib(struct om_vm_fields *f, const char *key, uint32_t min, uint32_t max,
                      uint32_t *out);

/**
 * om_vm_fields_duration() - "90s", "2h"
 * @f:    the fields
 * @key:  the member
 * @min:  least allowed
 * @max:  greatest allowed
 * @out:  untouched unless it is there
 *
 * Return: true when @out was written.
 */
bool om_vm_fields_duration(struct om_vm_fields *f, const char *key, om_time min, om_time max,
                           om_time *out);

/** om_vm_fields_bool() - member @key of @f into @out, untouched unless it is there; true when
 *  written. */
bool om_vm_fields_bool(struct om_vm_fields *f, const char *key, bool *out);

/**
 * om_vm_fields_word() - one of a few words
 * @f:      the fields
 * @key:    the member
 * @words:  what is allowed
 * @n:      how many
 * @out:    the word's index; untouched unless it is there
 *
 * Return: true when @out was written.
 */
bool om_vm_fields_word(struct om_vm_fields *f, const char *key, const char *const *words,
                       unsigned n, unsigned *out);

/**
 * om_vm_fields_list() - an array
 * @f:    the fields
 * @key:  the member
 * @max:  most elements allowed
 *
 * Return: the array, lent; NULL when it is absent or wrong.
 */
const json_t *om_vm_fields_list(struct om_vm_fields *f, const char *key, size_t max);

/** om_vm_fields_done() - OM_OK, or the first fault of @f: OM_E_PARSE for a wrong kind or an unknown
 *  member, OM_E_RANGE for a value out of bounds. */
OM_MUST enum om_err om_vm_fields_done(struct om_vm_fields *f);

/** om_vm_text_is_plain() - @n bytes at @s hold no control character and are valid UTF-8. */
bool om_vm_text_is_plain(const char *s, size_t n);

#endif
