/*
 * event.h - what happens to a node, as typed values
 *
 * What:  one list of kinds with name and help; one small struct that carries any of them.
 * Why:   the same event is an action of the core, a line in a trace, a notice to a client and a
 *        counter: one list keeps their names the same everywhere.
 * Keeps: event_every_kind_has_name_and_help; event_names_parse_back; event_print_is_one_line.
 */
#ifndef OMERTA_EVENT_H
#define OMERTA_EVENT_H

#include <stdint.h>

#include <omerta/addr.h>
#include <omerta/id.h>
#include <omerta/time.h>

/* Symbol, name, and help that says what a and b are; 0 where it says nothing. Append only. */
#define OM_EVENTS(X)                                                                               \
    X(SESSION_UP, "session_up", "session confirmed; a = local index, b = 1 if we initiated")       \
    X(SESSION_REKEYED, "session_rekeyed",                                                          \
      "new keys carry; a = local index, b = 1 if we initiated")                                    \
    X(SESSION_DOWN, "session_down", "last key of the peer died; a = its local index")              \
    X(PEER_RESTARTED, "peer_restarted", "the peer's association is new: its streams are reset")    \
    X(PEER_LOST, "peer_lost", "no answer for so long that calls end; a = microseconds")            \
    X(PEER_SILENT, "peer_silent", "no answer for too long; a = microseconds of silence")           \
    X(VERSION_MISMATCH, "version_mismatch",                                                        \
      "no session in common; a = greatest version of the peer, b = class of the refusal")          \
    X(HANDSHAKE_RETRY, "handshake_retry", "initiation unanswered, sent again; a = attempt")        \
    X(UNDER_LOAD, "under_load", "initiations need cookies; a = 1 from now on, 0 no longer")        \
    X(CLOSED, "closed", "the association was closed; a = code, b = 1 if by us")                    \
    X(PATH_UP, "path_up", "a way to the peer is proven; a = 0, b = 1 through a relay")             \
    X(PATH_DOWN, "path_down", "a way to the peer stopped answering; a = 0, b = 1 through a relay") \
    X(PATH_MOVED, "path_moved", "data goes another way now; a = why, b = 1 through a relay")       \
    X(MAPPED, "mapped",                                                                            \
      "a router maps our port to addr; a = seconds it lives, b = 0 by NAT-PMP, 1 by UPnP")         \
    X(UNMAPPED, "unmapped", "addr is mapped to our port no longer")                                \
    X(MAP_FAILED, "map_failed",                                                                    \
      "no router maps our port; a = result of NAT-PMP, b = of UPnP, as in netcheck")               \
    X(LANE_UP, "lane_up", "a lane through the peer, a relay, is open; a = our number of it")       \
    X(LANE_DOWN, "lane_down",                                                                      \
      "a lane is over, or was refused; the peer it led to; a = our number, b = reason")            \
    X(PUNCHED, "punched",                                                                          \
      "NATs were opened: a direct way to addr; a = datagrams it took, b = plan")                   \
    X(PUNCH_FAILED, "punch_failed", "no direct way through the NATs; a = how it ended, b = why")   \
    X(NAT_KIND, "nat_kind",                                                                        \
      "our NAT is of another kind; addr: outside; a = kind, b = 4 or 6, the version of IP")        \
    X(UDP_BLOCKED, "udp_blocked",                                                                  \
      "a = 1: nobody far away answers over UDP; 0: somebody does; b = 4 or 6, the version of IP")  \
    X(JOINED, "joined", "we became a member of a closed network by a link")                        \
    X(JOIN_REFUSED, "join_refused", "we did not; a = why")                                         \
    X(RENEWED, "renewed", "our certificate in a closed network is another one")                    \
    X(ISSUED, "issued", "we, an admin, made a certificate for the peer; a = its number")           \
    X(REVOKED, "revoked",                                                                          \
      "the peer, or we, may be a member no more; a = 1 its key, 2 its issuer, 3 its invitation")   \
    X(EPOCH, "epoch", "a closed network goes by another secret; a = its number")                   \
    X(WRONG_CLOCK, "wrong_clock",                                                                  \
      "by our calendar the peer's certificate is of the future, or over; a = 1 of the future")     \
    X(OUTDATED, "outdated",                                                                        \
      "nobody answers in a closed network, where we are the peer: away, or our secret is too old " \
      "and we need a new link")

enum om_event_kind {
#define X(symbol, name, help) OM_EVENT_##symbol,
    OM_EVENTS(X)
#undef X
        OM_EVENT_COUNT
};

enum { OM_EVENT_TEXT = 256 };

struct om_event {
    enum om_event_kind kind;
    om_time at;
    struct om_id peer;   /* all zero: none */
    struct om_addr addr; /* all zero: none */
    uint64_t a, b;       /* what the kind's help says */
};

/** om_event_name() - the name of @kind; "unknown" for other values. */
const char *om_event_name(enum om_event_kind kind);

/** om_event_help() - what @kind means, and what its a and b are; "" for other values. */
const char *om_event_help(enum om_event_kind kind);

/** om_event_parse() - the kind called @name, or OM_EVENT_COUNT when there is none. */
enum om_event_kind om_event_parse(const char *name);

/**
 * om_event_print() - one line of key=value text, for traces and logs
 * @e:    "at" is printed as time since the clock's zero; peer and addr only when set
 * @out:  OM_EVENT_TEXT bytes, terminated, without a newline
 *
 * Return: @out.
 */
char *om_event_print(const struct om_event *e, char out[static OM_EVENT_TEXT]);

#endif
