/* undo.c - a stack of JSON. */
#include "undo.h"

bool om_undo_has_room(const struct om_undo *u)
{
    return u->count < OM_UNDO_MAX;
}

void om_undo_push(struct om_undo *u, json_t *step)
{
    if (om_undo_has_room(u))
        u->steps[u->count++] = step;
    else
        json_decref(step);
}

unsigned om_undo_back(struct om_undo *u, unsigned down,
                      bool (*take)(void *self, const json_t *step), void *self)
{
    unsigned failed = 0;

    while (u->count > down) {
        json_t *step = u->steps[--u->count];

        failed += !take(self, step);
        json_decref(step);
    }
    return failed;
}
