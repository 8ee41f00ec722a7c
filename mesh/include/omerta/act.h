/*
 * act.h - what a node asks its driver to do
 *
 * What:  actions taken one at a time from om_node_next().
 * Why:   the core performs no I/O and calls nobody back; results wait here until the driver
 *        drains them, so there is no re-entrancy.
 */
#ifndef OMERTA_ACT_H
#define OMERTA_ACT_H

#include <omerta/call.h>
#include <omerta/event.h>
#include <omerta/gossip.h>
#include <omerta/id.h>
#include <omerta/member.h>
#include <omerta/sealed.h>
#include <omerta/service.h>
#include <omerta/via.h>

enum om_act_kind {
    OM_ACT_SEND,    /* put a datagram on the wire, then om_node_sent() */
    OM_ACT_DELIVER, /* a datagram on a channel arrived from a peer */
    OM_ACT_PONG,    /* a peer answered om_node_ping() */
    OM_ACT_EVENT,   /* something happened that an operator may want to know */
    OM_ACT_CALL,    /* a peer calls: om_node_accept() or om_node_refuse() */
    OM_ACT_REPLY,   /* a call of ours was answered */
    OM_ACT_RECORD,  /* gossip brought a record worth keeping */
    OM_ACT_ITEM,    /* somebody published on a channel that was subscribed */
    OM_ACT_FOUND,   /* om_node_seek() ended */
    OM_ACT_MESSAGE, /* a message arrived */
    OM_ACT_RECEIPT, /* what became of a message that was posted */
    OM_ACT_STATUS,  /* om_node_status() was answered */
    OM_ACT_HEALTH,  /* om_node_probe() ended */
    OM_ACT_STREAM,  /* something happened to the bytes of a call */
    OM_ACT_IP,      /* an IP packet of a peer that may send them */
    OM_ACT_MEMBER,  /* we, or somebody by us, became a member or did not (member.h) */
    OM_ACT_SOCKETS, /* open or close sockets beside the main one */
    OM_ACT_REMEMBER /* keep a number on disk: give it back with om_node_recall() after a restart */
};

enum om_remember {
    OM_REMEMBER_CLOCK, /* our initiation timestamps are reserved up to this value */
    OM_REMEMBER_PEER   /* greatest initiation timestamp accepted from that peer */
};

enum { OM_CHANNEL_MAX = 16 };
enum { OM_IP_MAX = 9000 }; /* bytes of an IP packet */

enum { OM_SOCKETS_MAX = 1024 }; /* open at a time beside the main one; then none is opened */

struct om_act_send {
    struct om_sealed *dgram; /* owned by the driver until om_node_sent() */
    struct om_via via;
    uint8_t ttl; /* with which it leaves; 0: the usual */
    /* It asks whether its size passes: nothing may be joined to it, and whatever the system refuses
     * as too long is told with om_node_refused(). */
    bool is_alone;
};

/* Sockets, each with a port of its own, of the families that the main one has. One that cannot be
 * opened is not reported: what is sent over it, or over one that is closed, the driver drops and
 * counts. What comes over one bears its number in via.socket. */
struct om_act_sockets {
    uint32_t first; /* OM_SOCKET_FIRST or greater */
    unsigned count; /* 1 to OM_SOCKETS_MAX */
    bool is_open;   /* else they are closed, those of them that are open */
};

struct om_act_deliver {
    struct om_id network;
    struct om_id peer;
    char channel[OM_CHANNEL_MAX + 1];
    struct om_bytes data; /* lent until the next om_node_input() or om_node_tick() */
};

struct om_act_ip {
    struct om_id network;
    struct om_id peer;
    struct om_bytes packet; /* lent as what is delivered; what it is, only its sender says */
};

struct om_act_pong {
    struct om_id network;
    struct om_id peer;
    uint64_t token;
    om_time rtt;
};

struct om_act_remember {
    enum om_remember kind;
    struct om_id network; /* zero for OM_REMEMBER_CLOCK */
    struct om_id peer;    /* zero for OM_REMEMBER_CLOCK */
    uint64_t value;       /* milliseconds */
};

struct om_act {
    enum om_act_kind kind;
    union {
        struct om_act_send send;
        struct om_act_deliver deliver;
        struct om_act_ip ip;
        struct om_act_pong pong;
        struct om_event event;
        struct om_act_call call;
        struct om_act_reply reply;
        struct om_act_stream stream;
        struct om_act_record record;
        struct om_act_item item;
        struct om_act_found found;
        struct om_act_message message;
        struct om_act_receipt receipt;
        struct om_act_status status;
        struct om_act_health health;
        struct om_act_sockets sockets;
        struct om_act_member member;
        struct om_act_remember remember;
    };
};

#endif
