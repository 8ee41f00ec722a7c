/*
 * nearest.h - the known word that a misspelt one is closest to
 *
 * What:  edit distance and the best of a list.
 * Why:   "unknown command stauts" helps half as much as "did you mean status?".
 * Keeps: nearest_counts_edits; nearest_is_silent_when_nothing_is_near.
 *
 * Source: optimal string alignment distance: insertions, deletions, substitutions, swaps of
 *         neighbours.
 */
#ifndef OM_CLI_NEAREST_H
#define OM_CLI_NEAREST_H

#include <stddef.h>

enum { OM_NEAREST_MAX = 32 }; /* longer words are never near anything */

struct om_nearest {
    const char *word; /* the one asked about */
    const char *best; /* NULL: nothing near */
    size_t distance;
};

/**
 * om_nearest_distance() - edits that make one word of the other
 * @a:  terminated
 * @b:  terminated
 *
 * Return: SIZE_MAX when one is longer than OM_NEAREST_MAX.
 */
size_t om_nearest_distance(const char *a, const char *b);

/** om_nearest_init() - @n looks for the nearest of @word, which it borrows for its life. */
void om_nearest_init(struct om_nearest *n, const char *word);

/** om_nearest_try() - @known becomes the best of @n when it is at most two edits away, nearer than
 * the one before and keeps at least one letter. */
void om_nearest_try(struct om_nearest *n, const char *known);

#endif
