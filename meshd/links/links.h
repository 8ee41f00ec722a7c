/*
 * links.h - links whose packets end here and go on through tunnels
 *
 * What:  something that sends raw IP or Ethernet (a TUN, the card of a virtual machine) is answered
 *        by a TCP/IP stack of our own; each connection and each UDP exchange that it opens becomes
 *        a tunnel to the link's peer.
 * Why:   a machine or a whole network reaches peers by plain IP, and the daemon needs neither root
 *        nor a device for it: frames come through a local socket.
 *
 * The peer of a link that is "inward" may connect to what is behind it. Of a link of a virtual
 * machine, calls to the peer say which it is (tunnels/tunnels.h, "link").
 *
 * Wire: a call of LINK_METHOD with {"link": the link's name or number, "port": N}, by the link's
 * own peer. It is accepted once the port behind the link has answered; else refused with
 * om_dial_word(), "not_allowed" also where there is no such link.
 *
 * On the socket each frame, an IP packet or an Ethernet frame, follows its length: 4 bytes, the
 * highest first, as QEMU's "-netdev stream" has it. Connections to the link's own address go to
 * what the peer exposes, all others to the internet as seen from the peer (links/link_route.h).
 *
 * Full: OM_LINKS_MAX links; OM_FLOWS_MAX connections of all, LINK_TCP_MAX of one and
 * LINK_INWARD_MAX that its peer opened, what is above is refused; LINK_UDP_MAX exchanges of one,
 * then that silent for longest ends; LINK_OUT bytes for a program that does not read, then packets
 * are dropped and counted.
 *
 * Source: meshd/dist/man/omerta-data.7 on how one is opened.
 */
#ifndef OM_LINKS_LINKS_H
#define OM_LINKS_LINKS_H

#include <jansson.h>

#include "links/link_config.h"
#include "links/link_gate.h"
#include "links/link_tap.h"
#include "state.h"
#include "tunnel/host/splice.h"

enum { OM_LINKS_MAX = OM_PORTS_MAX };

#define LINK_METHOD "link.open"

struct links;

struct link_counts {
    uint64_t frames_in, frames_out, bytes_in, bytes_out;
    uint64_t out_full;               /* packets that the program did not take */
    uint64_t opened;                 /* connections */
    uint64_t refused;                /* connections and exchanges that the peer or we said no to */
    uint64_t inward, inward_refused; /* connections that the peer asked for */
    uint64_t unroutable;             /* of these, to where no host can be */
    uint64_t udp_dropped;            /* datagrams, by one of the bounds */
    uint64_t held;                   /* times that the program had to wait for the rate */
    uint64_t joined;                 /* acknowledgements whose place a later one took */
    uint64_t captured;               /* frames that were shown to who captures */
    uint64_t capture_lost;           /* and that one of these had no room for */
};

/* Of all links, those that ended included. */
struct links_totals {
    unsigned links, tcps, udps; /* now */
    struct link_counts counts;
    uint64_t dropped[LINK_REASONS_MAX]; /* by the reason of the guard (links/link_gate.h) */
};

/** links_open() - begin for @d without any, by @out; false and @err. */
bool links_open(struct links **out, struct om_daemon *d, struct om_error *err);

/** links_close() - end every link; @s is freed once the loop has run; NULL is fine. */
void links_close(struct links *s);

/**
 * links_add() - a link on a connected socket
 * @s:       the links
 * @config:  copied
 * @number:  receives the link's number, for links_start()
 * @err:     sentence for a person
 *
 * Return: OM_OK; OM_E_EXISTS for a name that another has; OM_E_FULL; OM_E_NO_MEM; OM_E_RANGE.
 */
OM_MUST enum om_err links_add(struct links *s, const struct link_config *config, uint64_t *number,
                              struct om_error *err);

/** links_keep() - the connections of link @number of @s, of Ethernet and not started, are kept in
 *  the file @path, and what is left there of an earlier daemon's is reset once it starts. Return:
 *  false and @err: they are not. */
bool links_keep(struct links *s, uint64_t number, const char *path, struct om_error *err);

/**
 * links_start() - let frames flow
 * @s:       the links
 * @number:  of links_add()
 * @socket:  a pipe; taken. NULL: it has gone, and the link goes with it
 * @rest:    what it said already
 */
void links_start(struct links *s, uint64_t number, struct om_socket *socket, struct om_bytes rest);

/** links_watch() - once link @number of @s ends by itself, @on_end is called with @self; NULL: no
 *  more. */
void links_watch(struct links *s, uint64_t number, void (*on_end)(void *self), void *self);

/** links_end() - end link @number of @s, if there is one; nobody is told. */
void links_end(struct links *s, uint64_t number);

/** links_call() - a peer wants a connection to what is behind a link of @s: @call. */
void links_call(struct links *s, const struct om_act_call *call);

/** links_connect() - @call, whose peer may, goes to @port of what is behind link @number of @s; or
 *  it is refused. */
void links_connect(struct links *s, uint64_t number, uint16_t port, uint64_t call);

/** links_on_alarm() - @on_alarm is called with @self and the number of a link of @s whose score
 *  reached a level, once for each level; it asks nothing of @s then. NULL: nobody is. */
void links_on_alarm(struct links *s,
                    void (*on_alarm)(void *self, uint64_t number, enum om_rogue_level level),
                    void *self);

/** links_forgive() - link @number of @s has no score any more. */
void links_forgive(struct links *s, uint64_t number);

/** links_heard_at() - when the peer of link @number of @s last said, or got, something; OM_NEVER:
 *  never, or there is no such link. */
om_time links_heard_at(const struct links *s, uint64_t number);

/** links_tap() - @t hears each frame of link @number of @s from now on; false: there is none. */
bool links_tap(struct links *s, uint64_t number, struct link_tap *t);

/** links_traffic() - what goes over link @number of @s: flows, counters, refusals; a new reference;
 *  NULL: there is no such link. */
json_t *links_traffic(const struct links *s, uint64_t number);

/** links_refused() - up to @size bytes at @out: what the gate of link @number of @s refused, as
 *  "57 packets (50 spoofed, 7 policy)". */
void links_refused(const struct links *s, uint64_t number, char *out, size_t size);

/** links_total() - the counters of @s, by @out. */
void links_total(const struct links *s, struct links_totals *out);

/** links_list() - every link of @s with its counters, a new reference. */
json_t *links_list(const struct links *s);

#endif
