/*
 * cc.h - congestion control behind a table: what every member is told, and what it decides
 *
 * What:  the events of one path (a packet sent, acknowledged, lost) in one form, and a window and
 *        a pacing rate as the answer.
 * Why:   BBR and CUBIC are chosen by a word of configuration, and compared in one test.
 *
 * Sizes are bytes of UDP payload.
 *
 * Source: RFC 9002 section 7; draft-ietf-ccwg-bbr, "Delivery Rate Samples".
 */
#ifndef OM_STREAM_CC_H
#define OM_STREAM_CC_H

#include <omerta/prng.h>
#include <omerta/time.h>

#include "stream/bbr.h"
#include "stream/cubic.h"

enum {
    OM_CC_MSS = 1200,
    OM_CC_INITIAL_PACKETS = 10, /* PROTOCOL 4 */
    OM_CC_MIN_PACKETS = 4
};

/* What one ACK, or one loss timer, taught. */
struct om_cc_sample {
    om_time now;
    om_time rtt;              /* of the newest packet acknowledged; 0: no sample */
    om_time srtt, min_rtt;    /* of the path so far; 0 before the first */
    uint64_t acked, lost;     /* newly acknowledged, newly declared lost */
    uint64_t in_flight;       /* after this event */
    uint64_t delivered;       /* in all (C.delivered) */
    uint64_t prior_delivered; /* when the newest acknowledged packet was sent (P.delivered) */
    uint64_t tx_in_flight;    /* then, with it (P.tx_in_flight) */
    uint64_t lost_since;      /* between its sending and now (RS.lost) */
    uint64_t rate;            /* of delivery, bytes per second; 0: no valid sample */
    om_time interval;         /* over which it was measured */
    bool is_app_limited;      /* the sender had too little to send then */
    bool has_newest;          /* something was newly acknowledged: the four above are valid */
};

/* One packet declared lost; told before the sample of the same event. */
struct om_cc_loss {
    om_time now, sent_at;
    uint64_t packet;       /* its number */
    uint64_t largest_sent; /* a recovery period ends when a later one is acknowledged */
    uint64_t bytes;
    uint64_t delivered;    /* P.delivered of that packet */
    uint64_t tx_in_flight; /* P.tx_in_flight */
    uint64_t lost_since;   /* C.lost with this packet, less P.lost */
    bool was_app_limited;
};

struct om_cc;

struct om_cc_ops {
    const char *name;
    void (*init)(struct om_cc *c, om_time now);
    void (*on_sent)(struct om_cc *c, om_time now, uint64_t packet, uint64_t bytes,
                    uint64_t in_flight, bool app_limited);
    void (*on_lost)(struct om_cc *c, const struct om_cc_loss *l);
    void (*on_ack)(struct om_cc *c, uint64_t largest_acked, om_time largest_sent_at,
                   const struct om_cc_sample *s);
    void (*on_persistent)(struct om_cc *c, om_time now);   /* RFC 9002 section 7.6 */
    void (*on_idle_restart)(struct om_cc *c, om_time now); /* first packet with none on its way */
    void (*on_path)(struct om_cc *c, om_time now, om_time rtt); /* another path; 0: not known yet */
};

/* Read freely; written by the member in use. */
struct om_cc {
    const struct om_cc_ops *ops;
    uint64_t window;      /* bytes that may be on their way */
    uint64_t pacing_rate; /* bytes per second; 0: not paced */
    uint64_t quantum;     /* bytes that may leave in one burst */
    struct om_prng prng;  /* for random waits */
    union {
        struct om_bbr bbr;
        struct om_cubic cubic;
    };
};

extern const struct om_cc_ops om_bbr_ops, om_cubic_ops;

#endif
