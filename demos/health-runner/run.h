/*
 * run.h - two ends, a pulse between them, and what phases are told
 *
 * What:  starts an agent at each end, opens what is measured through the mesh, and lends it to the
 *        phases, each of which begins with a peer that answers and ends with nothing changed.
 * Why:   a phase is then only its fault and what it wants to hold.
 * Keeps: test_what_was_changed_is_taken_back.
 */
#ifndef OM_HEALTH_RUN_H
#define OM_HEALTH_RUN_H

#include <omerta/id.h>

#include "pulse.h"
#include "result.h"
#include "site.h"

enum { OM_RUN_NETWORK = 128, OM_RUN_BEAT_MS = 20 };

/* From the command line; NULL: not given. */
struct om_setting {
    const char *peer, *network, *home;
    const char *ssh, *netns, *peer_home, *peer_program;
    const char *wire, *raw, *swap;
    int slack_ms; /* is added to what is wanted of time */
    bool is_quick;
};

struct om_run {
    struct om_setting set;
    struct om_site here, there;
    struct om_pulse pulse;
    char self[OM_ID_TEXT], peer[OM_ID_TEXT];
    char network_here[OM_RUN_NETWORK], network_there[OM_RUN_NETWORK];
    uint16_t udp_port_there;                         /* of its daemon */
    uint16_t echo_udp, echo_tcp, sink_udp, sink_tcp; /* ports here that lead there */
    unsigned steps_here, steps_there;                /* to take back, between phases */
};

/**
 * om_run_start() - both agents, the ways through the mesh, the pulse
 * @r:    storage; om_run_stop() releases it, also after a failure
 * @set:  copied; what it points to lives as long as @r
 * @err:  sentence for a person
 *
 * Return: OM_OK; OM_E_STATE.
 */
OM_MUST enum om_err om_run_start(struct om_run *r, const struct om_setting *set,
                                 struct om_error *err);

/** om_run_stop() - take everything of @r back at both ends; false: something could not. */
bool om_run_stop(struct om_run *r);

/** om_run_begin() - a row of @r whose beat is answered; false, and @res tells, when it is not. */
bool om_run_begin(struct om_run *r, struct om_result *res);

/** om_run_answered() - go on until something of @r is answered that came after @since of the row,
 *  at most @patience; the milliseconds from @since on, -1: nothing. */
double om_run_answered(struct om_run *r, om_time since, om_time patience);

/** om_run_carried() - go on until something of @r is answered that left after @since of the row, at
 *  most @patience: what was under way as a fault began is no sign of life. */
void om_run_carried(struct om_run *r, om_time since, om_time patience);

/** om_run_ms() - how long what takes @ms in a whole run takes in this one, @r: @quick_ms if it is a
 *  quick one. */
int om_run_ms(const struct om_run *r, int ms, int quick_ms);

/** om_run_rest() - let the pulse of @r go on for @ms. */
void om_run_rest(struct om_run *r, int ms);

/** om_run_end() - take back what the phase changed, and hand the row of @r over to @res. */
void om_run_end(struct om_run *r, struct om_result *res);

/** om_run_did() - @e, an answer of om_site_*(), is none: @res fails with @err; true when it is. */
bool om_run_did(struct om_result *res, enum om_err e, const struct om_error *err);

/** om_run_whole() - @res fails unless the connection of @r lives and catches up. */
void om_run_whole(struct om_run *r, struct om_result *res);

/** om_run_way() - why the daemon of @site of @r reaches the other as it does (peers.why), owned by
 *  the caller; NULL: it does not say. */
json_t *om_run_way(struct om_run *r, struct om_site *site);

#endif
