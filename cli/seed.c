/* seed.c - four words. */
#include "seed.h"

#include <stddef.h>
#include <string.h>

static char up[] = "up", down[] = "down", status[] = "status";

bool om_seed_is(const char *argv0)
{
    size_t n = strlen(argv0);

    return n >= 7 && strcmp(argv0 + n - 7, "omertad") == 0;
}

char *om_seed_command(const char *word, int step)
{
    if (strcmp(word, "restart") == 0)
        return step == 0 ? down : step == 1 ? up : NULL;
    if (step > 0)
        return NULL;
    if (strcmp(word, "start") == 0)
        return up;
    if (strcmp(word, "stop") == 0)
        return down;
    return strcmp(word, "status") == 0 ? status : NULL;
}
