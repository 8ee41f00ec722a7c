/*
 * play.h - run a scenario and judge it
 *
 * What:  makes the world that a script declares, lets its deeds happen, evaluates its checks at
 *        every instant at which something changed, and prints what a reader wants to know.
 * Why:   one function for the program, the fuzzer and the tests, so all see the same verdict.
 * Keeps: play_same_text_same_hash; play_failed_check_tells_line_and_sight;
 *        play_refused_deed_fails_unless_expected.
 */
#ifndef SIM_PLAY_H
#define SIM_PLAY_H

#include <stdio.h>

#include "check.h"
#include "script.h"

enum { SIM_LINES_SHOWN = 40 }; /* of what happened, unless verbose */

struct sim_play_options {
    FILE *out;       /* NULL: nothing is printed; borrowed */
    bool is_verbose; /* every event */
    bool has_seed;   /* in place of the script's */
    uint64_t seed;
    uint64_t steps_max;      /* events, then the run breaks; 0: SIM_STEPS_MAX */
    int64_t (*cpu_ns)(void); /* to measure the cost of junk; may be NULL */
};

struct sim_result {
    unsigned held, failed; /* checks */
    bool is_skipped;       /* the machine lacks what the script needs */
    uint64_t steps;        /* events */
    uint64_t delivered;    /* application datagrams */
    char hash[SIM_TRACE_TEXT];
    char broken[OM_ERROR_MSG_MAX]; /* "" or what must never happen */
    char first[OM_ERROR_MSG_MAX];  /* the first failed check, with what was seen */
};

/**
 * sim_play() - run a script from start to end
 * @s:        the script; unchanged
 * @o:        options
 * @out:      filled
 *
 * Return: true when all checks held and nothing broke; also when skipped.
 */
bool sim_play(const struct sim_script *s, const struct sim_play_options *o, struct sim_result *out);

#endif
