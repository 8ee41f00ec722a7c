/*
 * attack.h - what attackers do: record, replay, flood
 *
 * What:  a tape of everything two actors put on the wire; sending it again from any source;
 *        junk at a rate, of random bytes or of well-formed initiations (forge.h).
 * Why:   an attacker on the path sees every datagram and may send any; a node must not notice
 *        more of it than a counter that moves.
 * Keeps: attack_tape_holds_both_directions; attack_junk_keeps_its_rate.
 */
#ifndef SIM_ATTACK_H
#define SIM_ATTACK_H

#include "actor.h"

enum {
    SIM_TAPE_MAX = 1 << 18,   /* datagrams; what comes later is not recorded */
    SIM_JUNK_MAX = 1400,      /* bytes */
    SIM_RATE_MAX = 1000000,   /* per second */
    SIM_SOURCES_MAX = 1 << 16 /* addresses that junk may claim to come from */
};

enum sim_junk_kind {
    SIM_JUNK_RANDOM,     /* any size, any bytes */
    SIM_JUNK_DATA,       /* sizes that no handshake has */
    SIM_JUNK_INITIATION, /* an insider's: T holds, the Noise message is random */
    SIM_JUNK_KIND_COUNT
};

struct sim_replay {
    struct sim_actor *by;
    struct sim_tape *tape;
    unsigned times;  /* 1: once, in the order of the tape */
    om_time spacing; /* between datagrams */
    bool own_source; /* the attacker's address, so that it would hear an answer */
};

struct sim_junk {
    struct sim_actor *by, *to;
    enum sim_junk_kind kind;
    uint64_t rate;             /* per second, 1 to SIM_RATE_MAX */
    om_time length;            /* of the flood */
    size_t size_min, size_max; /* at most SIM_JUNK_MAX */
    unsigned sources;          /* addresses in turn; 0: the attacker's own */
};

/** sim_record() - put on one tape what @a and @b send to each other from now on. */
void sim_record(struct sim_actor *a, struct sim_actor *b);

/** sim_tape_add() - keep on @t a copy of @data, sent by @from to @to. */
void sim_tape_add(struct sim_tape *t, const struct om_addr *from, const struct om_addr *to,
                  struct om_bytes data);

/** sim_tape_count() - datagrams on @t; 0 for NULL. */
unsigned sim_tape_count(const struct sim_tape *t);

/** sim_tape_unref() - one of the users of @t, which may be NULL, is gone. */
void sim_tape_unref(struct sim_tape *t);

/** sim_replay_start() - begin as @r, copied, says; what is recorded meanwhile is left out. */
void sim_replay_start(const struct sim_replay *r);

/** sim_junk_start() - begin the flood that @j, copied, describes. */
void sim_junk_start(const struct sim_junk *j);

/** sim_attack_fire() - what the timer @t of a replay or flood does, at @now. */
void sim_attack_fire(struct om_timer *t, om_time now);

/** sim_attack_free() - release the replay or flood of timer @t, which is stopped. */
void sim_attack_free(struct om_timer *t);

#endif
