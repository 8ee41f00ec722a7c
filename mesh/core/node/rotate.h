/*
 * rotate.h - the epochs of a closed network, as the node uses them
 *
 * What:  drives network/rotation.h by what the ledger says, puts what comes of it on the keyring,
 *        and gives it to members together with the ledger.
 * Why:   the machine decides which secret; here it meets keys, sessions, time and the driver.
 * Keeps: rotate_gives_the_next_secret_to_who_is_left; rotate_waits_for_its_rank;
 *        rotate_survives_a_restart; rotate_says_that_nobody_answers.
 *
 * EPOCH travels at the end of the last answer of ledger.sync: so who has it has heard of everybody
 * who must not. A question names the epoch of its asker; who sees a better one asks back, as with
 * the ledger itself. Sessions that stand go on under the keys they have.
 *
 * Source: PROTOCOL sections 3 (Epochs) and 7 (Rotation); plans/membership.md.
 */
#ifndef OM_NODE_ROTATE_H
#define OM_NODE_ROTATE_H

#include "network/ledger_wire.h"
#include "network/rotation.h"
#include "node/services.h"

enum {
    OM_ROTATE_LOOK_S = 24 * 3600,  /* between two looks at what has become too old */
    OM_ROTATE_ALONE_S = 24 * 3600, /* without a session in the network, until that is said */
    OM_ROTATE_STUCK_S = 1          /* until the keyring is asked again for room */
};

struct node_ledger;

struct node_rotation {
    struct node_ledger *ledger;
    struct om_vault *vault; /* owned: in which this is */
    struct om_timer timer;
    uint64_t looked; /* the ledger's change, when the machine looked last */
    om_time met_at;  /* the last session there; OM_NEVER: none in this life */
    bool is_due;
    bool has_doubted;   /* and said so, since then */
    bool has_caught_up; /* some peer: its is_caught_up is set */
    bool is_stuck;      /* the current one is not on the keyring: there was no room */
    struct om_rotation r;
    uint8_t kept[OM_ROTATION_KEPT_MAX]; /* lent to the driver */
};

/** node_rotate_start() - the epochs of @g. Return: OM_OK or OM_E_NO_MEM. */
OM_MUST enum om_err node_rotate_start(struct node_ledger *g);

/** node_rotate_stop() - end and wipe those of @g. */
void node_rotate_stop(struct node_ledger *g);

/** node_rotate_admin() - we are an admin in @net of @n by @cert, or no more when it is empty. */
void node_rotate_admin(struct om_node *n, const struct om_network *net, struct om_bytes cert);

/** node_rotate_name() - write into @a by which epoch we go in the network of @g. */
void node_rotate_name(const struct node_ledger *g, struct om_ledger_ask *a);

/** node_rotate_wants() - may the epoch that @a names be better than ours in @g? */
bool node_rotate_wants(const struct node_ledger *g, const struct om_ledger_ask *a);

/** node_rotate_is_even() - does @a name the epoch by which we go in @g? */
bool node_rotate_is_even(const struct node_ledger *g, const struct om_ledger_ask *a);

/** node_rotate_caught_up() - @p, with whom we may be talking of nothing but epochs, has that of @g
 *  now: it is met anew. */
void node_rotate_caught_up(struct node_ledger *g, struct om_peer *p);

/** node_rotate_give() - the EPOCH of @g for the member @id, who asked @a and was told all of the
 *  ledger; lent; empty when it has it, must not have it, or there is none. */
struct om_bytes node_rotate_give(const struct node_ledger *g, const struct om_id *id,
                                 const struct om_ledger_ask *a);

/** node_rotate_hear() - @in came at the end of an answer to @g. Return: what became of it. */
enum om_rotation_put node_rotate_hear(struct node_ledger *g, struct om_bytes in);

/** node_rotate_met() - there is a session with a member in the network of @g. */
void node_rotate_met(struct node_ledger *g);

/** node_rotate_doubt() - somebody in @net was asked by @n again and again, and gave no answer. */
void node_rotate_doubt(struct om_node *n, const struct om_network *net);

/** node_rotate_next() - as node_service_next(), of the epochs of @g into @out. */
enum node_step node_rotate_next(struct node_ledger *g, struct om_act *out);

#endif
