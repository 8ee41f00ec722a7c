/*
 * wanted.h - the virtual machines that this node asked others, or itself, for
 *
 * What:  asks a provider, follows what happens to the machine, remembers it in HOME/vms.json, and
 *        passes on what its user wants: list, extend, release, console.
 * Why:   a machine that nobody remembers could neither be reached nor released.
 *
 * What a provider tells is checked word by word: it may be anybody's.
 *
 *   asked -> known (the provider gave it an id) -> gone, and forgotten
 *              | stream lost: "vm.watch" again, WANTED_AGAIN_MS later, then ever more seldom;
 *              |   until the lease it had is over for sure: gone
 *
 * One that is bound is released when the connection of the program that asked for it ends, also
 * before it runs; and by the next run of the daemon, as then no such program is there.
 *
 * A provider that takes a call and says nothing is no better than one that takes none: after
 * WANTED_WORD_S the question is given up, and with it a machine that has no id yet.
 *
 * Full: WANTED_MAX machines, WANTED_ASKS_MAX questions under way; then new ones are refused.
 */
#ifndef OM_SERVICE_WANTED_H
#define OM_SERVICE_WANTED_H

#include <jansson.h>

#include "control/control.h"
#include "state.h"

enum {
    WANTED_MAX = 256,
    WANTED_ASKS_MAX = 64,
    WANTED_AGAIN_MS = 500,
    WANTED_AGAIN_MAX_MS = 60000,
    WANTED_GRACE_S = 10, /* after the lease of a machine of which its provider tells nothing */
    WANTED_LOST_S = 24 * 3600, /* such a lease, when nothing says how long it is */
    WANTED_ASK_S = 8,          /* programs wait for 10 s */
    WANTED_WORD_S = 9          /* from the question to what is said on a call that was taken */
};

struct wanted;

/* Where a machine is. */
struct wanted_place {
    struct om_id network, provider;
    char vm[64];
};

/* What a provider's certificate says; who has none yet is not asked for a machine. */
enum wanted_role { WANTED_LENDER, WANTED_NO_LENDER, WANTED_UNKNOWN };

/** wanted_role() - may @peer lend machines in @net of @d? Where it may not @err says so. */
enum wanted_role wanted_role(const struct om_daemon *d, const struct daemon_network *net,
                             const struct om_id *peer, struct om_error *err);

/** wanted_open() - begin for @d, which has its hub of machines, by @out; false and @err. */
bool wanted_open(struct wanted **out, struct om_daemon *d, struct om_error *err);

/** wanted_close() - let go of @w; what it knows is kept for the next run; NULL is fine. */
void wanted_close(struct wanted *w);

/**
 * wanted_request() - a machine
 * @w:     ours
 * @ask:   of the program; deferred when a peer is asked
 * @net:   the network
 * @peer:  the provider; NULL: this node itself
 * @key:   of the request; the same key never makes a second machine
 * @spec:  as vm/core/spec.h reads it; borrowed. "bound" of @ask says whether it is bound to it
 * @err:   why not
 *
 * Return: the machine as wanted_list() shows it; NULL with @err, or deferred.
 */
json_t *wanted_request(struct wanted *w, struct control_ask *ask, const struct daemon_network *net,
                       const struct om_id *peer, const char *key, const json_t *spec,
                       struct om_error *err);

/**
 * wanted_short() - a question about one machine, or at a provider
 * @w:       ours
 * @ask:     of the program, with "vm" (an id, its start, or absent) and what the method wants
 * @method:  "vm.list", "vm.extend", "vm.release" or "vm.console"
 * @net:     with @peer: its network
 * @peer:    the provider to ask; NULL: the one of the machine that "vm" names
 * @err:     why not
 *
 * Return: the answer; NULL with @err, or deferred.
 */
json_t *wanted_short(struct wanted *w, struct control_ask *ask, const char *method,
                     const struct daemon_network *net, const struct om_id *peer,
                     struct om_error *err);

/** wanted_owed() - machines of @w that a provider may have made too late, and is to give back. */
unsigned wanted_owed(const struct wanted *w);

/** wanted_where() - the place of the machine of @w that @name (an id, its start, or NULL) means
 *  into @out; false and @err. */
bool wanted_where(const struct wanted *w, const char *name, struct wanted_place *out,
                  struct om_error *err);

/** wanted_client_gone() - program @client has gone, or says no more: machines of @w that are bound
 *  to it are released. */
void wanted_client_gone(struct wanted *w, uint64_t client);

/** wanted_list() - the machines of @w, a new reference. */
json_t *wanted_list(const struct wanted *w);

#endif
