/*
 * guard.h - the one gate that VM ports and overlays pass
 *
 * What:  for each packet a verdict and a reason: read it, check its source, look for its flow, ask
 *        the rules, remember; refusals of what the port sends raise its rogue score.
 * Why:   behind a port is a machine that somebody else runs: what it may reach is what the rules
 *        say, and nothing by default.
 * Keeps: guard_denies_by_default; guard_lets_answers_in; guard_drops_spoofed_sources;
 *        guard_serves_the_link_locally; guard_drops_fragments_by_default;
 *        guard_drops_unknown_fragments; guard_follows_answers_of_our_own; guard_counts_each_reason;
 *        guard_tells_a_scan; guard_frame_checks_the_mac; guard_frame_is_for_us_or_a_group;
 *        guard_knows_who_speaks_as_a_router; guard_counts_frames_that_nobody_read;
 *        guard_times_are_bounded;
 *        guard_drops_groups_without_score; guard_without_flows_asks_the_rules;
 *        guard_score_is_of_what_the_port_sends.
 *
 * A verdict of OM_LOCAL is for the port's own services: neighbours (ARP, ND), DHCP, and whatever is
 * sent to an address of ours. A change of rules is for flows that open from then on.
 *
 * Source: RFC 2827 (source addresses); RFC 1858 and RFC 7112 (a later fragment without a first one
 *         says nothing about ports, so it passes only behind one that passed).
 */
#ifndef OM_GUARD_GUARD_H
#define OM_GUARD_GUARD_H

#include <omerta/lru.h>

#include "guard/flow.h"
#include "guard/match.h"
#include "guard/rogue.h"
#include "packet/ether.h"
#include "packet/packet.h"

enum {
    OM_GUARD_NEAR_MAX = 16,
    OM_GUARD_OWN_MAX = 8,
    OM_GUARD_FRAGMENTS_MAX = 256 /* first ones remembered, for 30 s; full: the oldest gives way */
};

/* Whether answers and strays are told apart; what may be opened the rules say in either. */
enum om_guard_mode {
    OM_GUARD_CONNTRACK, /* a packet belongs to a flow, or opens one that the rules allow */
    OM_GUARD_STATELESS  /* each packet is asked about alone: what no rule allows, also an answer,
                           is refused */
};

enum om_verdict { OM_PASS, OM_LOCAL, OM_DENY, OM_VERDICTS };

/* Name, what it weighs in the rogue score, and what it says to a person. */
#define OM_REASONS(X)                                                                              \
    X(NONE, "none", 0, "not refused")                                                              \
    X(MALFORMED, "malformed", 5, "no well-formed packet")                                          \
    X(SPOOFED, "spoofed", 20, "source, or a neighbour's word, that is not the port's to use")      \
    X(MARTIAN, "martian", 5, "address or hop limit that cannot be on this link")                   \
    X(GROUP, "group", 0, "multicast or broadcast, which goes nowhere")                             \
    X(POLICY, "policy", 1, "no rule allows it")                                                    \
    X(STRAY, "stray", 0, "belongs to no flow and opens none")                                      \
    X(FRAGMENT, "fragment", 2, "fragment, where none may pass or its first one did not")           \
    X(FOREIGN, "foreign", 1, "frame of neither IP nor ARP")                                        \
    X(MEMORY, "memory", 0, "out of memory")

enum om_reason {
#define X(code, name, weight, help) OM_REASON_##code,
    OM_REASONS(X)
#undef X
        OM_REASON_COUNT
};

/* What lies behind a port. */
struct om_guard_port {
    bool has_mac;          /* frames: then link-local IPv6 addresses may speak on the link */
    bool allows_fragments; /* else each is refused, also one to an address of ours */
    uint8_t mac[OM_MAC];
    uint8_t own_mac[OM_MAC]; /* ours: frames are for us or for a group; zeroes: for anybody */
    struct om_cidr near[OM_GUARD_NEAR_MAX]; /* its addresses */
    unsigned n_near;
    struct om_addr own[OM_GUARD_OWN_MAX]; /* ours on its link */
    unsigned n_own;
};

/* Read freely; write only through om_guard_*(), but for rules, by om_rules_add(). */
struct om_guard {
    struct om_guard_port port;
    enum om_guard_mode mode; /* OM_GUARD_CONNTRACK; may be set before the first packet */
    struct om_rules rules;
    struct om_flows flows;
    struct om_lru fragments;
    struct om_rogue rogue;
    uint64_t passed;
    uint64_t refused[OM_DIRECTION_COUNT][OM_REASON_COUNT];
    uint64_t bad[OM_BAD_COUNT]; /* what OM_REASON_MALFORMED was */
};

struct om_judgement {
    enum om_verdict verdict;
    enum om_reason reason;     /* of OM_DENY */
    enum om_bad bad;           /* of OM_REASON_MALFORMED */
    enum om_rogue_level level; /* reached by this refusal and not told before */
};

/**
 * om_guard_init() - a gate without rules: it denies everything but the link's own services
 * @g:        storage of the caller
 * @now:      current time
 * @port:     copied
 * @sip_key:  16 secret bytes, copied
 *
 * Return: OM_OK, or OM_E_RANGE when @port has more addresses than there is room for.
 */
OM_MUST enum om_err om_guard_init(struct om_guard *g, om_time now, const struct om_guard_port *port,
                                  const uint8_t sip_key[static OM_SIP_KEY]);

/** om_guard_fini() - release @g, which may be zeroed. */
void om_guard_fini(struct om_guard *g);

/**
 * om_guard_check() - may this packet pass?
 * @g:       the gate
 * @now:     current time
 * @d:       where it goes
 * @packet:  an IP packet, padded or not
 *
 * Return: the judgement; OM_LOCAL only for OM_OUT.
 */
struct om_judgement om_guard_check(struct om_guard *g, om_time now, enum om_direction d,
                                   struct om_bytes packet);

/**
 * om_guard_frame() - may this frame, which the port sent, pass?
 * @g:      the gate of a port with a MAC
 * @now:    current time
 * @frame:  Ethernet II
 *
 * Return: as om_guard_check().
 */
struct om_judgement om_guard_frame(struct om_guard *g, om_time now, struct om_bytes frame);

/** om_guard_too_long() - the port sent a frame to @g at @now that was too long to be read: it is
 *  refused as malformed. Return: as om_guard_check(). */
struct om_judgement om_guard_too_long(struct om_guard *g, om_time now);

/**
 * om_guard_answer() - a stack of ours, which ends what the port opens, answers: let the flow know
 * @g:       the gate; it refuses and counts nothing here
 * @now:     current time
 * @packet:  an IP packet for the port
 */
void om_guard_answer(struct om_guard *g, om_time now, struct om_bytes packet);

/** om_guard_tick() - forget the flows of @g whose time is over at @now. */
void om_guard_tick(struct om_guard *g, om_time now);

/** om_guard_deadline() - when @g wants its next tick; OM_NEVER without flows. */
om_time om_guard_deadline(const struct om_guard *g);

/** om_reason_name() - metric label of @r; "unknown" for a value that is none. */
const char *om_reason_name(enum om_reason r);

/** om_reason_text() - what @r means, for a person; "unknown" for a value that is none. */
const char *om_reason_text(enum om_reason r);

#endif
