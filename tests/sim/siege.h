/*
 * siege.h - a member of the network that does to a relay all that it can
 *
 * What:  a real node with a session at the relay, whose driver is hostile: it sends on its own
 *        lanes what it likes, says what it likes about lanes, and has a helper elsewhere that sends
 *        with any source address, knows the network's secrets and hears what is sent to it.
 * Why:   what a relay must bear is worth knowing only beside honest ends that are real nodes.
 * Keeps: prop_relay_bears_a_hostile_member.
 */
#ifndef SIM_SIEGE_H
#define SIM_SIEGE_H

#include "actor.h"

enum {
    SIM_SIEGE_SIZE = 1150, /* bytes of a flood's datagram, the lane's header included */
    SIM_SIEGE_LEAST = 60   /* and of a guess */
};

enum sim_siege_deed {
    SIM_SIEGE_FLOOD,   /* on its own lanes, from its own address */
    SIM_SIEGE_BORROW,  /* the same from the victim's address */
    SIM_SIEGE_GUESS,   /* lane ids drawn at random, from the helper's address */
    SIM_SIEGE_REFLECT, /* the same from the victim's address */
    SIM_SIEGE_AIM,     /* ids of others' lanes with a wrong MAC, from both in turn */
    SIM_SIEGE_ASK,     /* for lanes to anybody, in the session */
    SIM_SIEGE_MEDDLE,  /* accepts, refuses, closes what is others', in the session */
    SIM_SIEGE_DEEDS
};

struct sim_siege {
    struct sim_actor *relay, *member; /* nodes; the member has a session at the relay */
    struct sim_actor *helper;         /* an insider */
    struct sim_actor *victim;         /* an attacker that does nothing: it has ears */
    struct sim_actor **ends;          /* honest ones, lent */
    unsigned count;
    struct om_prng prng;
    uint64_t done[SIM_SIEGE_DEEDS];
};

/** sim_siege_do() - the member and the helper of @s do @deed, now and @times over. */
void sim_siege_do(struct sim_siege *s, enum sim_siege_deed deed, unsigned times);

/** sim_siege_lanes() - lanes of the member of @s through the relay that are open. */
unsigned sim_siege_lanes(const struct sim_siege *s);

/** sim_siege_word() - @deed for a table. */
const char *sim_siege_word(enum sim_siege_deed deed);

#endif
