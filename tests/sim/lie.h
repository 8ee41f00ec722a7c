/*
 * lie.h - what a member with a real session says of an address that is not its own
 *
 * What:  frames of a node's own session that name another actor's address, a new port of it each
 *        time: as where the node is, as where it saw the receiver, as where to punch; its record;
 *        and packets that claim to come from there, or answers to a first word.
 * Why:   a peer's word is where a node sends. Whoever has keys must not be able to aim others at
 *        somebody who never asked; that takes an insider that speaks the protocol well.
 * Keeps: lie_ports_belong_to_the_victim; lie_needs_a_session;
 *        lie_of_an_answer_ends_when_it_names_the_liar.
 */
#ifndef SIM_LIE_H
#define SIM_LIE_H

#include "actor.h"

enum {
    SIM_LIE_PORT = 1024, /* the first port named; each further one is new */
    SIM_LIE_PORTS = 8192 /* then again from the first */
};

enum sim_lie_kind {
    SIM_LIE_CANDIDATE, /* "I am there": fresh CANDIDATES, of all kinds, on 16 ports */
    SIM_LIE_PUNCH,     /* "I am there, meet me now": a reflexive one, a plan, and its go */
    SIM_LIE_SEEN,      /* "you are there": PONGs to what the receiver has asked last */
    SIM_LIE_RECORD,    /* "I am there and relay", signed, for gossip to tell everybody */
    SIM_LIE_SOURCE,    /* a PING from there, under the session's key */
    SIM_LIE_ANSWER,    /* from now on its handshakes come from there: needs no session */
    SIM_LIE_KIND_COUNT
};

/** sim_lie_kind_parse() - the kind called @name: "candidate", "punch"...; SIM_LIE_KIND_COUNT: none.
 */
enum sim_lie_kind sim_lie_kind_parse(const char *name);

/**
 * sim_lie() - tell one lie
 * @a:      a node that is up
 * @n:      network; NULL for the one in which both are
 * @b:      a node that is told; of a record, whoever is told by gossip
 * @kind:   the lie
 * @about:  whose address is named; it has every port that is
 *
 * Return: OM_OK; OM_E_STATE when one is down, OM_E_NO_ROUTE when they have no session that carries.
 */
OM_MUST enum om_err sim_lie(struct sim_actor *a, const struct sim_network *n, struct sim_actor *b,
                            enum sim_lie_kind kind, struct sim_actor *about);

#endif
