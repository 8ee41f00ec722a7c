/*
 * mapping.h - the port of this daemon at the router: wanted, announced, told
 *
 * What:  decides whether a mapping is wanted, hands what becomes of it to the mesh, the log, the
 *        events, and to people.
 * Why:   a daemon that is bound to the loopback, or on a machine without a network, has nothing
 *        that anybody could reach.
 *
 * The external address is announced as a candidate of kind "mapped" as long as it is ours.
 */
#ifndef OM_MESHD_MAPPING_H
#define OM_MESHD_MAPPING_H

#include <omerta/err.h>
#include <omerta/portmap.h>

struct mapping;
struct om_daemon;

enum { MAPPING_TEXT = 256 };

/**
 * mapping_open() - begin, if the configuration and the network are for it
 * @out:  set on success, owned by the caller until mapping_close()
 * @d:    with its network watched
 * @err:  sentence for a person
 *
 * Return: false when there is no memory.
 */
bool mapping_open(struct mapping **out, struct om_daemon *d, struct om_error *err);

/** mapping_close() - @m gives back what is mapped, while the loop runs; NULL is fine. */
void mapping_close(struct mapping *m);

/** mapping_look() - @m sees whether the configuration and the network are still what they were,
 *  and asks anew if not, or if @is_moved says that routes changed. */
void mapping_look(struct mapping *m, bool is_moved);

/** mapping_external() - where strangers reach us by the mapping of @m, lent; NULL: nowhere. */
const struct om_addr *mapping_external(const struct mapping *m);

/** mapping_machine() - what @m knows, lent. */
const struct om_portmap *mapping_machine(const struct mapping *m);

/** mapping_hung() - questions of @m to the router that were given up. */
uint64_t mapping_hung(const struct mapping *m);

/** mapping_print() - how @m stands, for people, into @out; Return: @out. */
char *mapping_print(const struct mapping *m, char out[static MAPPING_TEXT]);

#endif
