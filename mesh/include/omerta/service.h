/*
 * service.h - what programs see of the small services: messages and health
 *
 * What:  states of a message that was posted; figures of a peer; what a probe found.
 * Why:   these travel from a node to programs; how they come about is no program's matter.
 */
#ifndef OMERTA_SERVICE_H
#define OMERTA_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/time.h>

enum { OM_MESSAGE_ID = 16, OM_MESSAGE_MAX = 16 * 1024, OM_HEALTH_TEXT_MAX = 256 };

enum om_message_kind { OM_MESSAGE_TEXT, OM_MESSAGE_BINARY };

/* What became of a message. Nothing follows READ, REJECTED or FAILED. */
enum om_receipt {
    OM_RECEIPT_DELIVERED, /* the peer's node has it */
    OM_RECEIPT_READ,      /* the peer says that somebody read it; DELIVERED came before */
    OM_RECEIPT_REJECTED,  /* the peer does not want it, and says why */
    OM_RECEIPT_FAILED     /* its time was over before the peer had it, as far as we know */
};

/* What a peer says of itself: claims, within bounds. A figure it left out or made up is unknown. */
struct om_health_status {
    double uptime_s, peers, sessions;     /* whole, 0 to 2^53; below 0: unknown */
    char version[OM_HEALTH_TEXT_MAX + 1]; /* as it came, so escape it; "": unknown */
    unsigned refused;                     /* figures that were absurd */
};

/* What a probe of a peer found. Loss is in probes; its two ways are the peer's word, the sum is
 * ours. */
struct om_health_result {
    unsigned sent, echoed;
    unsigned lost_there, lost_back; /* their sum is sent - echoed */
    unsigned lies;                  /* echoes of what we never sent, counts that cannot be */
    unsigned copies;                /* echoes that came again: networks do that */
    om_time rtt_min, rtt_avg, rtt_max, rtt_p95; /* OM_NEVER when nothing came back */
};

#endif
