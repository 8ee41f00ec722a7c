/*
 * stream.h - one stream of bytes, both halves
 *
 * What:  what a user of the streams may look at; made and freed only by the mux.
 * Why:   the node and the RPCs keep a pointer to it for as long as they have not forgotten it.
 */
#ifndef OM_STREAM_STREAM_H
#define OM_STREAM_STREAM_H

#include <omerta/call.h>
#include <omerta/list.h>

#include "stream/credit.h"
#include "stream/receive.h"
#include "stream/send.h"

/* Bits, taken by om_mux_news(). */
enum om_stream_news {
    OM_NEWS_OPENED = 1,   /* by the peer */
    OM_NEWS_READABLE = 2, /* new bytes, or the end, can be read */
    OM_NEWS_RELEASED = 4, /* released grew: those bytes may be reused, and more be written */
    OM_NEWS_RESET = 8,    /* the peer gave up sending: reset_code; what was unread is gone */
    OM_NEWS_STOPPED = 16, /* the peer wants no more: stop_code; all is released, as by a reset */

    /* Everything was sent and acknowledged, or given up and that acknowledged; and everything
     * received was read or refused. */
    OM_NEWS_DONE = 32
};

/* Read freely; @user and @handle are the caller's; the rest is written by the mux. */
struct om_stream {
    uint32_t id;
    uint8_t priority;  /* enum om_priority; OM_NORMAL when the peer opened it */
    uint8_t pending;   /* enum om_stream_news not taken yet */
    bool is_ours;      /* opened by this side */
    bool is_announced; /* OPENED was news, or not needed */
    bool is_forgotten; /* the caller is done with it */
    bool is_orphan;    /* of a life of the peer that ended: its id means nothing any more */
    bool is_done;      /* DONE was news */
    bool is_receiving; /* counts as one that the peer can still send on */
    bool wants_credit, wants_reset, wants_stop; /* frames to send */
    uint64_t released; /* bytes from the start that the mux no longer refers to */
    void *user;
    uint64_t handle;
    uint32_t reset_code; /* the peer's */
    uint32_t stop_code;  /* the peer's */
    uint32_t our_stop_code;
    struct om_credit credit; /* what we let the peer send */
    struct om_send send;
    struct om_receive receive;
    struct om_link in_control; /* the mux's lists; orphans are linked by in_control */
    struct om_link in_again;
    struct om_link in_fresh;
    struct om_link in_news;
};

#endif
