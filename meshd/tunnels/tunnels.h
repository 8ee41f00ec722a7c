/*
 * tunnels.h - TCP of programs here to ports of peers, and of peers to ports here
 *
 * What:  forwards (a local port, whose connections go to a peer), proxies (a local port that speaks
 *        SOCKS5 and HTTP CONNECT), and what is exposed (a port of this machine, or the internet as
 *        seen from it, to peers that are named).
 * Why:   any program reaches any peer without root; nobody reaches this machine unless told so.
 *
 * Wire: a call of TUNNEL_METHOD with {"proto":"tcp","port":N}, for a port that the peer exposes, or
 * with "host" besides, for a host on the internet as seen from the peer. It is accepted once the
 * far connection stands; else refused with om_dial_word().
 *
 * With "back":N instead, N the caller's number of what it was asked to listen for, it leads to what
 * that stands for. TUNNEL_LISTEN asks for it, with {"proto":..,"listen":"address:port","port":N,
 * "back":N}; the answer has "listen", the call stands for as long as the peer listens.
 *
 * With "link": NAME besides, it is a virtual machine that runs at the caller for us, and it reaches
 * what was exposed to that machine, not what is exposed to the caller.
 *
 * UDP: tunnels/udp.h, and that of a proxy's clients: tunnels/associate.h. Names: tunnels/dns.h.
 *
 * Full: TUNNEL_RULES_MAX forwards and exposed things, TUNNEL_MACHINE_RULES_MAX for machines,
 * OM_TUNNELS_MAX connections, of these TUNNEL_PER_PEER from one peer; what is above is refused. So
 * is what would leave less than TUNNEL_SPARE_PEERS descriptors ("busy"), TUNNEL_SPARE_OWN when a
 * program of this machine wants it: its owner always reaches the daemon.
 */
#ifndef OM_TUNNELS_TUNNELS_H
#define OM_TUNNELS_TUNNELS_H

#include <jansson.h>

#include "state.h"

enum {
    OM_TUNNELS_MAX = 8192,
    TUNNEL_PER_PEER = 2048,
    TUNNEL_RULES_MAX = 256,
    TUNNEL_MACHINE_RULES_MAX = 4096
};

#define TUNNEL_METHOD "tunnel.open"
#define TUNNEL_LISTEN "tunnel.listen"
#define TUNNEL_NAMES  "dns.query"

struct tunnels;

/** tunnels_open() - begin, with the rules that @d kept, by @out; else false and @err. */
bool tunnels_open(struct tunnels **out, struct om_daemon *d, struct om_error *err);

/** tunnels_check() - are the rules that @d kept, which need not run, in order? OM_E_PARSE: it will
 *  not start; other errors: one of them will wait; @err says which. */
enum om_err tunnels_check(struct om_daemon *d, struct om_error *err);

/** tunnels_close() - end every connection; @t is freed once the loop has run. */
void tunnels_close(struct tunnels *t);

/** tunnels_call() - a peer wants a tunnel from @t: @call. */
void tunnels_call(struct tunnels *t, const struct om_act_call *call);

/** tunnels_listen() - a peer wants @t to listen for it: @call. */
void tunnels_listen(struct tunnels *t, const struct om_act_call *call);

/** tunnels_query() - a peer has a question about a name for @t: @call. */
void tunnels_query(struct tunnels *t, const struct om_act_call *call);

/** tunnels_names_again() - the network or the configuration changed: @t asks resolvers anew. */
void tunnels_names_again(struct tunnels *t);

/** tunnels_deliver() - a datagram @a of a UDP flow of @t arrived. */
void tunnels_deliver(struct tunnels *t, const struct om_act_deliver *a);

/**
 * tunnels_forward() - listen on a local port
 * @t:      the tunnels
 * @words:  {listen, peer, network, host, link, port, proxy, user, password, dns, remote, udp,
 *           keep}: ids as text
 * @err:    sentence for a person
 *
 * Return: what tunnels_list() shows of it, a new reference; NULL and @err.
 */
json_t *tunnels_forward(struct tunnels *t, const json_t *words, struct om_error *err);

/** tunnels_expose() - as tunnels_forward() of @t, with {port, host, to_port, to, network, internet,
 *  listen, udp, keep, rate, max_connections} in @words. */
json_t *tunnels_expose(struct tunnels *t, const json_t *words, struct om_error *err);

/* What a virtual machine may reach here; borrowed. */
struct tunnel_machine {
    struct om_id network, provider;
    const char *name;
    const uint16_t *ports; /* of our loopback, TCP and UDP alike */
    unsigned count;
    bool has_internet;
};

/** tunnels_grant() - let machine @m reach that, by @t, and nothing else; false and @err. */
bool tunnels_grant(struct tunnels *t, const struct tunnel_machine *m, struct om_error *err);

/** tunnels_revoke() - machine @name of @provider in @network reaches nothing by @t any more. */
void tunnels_revoke(struct tunnels *t, const struct om_id *network, const struct om_id *provider,
                    const char *name);

/** tunnels_list() - rules of @t, a new reference: forwards when @forwards, else what is exposed. */
json_t *tunnels_list(const struct tunnels *t, bool forwards);

/** tunnels_usage() - what each peer did with each exposed thing of @t, the latest last; a new
 *  reference. */
json_t *tunnels_usage(const struct tunnels *t);

/** tunnels_remove() - forget rule @number of @t (a forward when @forwards), and what it let in;
 *  false and @err when there is none. */
bool tunnels_remove(struct tunnels *t, bool forwards, uint64_t number, struct om_error *err);

/** tunnels_leave() - forget every rule of @t that is of @network, which was left. */
void tunnels_leave(struct tunnels *t, const struct om_id *network);

#endif
