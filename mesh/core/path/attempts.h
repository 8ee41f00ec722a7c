/*
 * attempts.h - the last things that were tried to reach a peer, and what each saw
 *
 * What:  a bounded list; the same thing tried again renews its entry and counts.
 * Why:   who asks why there is no direct way must be told what happened, minutes later.
 * Keeps: attempts_same_thing_is_one_entry; attempts_full_drops_what_was_never_asked;
 *        attempts_silence_comes_with_time; attempts_answer_says_how_long_it_took;
 *        attempts_first_answer_ends_the_race; attempts_refusal_keeps_what_was_seen.
 *
 * Full: the oldest of those for which nothing was sent goes, else the oldest.
 */
#ifndef OM_PATH_ATTEMPTS_H
#define OM_PATH_ATTEMPTS_H

#include <omerta/why.h>

#define OM_ATTEMPT_PATIENCE OM_SEC(2) /* what is unanswered for so long met silence */

/* Read freely; write only through om_attempts_*(). */
struct om_attempts {
    unsigned count;
    struct om_attempt all[OM_ATTEMPTS_MAX];
};

/** om_attempts_find() - the entry of @a for the same as @what, lent for now; or NULL. */
struct om_attempt *om_attempts_find(struct om_attempts *a, const struct om_attempt *what);

/**
 * om_attempts_begin() - something is tried
 * @a:     the list
 * @now:   when
 * @what:  its what, addr and relay say which entry; its origin is kept
 *
 * Return: the entry, lent until the next call; it saw nothing yet, but a handshake that met silence
 * saw that.
 */
struct om_attempt *om_attempts_begin(struct om_attempts *a, om_time now,
                                     const struct om_attempt *what);

/**
 * om_attempts_end() - what came of it
 * @a:       the list; what it does not know is ignored
 * @now:     when
 * @what:    as of om_attempts_begin()
 * @saw:     what
 * @reason:  static text; "" for none
 */
void om_attempts_end(struct om_attempts *a, om_time now, const struct om_attempt *what,
                     enum om_attempt_saw saw, const char *reason);

/** om_attempts_unasked() - nothing is sent to @what at @now, for @reason, static text; into @a. */
void om_attempts_unasked(struct om_attempts *a, om_time now, const struct om_attempt *what,
                         const char *reason);

/** om_attempts_won() - a handshake of @a was answered: others that wait came too late. */
void om_attempts_won(struct om_attempts *a);

/** om_attempts_copy() - @a as it is @now into @out, oldest first. Return: how many. */
unsigned om_attempts_copy(const struct om_attempts *a, om_time now,
                          struct om_attempt out[static OM_ATTEMPTS_MAX]);

#endif
