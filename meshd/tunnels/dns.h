/*
 * dns.h - names: of peers, known here; of everything else, asked at a peer
 *
 * What:  answers DNS questions from what the daemon knows of its peers, from a cache, or from a
 *        gateway; and asks this machine's resolvers for peers that may use its internet.
 * Why:   who goes to the internet through a peer must not tell the local network where to.
 *
 * Wire: a call of TUNNEL_NAMES with {"query": the message in hex, at most OM_DNS_QUERY_MAX bytes},
 * and "link" as in tunnels/tunnels.h. Of our names and of what is kept a machine learns nothing.
 * It is accepted once there is an answer, which is all of the stream: a message of at most 65535
 * bytes, then the end. SERVFAIL and its like are answers. Refused is who may not use the internet
 * of the peer ("not_allowed"), too many questions ("busy") and what is no question ("bad_args").
 *
 * Full: DNS_ASKS_MAX questions of ours under way, DNS_CACHES_MAX gateways whose answers are kept,
 * DNS_PER_PEER questions of one peer, and fewer while resolvers have many of others
 * (tunnel/host/dns_exit.h); DNS_TCP_MAX connections of programs and DNS_TCP_PIPELINE questions on
 * each, behind which nothing is read.
 *
 * Source: RFC 1035 section 4.2; RFC 7766 (DNS over TCP); RFC 8914 (why not).
 */
#ifndef OM_TUNNELS_DNS_H
#define OM_TUNNELS_DNS_H

#include "tunnel/host/dns_exit.h"
#include "tunnels/parts.h"

enum {
    DNS_ASKS_MAX = 1024,
    DNS_CACHES_MAX = 8,
    DNS_PER_PEER = 256,
    DNS_ANSWER_MS = 4800,  /* until a gateway that says nothing is SERVFAIL */
    DNS_SERVED_MS = 10000, /* until a peer has taken its answer */
    DNS_NAMES_MS = 1000,   /* names of peers may be this old */
    DNS_PEERS_MAX = 8192,  /* in the table of names */
    DNS_TCP_MAX = 64,
    DNS_TCP_PIPELINE = 16,
    DNS_TCP_IDLE_MS = 10000,
    DNS_MESSAGE_MAX = 65535
};

struct dns_ask;
struct dns_kept;
struct dns_names;
struct om_zone;

/* Of struct tunnels. */
struct tunnel_dns {
    struct om_dns_exit *resolver;          /* this machine's */
    struct om_list asks;                   /* of programs here, under way */
    struct dns_kept *kept[DNS_CACHES_MAX]; /* owned: answers of gateways; NULL: none yet */
    struct om_list served;                 /* questions of peers */
    struct om_list clients, streams;
    unsigned ask_count, served_count, client_count, stream_count;
    struct dns_names *names; /* owned; NULL before anybody asked */
};

/* Who is asked what is not known here. */
struct dns_place {
    struct om_id network, gateway;
    bool has_gateway;                  /* else REFUSED */
    char machine[TUNNEL_LINK_MAX + 1]; /* a virtual machine of the gateway's asks; "" */
};

/* @answer: lent, whole; it may be longer than the program takes over UDP. @why: in words, when
 * the answer is an error; else NULL. */
typedef void (*dns_told)(void *self, struct om_bytes answer, const char *why);

/* dns_ask.c */

/**
 * tunnel_dns_ask() - answer a question
 * @t:      the tunnels
 * @where:  copied
 * @query:  a DNS message as a program sent it
 * @done:   called once, later, at the latest after DNS_ANSWER_MS
 * @self:   its first argument
 *
 * Return: what tunnel_dns_cancel() takes until @done was called; NULL, and no answer will come,
 * when it is no question, too many are under way, or without memory.
 */
struct dns_ask *tunnel_dns_ask(struct tunnels *t, const struct dns_place *where,
                               struct om_bytes query, dns_told done, void *self);

/** tunnel_dns_cancel() - nobody waits for @a any more: its done is not called. */
void tunnel_dns_cancel(struct dns_ask *a);

/** tunnel_dns_init() - @t asks nobody yet; false and @err. */
bool tunnel_dns_init(struct tunnels *t, struct om_error *err);

/** tunnel_dns_fini() - cancel every question of @t, and forget answers; its rules are gone. */
void tunnel_dns_fini(struct tunnels *t);

/* dns_names.c */

/** tunnel_names_zone() - the names of @t now, lent until the next call; NULL without memory. */
const struct om_zone *tunnel_names_zone(struct tunnels *t);

/** tunnel_names_is_ours() - is @a of the overlay of a network that @t is in? An IPv6 address is by
 *  its form, an IPv4 one by the certificate that gave it to somebody. */
bool tunnel_names_is_ours(struct tunnels *t, const struct om_addr *a);

/** tunnel_names_at() - the peer of @t whose overlay address is @a, and its network to @network and
 *  @peer; false: nobody's, or our own. */
bool tunnel_names_at(struct tunnels *t, const struct om_addr *a, struct om_id *network,
                     struct om_id *peer);

/** tunnel_names_fini() - forget the names of @t. */
void tunnel_names_fini(struct tunnels *t);

/* dns_serve.c */

/** tunnel_dns_serve_init() - have @t ask resolvers; false and @err. */
bool tunnel_dns_serve_init(struct tunnels *t, struct om_error *err);

/** tunnel_dns_serve_fini() - @t answers no peers, and asks no resolver, any more. */
void tunnel_dns_serve_fini(struct tunnels *t);

/* dns_listen.c */

/** tunnel_dns_listen() - answer programs at the port of @rule, by UDP and TCP; false and @err: the
 *  port is taken. */
bool tunnel_dns_listen(struct tunnel_rule *rule, struct om_error *err);

/** tunnel_dns_forget() - programs that asked at the port of @rule of @t get no answer any more. */
void tunnel_dns_forget(struct tunnels *t, const struct tunnel_rule *rule);

#endif
