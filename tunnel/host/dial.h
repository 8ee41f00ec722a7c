/*
 * dial.h - connect to a host by TCP
 *
 * What:  a name or address and a port become a connected socket, or the reason why not.
 * Why:   whoever asked, a peer or a program, is told the reason; and a host with several addresses
 *        must not be slow because the first of them is dead.
 * Keeps: dial_connects; dial_says_why_not; dial_takes_the_next_address; dial_asks_the_rules;
 *        dial_can_be_cancelled; dial_asks_whom_it_is_told; dial_leaves_descriptors.
 *
 * Addresses are tried in the resolver's order, families in turn, a new one each OM_DIAL_NEXT_MS or
 * at once when one fails; the first that connects wins.
 *
 * Source: RFC 8305 (Happy Eyeballs v2), sections 4 and 5.
 */
#ifndef OM_TUNNEL_DIAL_H
#define OM_TUNNEL_DIAL_H

#include <omerta/addr.h>
#include <omerta/attr.h>
#include <omerta/err.h>

#include "tunnel/host/dns_exit.h"
#include "tunnel/host/splice.h"

enum { OM_DIAL_NEXT_MS = 250, OM_DIAL_GIVE_UP_MS = 10000, OM_DIAL_ADDRS_MAX = 8 };

/* What becomes of it, with the name and the sentence that a peer is told. */
#define OM_DIAL_RESULTS(X)                                                                         \
    X(OK, "", "connected")                                                                         \
    X(NOT_ALLOWED, "not_allowed", "its owner does not let peers reach that address")               \
    X(REFUSED, "connection_refused", "connection refused: nothing listens there")                  \
    X(UNREACHABLE, "unreachable", "there is no way to that host")                                  \
    X(TIMEOUT, "timeout", "the host does not answer")                                              \
    X(NO_SUCH_HOST, "no_such_host", "there is no such host")                                       \
    X(BUSY, "busy", "too many connections are open there")                                         \
    X(FAILURE, "unavailable", "the connection failed")

enum om_dial_result {
#define X(name, word, text) OM_DIAL_##name,
    OM_DIAL_RESULTS(X)
#undef X
};

struct om_dial;

struct om_dial_config {
    uv_loop_t *loop;
    struct om_dns_exit *names; /* who is asked for the host; NULL: the system, on the thread pool */
    struct om_id who;          /* asks for it; of use with names */
    const char *host;          /* copied */
    uint16_t port;
    /* May this address be connected to? NULL: any. */
    bool (*is_allowed)(const void *rules, const struct om_addr *a);
    const void *rules; /* its first argument; borrowed until done */
    unsigned reserve;  /* descriptors to leave to all else; 0: it may have the last */
    /* Called once, later. @socket is the callee's with OK, else NULL. */
    void (*done)(void *self, enum om_dial_result r, struct om_socket *socket);
    void *self;
};

/**
 * om_dial() - begin
 * @out:     receives the attempt, which ends itself after done
 * @config:  copied
 *
 * Return: OM_OK, OM_E_RANGE for a name that is too long, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_dial(struct om_dial **out, const struct om_dial_config *config);

/** om_dial_result_of_found() - what it means for a dialler that a name was @found like this. */
enum om_dial_result om_dial_result_of_found(enum om_dns_found found);

/** om_dial_cancel() - nobody waits for @d any more: its done is not called. */
void om_dial_cancel(struct om_dial *d);

/** om_dial_word() - what a peer is told of @r. */
const char *om_dial_word(enum om_dial_result r);

/** om_dial_text() - @r in a sentence. */
const char *om_dial_text(enum om_dial_result r);

/** om_dial_result_of() - the result whose word a peer sent: @word; FAILURE for any other. */
enum om_dial_result om_dial_result_of(const char *word);

#endif
