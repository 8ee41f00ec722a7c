/*
 * undo.h - what was changed on a machine, and how it is changed back
 *
 * What:  a stack of steps, each a command or a question to the daemon; all are taken back, the last
 *        first, when the agent that did them ends, however it ends.
 * Why:   a health run blocks ports and moves addresses of somebody's machine: an error, Ctrl-C or
 *        a lost connection must leave it as it was.
 * Keeps: undo_takes_back_the_last_first; undo_beyond_its_room_is_refused;
 *        undo_of_one_leaves_the_others.
 *
 * Full: beyond OM_UNDO_MAX steps nothing more is changed.
 */
#ifndef OM_HEALTH_UNDO_H
#define OM_HEALTH_UNDO_H

#include <stdbool.h>

#include <jansson.h>

enum { OM_UNDO_MAX = 64 };

/* Zeroed: empty. */
struct om_undo {
    json_t *steps[OM_UNDO_MAX]; /* owned */
    unsigned count;
};

/** om_undo_has_room() - one more step fits into @u: to be asked before anything is changed. */
bool om_undo_has_room(const struct om_undo *u);

/** om_undo_push() - remember @step, taken, as the last one of @u. */
void om_undo_push(struct om_undo *u, json_t *step);

/**
 * om_undo_back() - take steps back, the last first
 * @u:     a stack
 * @down:  how many are to be left
 * @take:  takes one back; false: it could not
 * @self:  for @take
 *
 * Return: how many could not be taken back; none of them is kept.
 */
unsigned om_undo_back(struct om_undo *u, unsigned down,
                      bool (*take)(void *self, const json_t *step), void *self);

#endif
