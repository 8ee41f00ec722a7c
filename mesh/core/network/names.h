/*
 * names.h - whose a name is when certificates give it to two
 *
 * What:  puts those who were given names in order, and says how each is called.
 * Why:   two admins in different parts of a network do not know of each other's names; whoever has
 *        heard of both certificates must come to the same answer.
 * Keeps: names_earliest_member_has_the_name; names_authority_goes_first; names_order_is_total;
 *        names_others_have_their_id_behind.
 *
 * Whom the authority itself signed goes first; then (issued, admin's key, node's key), the lowest
 * first. A renewed certificate keeps its "issued" (issuer.h), so a name does not change hands.
 *
 * Source: PROTOCOL section 7; plans/membership.md.
 */
#ifndef OM_NETWORK_NAMES_H
#define OM_NETWORK_NAMES_H

#include <omerta/names.h>

/* One who was given a name. */
struct om_name_claim {
    struct om_id key, issuer;
    uint32_t issued; /* Unix s */
    bool by_authority;
    char name[OM_MEMBER_NAME_MAX + 1];
};

/** om_names_sort() - the @n claims of @all by name, and of each name the one it is of first. */
void om_names_sort(struct om_name_claim *all, unsigned n);

/** om_names_shown() - how the @i-th of sorted @all is called, to @out. */
void om_names_shown(const struct om_name_claim *all, unsigned i, struct om_named *out);

/** om_names_vary() - wished @name as the @nth that asks for it: @name, then NAME-2, NAME-3 ..., cut
 *  so that it stays one, to @out. */
void om_names_vary(char out[static OM_MEMBER_NAME_MAX + 1], const char *name, unsigned nth);

#endif
