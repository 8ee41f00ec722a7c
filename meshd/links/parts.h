/*
 * parts.h - what the files of this folder share
 *
 * What:  links, their connections and their exchanges.
 * Why:   one file for each; here they meet.
 */
#ifndef OM_LINKS_PARTS_H
#define OM_LINKS_PARTS_H

#include <omerta/stack_flow.h>

#include "links/link_ahead.h"
#include "links/link_account.h"
#include "links/link_dhcp.h"
#include "links/link_kept.h"
#include "links/link_pace.h"
#include "links/link_rate.h"
#include "links/link_tap.h"
#include "links/links.h"
#include "tunnels/dns.h"
#include "tunnels/parts.h"

enum {
    LINK_TCP_MAX = 1024,   /* connections of one link; a peer has no more streams */
    LINK_ASKS_MAX = 64,    /* of them, those whose other end has not answered (PROTOCOL 8) */
    LINK_INWARD_MAX = 256, /* besides these, those that the peer opened */
    LINK_KNOCKS_MAX = 64,  /* of them, those that nothing behind the link has answered */
    LINK_UDP_MAX = 512,    /* exchanges of one link, which leave half of them to TCP */
    LINK_UDP_KEY = 36,
    LINK_DNS_MAX = 64,     /* questions of one link under way; above it SERVFAIL */
    LINK_DNS_TCP_MAX = 16, /* connections of one link for such questions; above it refused */
    LINK_DNS_PORT = 53,
    LINK_HEAD = 4, /* bytes of a frame's length */
    LINK_ETHER_HEAD = 14,
    /* Of a card, whose frames are as long as a guest says: longer ones than the link's are refused,
     * and above this it is no card of QEMU's that speaks. */
    LINK_FRAME_MAX = 128 * 1024,
    LINK_IN = 256 * 1024,        /* bytes kept of what was read */
    LINK_READ = 128 * 1024,      /* bytes read at once: what QEMU's socket holds */
    LINK_TURN = 64,              /* frames of them looked at before others have their turn */
    LINK_BATCH = 256 * 1024,     /* bytes written at once */
    LINK_OUT = 4 * 1024 * 1024,  /* bytes that wait for the program to read */
    LINK_AHEAD = OM_SPLICE_AHEAD /* bytes of one connection that the peer does not have yet */
};

struct link {
    struct om_link link;
    struct links *links;
    struct link_config config;
    uint64_t number;
    uint32_t port;
    struct om_socket *socket; /* NULL before links_start() */
    struct link_gate *gate;
    struct link_dhcp *dhcp; /* of config.has_dhcp; else NULL */
    struct link_kept *kept; /* of links_keep(); else NULL */
    struct link_account account;
    struct link_rate rate;
    struct om_list taps;
    om_time heard_at; /* when the peer last said, or had received, something; OM_NEVER */
    size_t grant;     /* bytes that may be read at once */
    size_t filled;    /* bytes put on their way since the last flush */
    bool is_full;     /* connections were told of no room */
    bool is_held;     /* not read from until there is room by the rate */
    bool is_yielding; /* not read from before the others of the loop had their turn */
    bool is_behind;   /* frames in @in may be whole and wait for the link's next turn */
    om_time write_at; /* a socket that was full is tried again; OM_NEVER */
    struct om_list tcps, udps, questions, streams;
    unsigned tcp_count, asking, udp_count, question_count, stream_count;
    unsigned inward_count, knocking;
    struct om_table udp_by_key; /* of both addresses */
    struct link_counts counts;
    uint64_t put_off; /* wishes for a connection that were told to come later */
    char last_error[160];
    uint8_t *in; /* LINK_IN bytes */
    size_t in_n;
    size_t skip; /* bytes to come of a frame that was refused for its length */
    /* Frames for the program: @out is filled while libuv writes @busy. */
    uint8_t *out, *busy;
    size_t out_n, out_room, busy_room;
    size_t last_at, last_n; /* the frame in @out that was put last; last_n 0: none */
    om_time rest_until;     /* nothing is read before; OM_NEVER: it is */
    struct link_pace pace;
    bool is_writing, is_over;
    uv_write_t write;
    void (*on_end)(void *self); /* NULL: nobody wants to know */
    void *self;
};

struct links {
    struct om_daemon *d;
    struct om_stack *stack; /* made with the first link */
    uv_timer_t timer;
    struct om_list links;
    unsigned count;
    uint64_t numbers;
    struct links_totals past; /* of links that ended */
    void (*on_alarm)(void *self, uint64_t number, enum om_rogue_level level); /* may be NULL */
    void *self;
    struct om_table flows; /* link_tcp by their flow */
    struct om_list knocks; /* link_tcp by "knock", the next to give up first */
    bool is_due;           /* the timer is set to now */
};

/* A connection that something behind a link opened, or that the link's peer opened to it. */
struct link_tcp {
    struct om_link link, knock;
    struct link *of;
    struct om_call_owner owner;
    uint32_t ask;  /* while it has no flow */
    uint32_t flow; /* 0: none yet */
    unsigned kept; /* its slot; 0: none */
    struct link_ahead ahead;
    om_time until;         /* is_knocking: when it is given up */
    bool is_inward;        /* the peer's */
    bool is_knocking;      /* the flow does not stand yet; in links.knocks */
    bool is_asking;        /* counted in link.asking */
    bool is_finished;      /* the call knows that the flow ended */
    bool is_deaf;          /* the peer wants no more: what comes is thrown away */
    bool is_flow_finished; /* the flow knows that the call ended */
    bool is_gone;          /* the flow is over, and all was delivered */
    bool is_done;          /* the call is over */
};

/* An exchange of UDP that something behind a link began; the link's list has the one that was
 * used last at its end. */
struct link_udp {
    struct om_link link;
    struct link *of;
    struct om_addr from, to;
    struct tunnel_flow *flow;
};

/* links.c */

/** links_find() - link @number of @s; NULL. */
struct link *links_find(const struct links *s, uint64_t number);

/** links_touch() - something was asked of the stack of @s: see what it wants, soon. */
void links_touch(struct links *s);

/** links_drain() - do all that the stack of @s wants at @now, and tell the node. */
void links_drain(struct links *s, om_time now);

/** links_take_kept() - was @frame of @l, at @now, of a connection that an earlier daemon had? Then
 *  it is answered. */
bool links_take_kept(struct link *l, om_time now, struct om_bytes frame);

/* link.c */

/** link_new() - by @out a link of @s on a port of its stack, as @config. Return: OM_OK,
 *  OM_E_RANGE for an address that no host can have, OM_E_FULL, OM_E_NO_MEM. */
OM_MUST enum om_err link_new(struct link **out, struct links *s, const struct link_config *config);

/** link_start() - @l has its @socket (taken), and @rest was said on it. */
void link_start(struct link *l, struct om_socket *socket, struct om_bytes rest);

/** link_look() - @frame goes @way on @l at @now: account for it, and show it to who captures. */
void link_look(struct link *l, om_time now, enum link_way way, struct om_bytes frame);

/** link_tick() - do for @l what is due at @now. */
void link_tick(struct link *l, om_time now);

/** link_deadline() - when @l wants link_tick(). */
om_time link_deadline(const struct link *l);

/** link_end() - @l is over, with all it opened; its memory goes once libuv has let go of it. */
void link_end(struct link *l);

/** link_add_up() - add what @l has counted to @t. */
void link_add_up(const struct link *l, struct links_totals *t);

/** link_machine() - the virtual machine behind @l; "": it is none. */
const char *link_machine(const struct link *l);

/** link_fail() - count a refusal of @l and keep @why. */
void link_fail(struct link *l, const char *why);

/* link_out.c */

/** link_put() - @frame is for the program of @l at @now; link_flush() after the last of some. */
void link_put(struct link *l, om_time now, struct om_bytes frame);

/** link_room() - bytes that connections may put on their way to the program of @l now. What has to
 *  wait for the rate does so at the peer: in a queue here it would be late, and sent again. */
size_t link_room(const struct link *l);

/** link_fill() - @n bytes were put on their way to the program of @l. */
void link_fill(struct link *l, size_t n);

/** link_flush() - write what waits for the program of @l. */
void link_flush(struct link *l);

/* link_tcp.c */

/** link_tcp_ask() - something behind @l wants a connection: @act, at @now. */
void link_tcp_ask(struct link *l, om_time now, const struct om_stack_act *act);

/** link_tcp_news() - @news of the flow of @c at @now. */
void link_tcp_news(struct link_tcp *c, om_time now, unsigned news);

/** link_tcp_new() - a connection of @l without flow and call; of its peer's when @is_inward; NULL
 *  without memory. */
struct link_tcp *link_tcp_new(struct link *l, bool is_inward);

/** link_tcp_stands() - what is behind the link has answered @c. */
void link_tcp_stands(struct link_tcp *c);

/** link_tcp_keep() - @c, whose flow stands, is kept for the daemon that comes next. */
void link_tcp_keep(struct link_tcp *c);

/** link_tcp_drop() - end @c with a reset to both sides. */
void link_tcp_drop(struct link_tcp *c);

/* link_open.c */

/** link_open() - @call of the peer of @l goes to @port of what is behind it, or is refused. */
void link_open(struct link *l, uint16_t port, uint64_t call);

/** link_open_refuse() - it came to nothing: tell the peer @r, and end @c. */
void link_open_refuse(struct link_tcp *c, enum om_dial_result r);

/** link_open_news() - @news at @now of the flow of @c, which does not stand yet; false: there is no
 *  more to do, and @c may have ended. */
bool link_open_news(struct link_tcp *c, om_time now, unsigned news);

/** link_open_deadline() - when @s wants link_open_tick(). */
om_time link_open_deadline(const struct links *s);

/** link_open_tick() - give up what is due in @s at @now. */
void link_open_tick(struct links *s, om_time now);

/* link_udp.c */

/** link_udp_input() - a datagram, @act, came from behind @l. */
void link_udp_input(struct link *l, const struct om_stack_act *act);

/** link_udp_drop() - end @u. */
void link_udp_drop(struct link_udp *u);

/* link_dns.c */

/** link_dns_is_at() - does @l answer questions about names at @to? */
bool link_dns_is_at(const struct link *l, const struct om_addr *to);

/** link_dns_place() - who is asked what is behind @l asks for, into @out. */
void link_dns_place(const struct link *l, struct dns_place *out);

/** link_dns_input() - a question, @act, came from behind @l. */
void link_dns_input(struct link *l, const struct om_stack_act *act);

/** link_dns_end() - no question of @l by UDP is answered any more. */
void link_dns_end(struct link *l);

/* link_dns_tcp.c */

/** link_dns_ask() - something behind @l wants to connect to our port 53: @ask, at @now. */
void link_dns_ask(struct link *l, om_time now, uint32_t ask);

/** link_dns_news() - news at @now of a flow of @l that is no link_tcp: @act. */
void link_dns_news(struct link *l, om_time now, const struct om_stack_act *act);

/** link_dns_deadline() - when @l wants link_dns_tick(). */
om_time link_dns_deadline(const struct link *l);

/** link_dns_tick() - end connections of @l that are idle at @now. */
void link_dns_tick(struct link *l, om_time now);

/** link_dns_end_streams() - end all of @l. */
void link_dns_end_streams(struct link *l);

#endif
