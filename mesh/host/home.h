/*
 * home.h - the folder that one daemon owns
 *
 * What:  opens the home, judges who else could look into it, and holds its lock.
 * Why:   the keys of a node lie there: a folder that others can enter, or that two daemons write
 *        to, is worth stopping for, with the command that mends it.
 * Keeps: home_makes_the_last_folder_only; home_that_others_can_enter_is_refused;
 *        home_of_somebody_else_is_refused; home_second_daemon_learns_who_has_it;
 *        home_lock_of_a_dead_daemon_is_free; home_joins_names_and_makes_folders.
 *
 * Source: flock(2), whose lock goes with the last copy of the descriptor: a daemon that was killed
 *         leaves none behind.
 */
#ifndef OM_HOST_HOME_H
#define OM_HOST_HOME_H

#include <stdbool.h>
#include <stddef.h>

#include <omerta/err.h>

enum { OM_HOME_PATH_MAX = 4096 /* bytes with the zero, PATH_MAX of Linux */ };

struct om_home;

/**
 * om_home_open() - take the home for this process
 * @out:   set on success; the caller closes it
 * @path:  of the folder; may be a symbolic link if it is the user's own
 * @make:  make the folder (0700) when there is none; never its parents
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_MISSING when there is no such folder; OM_E_EXISTS when another process has
 * it; OM_E_STATE when it is not the user's alone or cannot be used; OM_E_RANGE; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_home_open(struct om_home **out, const char *path, bool make,
                                 struct om_error *err);

/** om_home_close() - let go of @h, which may be NULL, and of its lock. */
void om_home_close(struct om_home *h);

/** om_home_path() - the path that @h was opened with, lent until it is closed. */
const char *om_home_path(const struct om_home *h);

/**
 * om_home_join() - the path of something in the home
 * @h:     the home
 * @out:   terminated; untouched when it does not fit
 * @size:  bytes at @out
 * @name:  relative to the home
 *
 * Return: false when it does not fit.
 */
OM_MUST bool om_home_join(const struct om_home *h, char *out, size_t size, const char *name);

/**
 * om_home_sub() - make sure that a folder of that name is in the home, and the user's alone
 * @h:     the home
 * @name:  one component
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_STATE when it is not the user's alone or cannot be made; OM_E_RANGE for a
 * @name that is no single component.
 */
OM_MUST enum om_err om_home_sub(struct om_home *h, const char *name, struct om_error *err);

#endif
