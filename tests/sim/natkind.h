/*
 * natkind.h - the kinds of NAT that have a name, and every property in words
 *
 * What:  "full", "addr", "port", "sym" and so on, as tests/lab/nat.py calls the kernel's; "block",
 *        "next" and others that no kernel does; and "key=value" for a single property.
 * Why:   scenarios and the lab's probe speak of the same boxes in the same words.
 * Keeps: natkind_every_kind_is_sound; natkind_reads_every_property; natkind_refuses_nonsense;
 *        natkind_reads_a_whole_box.
 *
 * Properties:
 *
 *   mapping=ei|ad|apd  filter=ei|ad|apd  ports=preserve|stride|random|block  stride=N  block=N
 *   range=A..B  exclusive=yes|no  sticky=yes|no  hairpin=yes|no  early=drop|claim
 *   udp=yes|no  refresh=both|out|in  timeout=T  answered=T  entries=N
 */
#ifndef SIM_NATKIND_H
#define SIM_NATKIND_H

#include "natbox.h"

/** sim_nat_kind() - the box called @name into @out; false when there is none. */
bool sim_nat_kind(const char *name, struct sim_nat_model *out);

/** sim_nat_kind_at() - the name of kind @i and in @what a few words about it; NULL after the last.
 */
const char *sim_nat_kind_at(unsigned i, const char **what);

/**
 * sim_nat_set() - change one property
 * @m:     the box
 * @word:  "key=value"
 *
 * Return: false when it is none, or out of range.
 */
bool sim_nat_set(struct sim_nat_model *m, const char *word);

/**
 * sim_nat_box() - a box in words
 * @words:    its outside address, its kind, properties
 * @count:    of @words
 * @out:      the box
 * @outside:  its outside address, port 0
 *
 * Return: NULL, or the word that was refused, "" where one is missing.
 */
const char *sim_nat_box(char *const *words, int count, struct sim_nat_model *out,
                        struct om_addr *outside);

/** sim_nat_is_sound() - can there be a box such as @m? */
bool sim_nat_is_sound(const struct sim_nat_model *m);

#endif
