/*
 * parse.h - the parts of the scenario parser, for each other
 *
 * What:  declarations (script.c), deeds (parse_deed.c), what is about ways (parse_way.c), checks
 *        (parse_check.c).
 * Why:   one grammar, four files of a readable size.
 */
#ifndef SIM_PARSE_H
#define SIM_PARSE_H

#include "script.h"

struct sim_parser {
    struct sim_words words;
    struct sim_script *script;
    unsigned actor_cap, deed_cap, check_cap;
    bool has_duration;
    om_time last; /* greatest time named */
};

/**
 * sim_parse_actor() - consume the name of an actor
 * @p:       the parser
 * @wanted:  what it is for, for the error
 * @out:     receives the index
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err sim_parse_actor(struct sim_parser *p, const char *wanted, int *out);

/** sim_parse_node() - as sim_parse_actor(@p, @wanted, @out), but an attacker will not do. */
OM_MUST enum om_err sim_parse_node(struct sim_parser *p, const char *wanted, int *out);

/** sim_parse_attacker() - as sim_parse_actor() with @p and @out, but a node will not do. */
OM_MUST enum om_err sim_parse_attacker(struct sim_parser *p, int *out);

/** sim_parse_find() - index of actor @name of @p, or -1. */
int sim_parse_find(const struct sim_parser *p, const char *name);

/** sim_parse_network() - index of network @name of @p, or -1. */
int sim_parse_network(const struct sim_parser *p, const char *name);

/** sim_parse_is_name() - @s can be the name of something. */
bool sim_parse_is_name(const char *s);

/** sim_parse_one_way() - consume "A>B" of @p into @a and @b. */
OM_MUST enum om_err sim_parse_one_way(struct sim_parser *p, int *a, int *b);

/** sim_parse_pipe_name() - consume the name of a pipe of @p that was declared, into @out. */
OM_MUST enum om_err sim_parse_pipe_name(struct sim_parser *p, int *out);

/** sim_parse_new_pipe() - declare the pipe of which @p has the name next, which stays next. */
OM_MUST enum om_err sim_parse_new_pipe(struct sim_parser *p);

/** sim_parse_pipe() - consume "NAME options" of @p into @d. */
OM_MUST enum om_err sim_parse_pipe(struct sim_parser *p, struct sim_deed *d);

/** sim_parse_through() - consume "NAME A>B ..." of @p; all but the last are added, that is @d. */
OM_MUST enum om_err sim_parse_through(struct sim_parser *p, struct sim_deed *d);

/** sim_parse_lan() - consume "NAME A [B ...]" of @p; all but the last are added, that is @d. */
OM_MUST enum om_err sim_parse_lan(struct sim_parser *p, struct sim_deed *d);

/** sim_parse_new_lan() - declare the segment of which @p has the name next, unless it is known. */
OM_MUST enum om_err sim_parse_new_lan(struct sim_parser *p);

/** sim_parse_nat() - consume "NAME KIND [options]" of @p: another box. */
OM_MUST enum om_err sim_parse_nat(struct sim_parser *p);

/** sim_parse_nat_name() - consume the name of a box of @p into @out, counted from 1. */
OM_MUST enum om_err sim_parse_nat_name(struct sim_parser *p, int *out);

/** sim_parse_flush() - consume the name of a box of @p, and "moved", into @d. */
OM_MUST enum om_err sim_parse_flush(struct sim_parser *p, struct sim_deed *d);

/** sim_parse_move() - consume "A [behind=NAT|none] [told]" of @p into @d. */
OM_MUST enum om_err sim_parse_move(struct sim_parser *p, struct sim_deed *d);

/** sim_parse_nat_check() - consume "NAME COUNTER OP N" of @p into @c. */
OM_MUST enum om_err sim_parse_nat_check(struct sim_parser *p, struct sim_check *c);

/** sim_parse_find_nat() - the box called @name of @p, counted from 1; 0 for none. */
unsigned sim_parse_find_nat(const struct sim_parser *p, const char *name);

/** sim_parse_measure() - consume "pipe NAME", "link A>B" or "A from B" of @p into @d. */
OM_MUST enum om_err sim_parse_measure(struct sim_parser *p, struct sim_deed *d);

/** sim_parse_two() - consume "A B", two different actors of @p, into @d. */
OM_MUST enum om_err sim_parse_two(struct sim_parser *p, struct sim_deed *d);

/** sim_parse_link() - consume "A B|A>B|* options" of @p into @d. */
OM_MUST enum om_err sim_parse_link(struct sim_parser *p, struct sim_deed *d);

/** sim_parse_add_deed() - append @d, whose text is taken, to the script of @p. */
OM_MUST enum om_err sim_parse_add_deed(struct sim_parser *p, struct sim_deed *d);

/**
 * sim_parse_deeds() - consume "DEED [; DEED...]"
 * @p:      the parser
 * @at:     first time
 * @every:  0, or between repetitions
 * @until:  of the last repetition
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err sim_parse_deeds(struct sim_parser *p, om_time at, om_time every, om_time until);

/** sim_parse_is_check() - the next words of @p begin a check and not a deed. */
bool sim_parse_is_check(const struct sim_parser *p);

/**
 * sim_parse_check() - consume "CHECK [after T] [until T]"
 * @p:     the parser
 * @when:  which kind
 * @at:    the moment, or the last one; OM_NEVER for never
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err sim_parse_check(struct sim_parser *p, enum sim_when when, om_time at);

/** sim_copy() - @text, owned by the caller. */
char *sim_copy(const char *text);

/**
 * sim_grow() - room for one more element
 * @list:   the array; freed when it had to move
 * @count:  elements in use
 * @cap:    elements that fit; updated
 * @size:   bytes of one
 *
 * Return: the array, its unused part zeroed.
 */
void *sim_grow(void *list, unsigned count, unsigned *cap, size_t size);

#endif
