/* nearest.c - edit distance with three rows. */
#include "ipc/nearest.h"

#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t om_nearest_distance(const char *a, const char *b)
{
    size_t rows[3][OM_NEAREST_MAX + 1];
    size_t na = strlen(a), nb = strlen(b);

    if (na > OM_NEAREST_MAX || nb > OM_NEAREST_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *now = rows[i % 3];
        const size_t *before = rows[(i - 1) % 3];
        const size_t *two_before = rows[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t differs = a[i - 1] != b[j - 1];

            now[j] = least(before[j] + 1, least(now[j - 1] + 1, before[j - 1] + differs));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], two_before[j - 2] + 1);
        }
    }
    return rows[na % 3][nb];
}

void om_nearest_init(struct om_nearest *n, const char *word)
{
    n->word = word;
    n->best = NULL;
    n->distance = SIZE_MAX;
}

void om_nearest_try(struct om_nearest *n, const char *known)
{
    size_t d = om_nearest_distance(n->word, known);

    /* Two edits make any word of three letters out of any other that has one of them. */
    if (d <= 2 && 2 * d <= strlen(known) && d < n->distance) {
        n->distance = d;
        n->best = known;
    }
}
