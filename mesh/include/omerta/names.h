/*
 * names.h - what the members of a closed network are called
 *
 * What:  the names of all members that are known, each by its certificate.
 * Why:   what somebody says of himself is no name that others could go by; what an admin signed is.
 * Keeps: names_of_members_are_heard_by_gossip; names_are_freed_by_a_revocation.
 *
 * Two admins who cannot hear one another may give one name twice. Then whoever was a member first
 * is called so, and the other's has the first letters of its id behind it: ben-k3f9xa.
 */
#ifndef OMERTA_NAMES_H
#define OMERTA_NAMES_H

#include <omerta/member.h>

enum {
    OM_NAMED_ID = 6, /* letters of an id behind a name that is another's */
    OM_NAMED_MAX = OM_MEMBER_NAME_MAX + 1 + OM_NAMED_ID
};

/* Who is called how. */
struct om_named {
    struct om_id key;
    char name[OM_NAMED_MAX + 1]; /* a label of DNS */
};

/** om_cert_is_name() - may @n bytes at @s be a member's name? a-z, 0-9 and "-" within, a letter
 *  first, at most OM_MEMBER_NAME_MAX. So it is neither an address nor a whole id. */
bool om_cert_is_name(const char *s, size_t n);

/**
 * om_node_names() - everybody's name
 * @n:        the node
 * @network:  one that was joined, closed
 * @out:      the first @max of them, in the order of names, ours among them
 * @max:      room
 *
 * Who has none, or is revoked, or is a member no more by the calendar, is left out.
 *
 * Return: how many there are; 0 without memory.
 */
unsigned om_node_names(struct om_node *n, const struct om_id *network, struct om_named *out,
                       unsigned max);

#endif
