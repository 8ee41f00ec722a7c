/*
 * invites.h - the invitations that this home gave out and that still open something
 *
 * What:  networks/ID.invites of the home: what each says of itself, and nothing of its link.
 * Why:   who gave out a link must be able to see that it is still good for somebody, and to take it
 *        back when the link itself is long gone.
 * Keeps: test_invitations_are_listed_until_they_are_over.
 * Full:  INVITES_MAX of a network; then the one that ends first is listed no more, and holds still.
 *
 *     {8 B invite, u8 roles, u16 uses, u32 issued, u32 expires}...
 */
#ifndef OM_MESHD_INVITES_H
#define OM_MESHD_INVITES_H

#include <omerta/authority.h>

#include "state.h"

enum { INVITES_MAX = 256 };

/* One of them, and how many may still come by it. */
struct invite {
    struct om_invite_seen seen;
    unsigned left;
};

/** invites_add() - @link of @net of @d, a secret, was given out: what it says is kept. A list that
 *  cannot be written is logged, for the link holds all the same. */
void invites_add(struct om_daemon *d, const struct daemon_network *net, const char *link);

/** invites_list() - the invitations of @net of @d that nobody took back, that are not over and not
 *  used up, as far as it knows, into @out, those that end first before the others. Return: how
 *  many. */
unsigned invites_list(struct om_daemon *d, const struct daemon_network *net,
                      struct invite out[static INVITES_MAX]);

/** invites_forget() - remove the file of @network of @d, if there is one. */
void invites_forget(const struct om_daemon *d, const struct om_id *network);

#endif
