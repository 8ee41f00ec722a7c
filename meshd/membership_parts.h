/*
 * membership_parts.h - what membership.c and closed.c share
 *
 * What:  the list of networks, their names and their files, as both change them.
 * Why:   closed networks come by an answer of somebody else, and by more than a secret.
 */
#ifndef OM_MESHD_MEMBERSHIP_PARTS_H
#define OM_MESHD_MEMBERSHIP_PARTS_H

#include "network_file.h"
#include "state.h"

/** membership_list() - @d has network @id, which its node joined, as @f says; NULL: the built-in
 *  one. There is room. Return: its place in the list. */
struct daemon_network *membership_list(struct om_daemon *d, const struct om_id *id,
                                       const struct network_file *f);

/** membership_settle() - the built-in network of @d comes or goes, as others are there; where it
 *  cannot come, the log says why. */
void membership_settle(struct om_daemon *d);

/** membership_changed() - everything that walks the networks of @d looks again. */
void membership_changed(struct om_daemon *d);

/** membership_make_room() - the built-in network of @d goes where one more would not fit. */
void membership_make_room(struct om_daemon *d);

/** membership_choose_name() - may the network of @l be called @name in @d (NULL: one is made up)?
 *  Then it is in @out; else false, and @err. */
bool membership_choose_name(struct om_daemon *d, const struct om_network_link *l, const char *name,
                            char out[static OM_NAME_MAX + 1], struct om_error *err);

/** membership_rewrite() - the file of @network of @d is read, given to @change with @with, and
 *  written; false and @err. */
bool membership_rewrite(struct om_daemon *d, const struct om_id *network,
                        void (*change)(struct network_file *f, const void *with), const void *with,
                        struct om_error *err);

/** membership_add_known() - ways to @net of @d, by what is known here, to the peers of @l. */
void membership_add_known(struct om_daemon *d, const struct daemon_network *net,
                          struct om_network_link *l);

#endif
