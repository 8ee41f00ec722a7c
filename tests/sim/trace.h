/*
 * trace.h - one number for everything that happened
 *
 * What:  a running hash over every event: time, kind, who, bytes; and, on demand, a readable line
 *        for each.
 * Why:   "the same seed gives the same run" is worth having only if a single differing bit or
 *        microsecond shows; two hashes are easily compared.
 * Keeps: world_same_seed_same_trace; world_other_seed_other_trace; trace_hash_sees_every_bit.
 *
 * Nobody chooses bytes here so that traces collide; so the running part is four words that every
 * eight bytes are multiplied into, many times faster than a cryptographic hash, which had been half
 * of the time of a run. Each step is a permutation of the word, so that a single difference never
 * vanishes. What people see is BLAKE2b of the four.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdio.h>

#include <omerta/bytes.h>
#include <omerta/time.h>

enum { SIM_TRACE_HASH = 16, SIM_TRACE_TEXT = 2 * SIM_TRACE_HASH + 1, SIM_TRACE_LANES = 4 };

enum sim_trace_kind {
    SIM_TRACE_SEND,
    SIM_TRACE_LOSE,
    SIM_TRACE_ARRIVE,
    SIM_TRACE_SWALLOW, /* nobody at that address */
    SIM_TRACE_DELIVER,
    SIM_TRACE_PONG,
    SIM_TRACE_EVENT,
    SIM_TRACE_REMEMBER,
    SIM_TRACE_TICK,
    SIM_TRACE_DEED, /* of the script */
    SIM_TRACE_KIND_COUNT
};

struct sim_trace {
    uint64_t lane[SIM_TRACE_LANES];
    uint64_t count; /* entries so far */
    FILE *out;      /* a line for each entry; NULL for none; borrowed */
};

/** sim_trace_init() - start @t; @out gets readable lines, or is NULL. */
void sim_trace_init(struct sim_trace *t, FILE *out);

/**
 * sim_trace_add() - note one thing that happened
 * @t:      the trace
 * @now:    virtual time
 * @kind:   what
 * @from:   name of who did it; "" for nobody
 * @to:     name of whom it concerns; "" for nobody
 * @bytes:  what was sent, received, or describes it; not kept
 */
void sim_trace_add(struct sim_trace *t, om_time now, enum sim_trace_kind kind, const char *from,
                   const char *to, struct om_bytes bytes);

/**
 * sim_trace_hash() - the hash of everything so far; the trace goes on
 * @t:    the trace
 * @out:  SIM_TRACE_TEXT characters, terminated
 *
 * Return: @out.
 */
char *sim_trace_hash(const struct sim_trace *t, char out[static SIM_TRACE_TEXT]);

#endif
