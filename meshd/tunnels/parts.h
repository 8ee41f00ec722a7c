/*
 * parts.h - what the files of this folder share
 *
 * What:  rules and connections.
 * Why:   one file for each side of a tunnel; here they meet.
 */
#ifndef OM_TUNNELS_PARTS_H
#define OM_TUNNELS_PARTS_H

#include <omerta/cidr.h>
#include <omerta/proxy.h>

#include "host/fds.h"
#include "tunnel/host/dial.h"
#include "tunnels/tunnels.h"

enum {
    TUNNEL_READ = 16 * 1024, /* bytes read at once before a tunnel stands */
    TUNNEL_PEERS_MAX = 32,   /* that one rule names */
    TUNNEL_OPEN_MS = 40000,  /* until a tunnel stands */
    TUNNEL_LINGER_MS = 2000, /* until a refused client has read why */
    TUNNEL_ALSO_MAX = 16,    /* ranges of our own networks in an exposed internet */
    TUNNEL_LINK_MAX = 32,    /* bytes of the name of a link (links/link_config.h) */
    TUNNEL_GUESTS_MAX = 16,  /* ports that one peer has us listen at */
    TUNNEL_AGAIN_MS = 1000,  /* until what does not stand is tried again; doubles to */
    TUNNEL_AGAIN_MAX_MS = 60000,
    TUNNEL_WHO = 48,
    TUNNEL_SPARE_OWN = OM_FDS_RESERVE,       /* descriptors that our programs leave to all else, */
    TUNNEL_SPARE_PEERS = 2 * OM_FDS_RESERVE, /* and peers, who leave some to our programs, too */
    TUNNEL_CLIENT_KEY = 8 + 18 /* of tunnels.udp_clients: the rule's number, and the address */
};

#define TUNNEL_NUMBERS_MAX (INT64_C(1) << 52) /* a double of JSON's readers holds it */

/* A forward, a proxy, or something exposed. */
struct tunnel_rule {
    struct om_link link;
    struct tunnels *tunnels;
    uint64_t number;
    struct om_id network;
    bool is_forward, is_proxy, is_dns, is_internet, is_udp, keep;
    bool is_remote;   /* forward: a port of peers[0] leads here */
    bool is_guest;    /* forward: peers[0] asked for it, and it leads there */
    bool is_consent;  /* exposed: peers may have us listen at an address; port 0: 1024 and above */
    bool is_standing; /* remote: the peer listens */
    bool is_asked;    /* remote: a program waits to hear whether it does */
    /* forward: where we, or of a remote one the peer, listen; exposed: peers' name for it is the
     * port */
    struct om_addr listen;
    uint64_t back;                 /* guest: the peer's number for it */
    struct tunnel_rule *consent;   /* guest: by which it was let in */
    struct om_call_owner standing; /* remote and guest: while it is open, somebody listens */
    json_t *words;    /* owned: it was kept, and waits until what they say can stand; else NULL */
    uv_timer_t again; /* remote, or waiting: when it is tried once more */
    uint64_t again_ms;
    uv_tcp_t listener;
    uv_udp_t udp;                         /* of a forward of UDP, and of DNS */
    struct om_id peers[TUNNEL_PEERS_MAX]; /* forward: [0] is where to; exposed: to whom */
    unsigned peer_count;                  /* proxy without a gateway: 0 */
    bool is_everybody;                    /* exposed: every member of a closed network */
    /* of a proxy; its user and password point to these, or are NULL */
    struct om_proxy_config login;
    char user[OM_PROXY_SECRET_MAX + 1], password[OM_PROXY_SECRET_MAX + 1];
    char host[OM_TARGET_NAME_MAX + 1];    /* forward: seen from the peer, or ""; exposed: dialled */
    uint16_t port;                        /* forward: of the peer; exposed: dialled */
    char to_link[TUNNEL_LINK_MAX + 1];    /* forward: of what is behind that link of the peer; "" */
    char machine[TUNNEL_LINK_MAX + 1];    /* exposed: to a virtual machine at peers[0], only; "" */
    struct om_cidr also[TUNNEL_ALSO_MAX]; /* internet: ranges that are reached all the same */
    unsigned also_count;
    uint32_t rate;     /* exposed: of each peer, bytes per second each way; 0: as it comes */
    unsigned open_max; /* exposed: of each peer */
    unsigned open;     /* connections now */
    uint64_t total, failed, sent, received;
    char last_error[160]; /* of the last that failed; "": a forward worked since */
};

struct tunnel_usage;

/* A connection on its way to be a tunnel, or being one. */
struct tunnel_conn {
    struct om_link link;
    struct tunnels *tunnels;
    struct tunnel_rule *rule; /* NULL once it was removed */
    struct om_call_owner owner;
    struct om_socket *socket; /* NULL before it is dialled, and when the splice has it */
    struct om_splice *splice;
    struct om_dial *dial;
    struct om_proxy *proxy;                 /* owned, while the client has not got its answer */
    struct tunnel_association *association; /* owned: instead of a call */
    uint8_t *rest;                          /* owned: what the client said behind its request */
    size_t rest_n;
    struct om_id peer;
    struct tunnel_usage *usage; /* of something exposed */
    bool is_serving;            /* for a peer, not of ours */
    bool is_lingering;
    uv_timer_t limit;
};

/* What is asked of a peer. */
struct tunnel_wish {
    const char *proto;
    struct om_id network, peer;
    const char *host; /* NULL or "": what it exposes */
    uint16_t port;
    uint32_t flow;       /* of UDP */
    const char *machine; /* a virtual machine of the peer's asks; NULL or "": none */
};

struct tunnel_dns;

struct tunnels {
    struct om_daemon *d;
    struct tunnel_dns *dns; /* owned */
    struct om_list flows;   /* of UDP, the one that was longest silent first */
    struct om_table flows_by_wire, udp_clients;
    unsigned flow_count;
    uint32_t flow_numbers;
    uv_timer_t sweep;
    struct om_list rules, conns;
    unsigned rule_count, conn_count;
    unsigned machine_rules; /* besides, those for virtual machines */
    struct om_list usages;  /* tunnels/usage.h */
    struct om_table usages_by_pair;
    uint64_t numbers;
    bool is_closing;
    char buffer[TUNNEL_READ];
};

/* conn.c */

/** tunnel_conn_new() - a connection of @t under @rule, for a peer when @is_serving; NULL: too many,
 *  or no memory. */
struct tunnel_conn *tunnel_conn_new(struct tunnels *t, struct tunnel_rule *rule, bool is_serving);

/** tunnel_conn_drop() - end @c in whatever state it is, with a reset to both sides. */
void tunnel_conn_drop(struct tunnel_conn *c);

/** tunnel_rule_fail() - count and keep @why for @r. */
void tunnel_rule_fail(struct tunnel_rule *r, const char *why);

/** tunnel_rule_works() - forget why @r (or NULL) failed, if it is a forward: it does no more. */
void tunnel_rule_works(struct tunnel_rule *r);

/** tunnel_conn_fail() - count and keep @why for the rule of @c; the connection is the caller's. */
void tunnel_conn_fail(struct tunnel_conn *c, const char *why);

/** tunnel_conn_join() - socket and call of @c are there: let it flow. */
void tunnel_conn_join(struct tunnel_conn *c);

/** tunnel_conn_live() - bytes that the open connections of @r have carried so far, into @out. */
void tunnel_conn_live(const struct tunnel_rule *r, struct om_splice_end *out);

/* forward.c */

/** tunnel_who_listens() - words for @rule, which cannot have its port: of UDP when @is_udp, else of
 *  TCP; @out lent, or a text of its own. */
const char *tunnel_who_listens(const struct tunnel_rule *rule, bool is_udp,
                               char out[static TUNNEL_WHO]);

/** tunnel_listen() - accept connections for @rule; false and @err when the port is taken. */
bool tunnel_listen(struct tunnel_rule *rule, struct om_error *err);

/** tunnel_ask() - have @t call a peer for @owner as @w says, for rule @r (or NULL); false, with the
 *  reason kept in @r, when it cannot be asked. */
bool tunnel_ask(struct tunnels *t, struct tunnel_rule *r, struct om_call_owner *owner,
                const struct tunnel_wish *w);

/** tunnel_call() - have @c ask @peer of @network for @host (or "") and @port; false: it cannot. */
bool tunnel_call(struct tunnel_conn *c, const struct om_id *network, const struct om_id *peer,
                 const char *host, uint16_t port);

/* proxy.c */

/** tunnel_proxy_wish() - where target @to of a client of proxy @r leads: OK and @out, which borrows
 *  the host, or why nowhere. */
enum om_dial_result tunnel_proxy_wish(struct tunnel_wish *out, const struct tunnel_rule *r,
                                      const struct om_target *to);

/** tunnel_proxy() - client @c has connected to a proxy's port. */
void tunnel_proxy(struct tunnel_conn *c);

/** tunnel_proxy_answer() - tell client @c of a proxy how it went: @r; with OK it is joined. */
void tunnel_proxy_answer(struct tunnel_conn *c, enum om_dial_result r);

/* kept.c */

/** tunnel_rules_load() - the kept rules of @t, of which those wait that cannot stand; false and
 *  @err when their file makes no sense. */
bool tunnel_rules_load(struct tunnels *t, struct om_error *err);

/** tunnel_rules_save() - keep the rules of @t that are to be kept; false and @err. */
bool tunnel_rules_save(const struct tunnels *t, struct om_error *err);

/* remote.c */

/** tunnel_again_after() - how long to wait when @ms were waited in vain. */
uint64_t tunnel_again_after(uint64_t ms);

/** tunnel_remote_start() - ask the peer of @rule, which is whole, to listen; again and again. */
void tunnel_remote_start(struct tunnel_rule *rule);

/** tunnel_remote() - rule @back of @t, by which @peer of @network has a port that leads here (of
 *  UDP when @is_udp); NULL: none. */
struct tunnel_rule *tunnel_remote(const struct tunnels *t, const struct om_id *network,
                                  const struct om_id *peer, uint64_t back, bool is_udp);

/** tunnel_remote_stop() - @rule goes: who listens for it no longer does, nor do its guests. */
void tunnel_remote_stop(struct tunnel_rule *rule);

/* rule_words.c */

/** tunnel_rule_read_forward() - make the new @r what @words say; false and @err. */
bool tunnel_rule_read_forward(struct tunnel_rule *r, const json_t *words, struct om_error *err);

/** tunnel_rule_listen() - have forward @r listen here, if it is to; false and @err. */
bool tunnel_rule_listen(struct tunnel_rule *r, struct om_error *err);

/** tunnel_rule_read_exposed() - make the new @r what @words say; false and @err. */
bool tunnel_rule_read_exposed(struct tunnel_rule *r, const json_t *words, struct om_error *err);

/** tunnel_rule_kept() - all that makes @r again, its secrets included, a new reference. */
json_t *tunnel_rule_kept(const struct tunnel_rule *r);

/* rules.c */

/** tunnel_rule_new() - an empty rule of @t in @network, in no list yet; NULL: too many. */
struct tunnel_rule *tunnel_rule_new(struct tunnels *t, const struct om_id *network);

/** tunnel_rule_make() - a rule of @t, a forward when @forwards, of @words, which listens, but is in
 *  no list yet; NULL and @err. */
struct tunnel_rule *tunnel_rule_make(struct tunnels *t, bool forwards, const json_t *words,
                                     struct om_error *err);

/** tunnel_rule_add() - @r is whole: number it, if it has none, and let it be found. */
void tunnel_rule_add(struct tunnel_rule *r);

/** tunnel_rule_free() - @r was never added. */
void tunnel_rule_free(struct tunnel_rule *r);

/** tunnel_read_listen() - "port", "address:port" or "[address]:port" in @text into @out; false
 *  and @err. */
bool tunnel_read_listen(struct om_addr *out, const char *text, struct om_error *err);

/** tunnel_rule_show() - @r for people and programs, a new reference. */
json_t *tunnel_rule_show(const struct tunnel_rule *r);

/** tunnel_names() - is @peer one of those @r names? */
bool tunnel_names(const struct tunnel_rule *r, const struct om_id *peer);

/** tunnel_rule_drop() - @r is no more; connections it let in end, and those it began whose tunnel
 *  does not stand, or which are associations; the others live on. */
void tunnel_rule_drop(struct tunnel_rule *r);

/** tunnel_exposed() - the rule of @t that lets @peer of @network, or its virtual machine @machine
 *  unless that is "", reach @port (of UDP when @is_udp), or, with @internet, the internet; NULL:
 *  none. */
struct tunnel_rule *tunnel_exposed(const struct tunnels *t, const struct om_id *network,
                                   const struct om_id *peer, const char *machine, uint16_t port,
                                   bool internet, bool is_udp);

/* machine.c */

/** tunnel_machine_read() - the name of the machine that asks with the words @args into @out, "" if
 *  none does; false: that is no name. */
bool tunnel_machine_read(char out[static TUNNEL_LINK_MAX + 1], const json_t *args);

/* serve.c */

/** tunnel_may_reach() - may a peer reach @a through the exposed internet @r? Peers share our way
 *  there, never our own networks but for those that were named. */
bool tunnel_may_reach(const struct tunnel_rule *r, const struct om_addr *a);

#endif
