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

#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

enum { OM_PROBE_BYTES_MAX = 9000 }; /* as OM_IP_MAX: larger than most paths, and sliced there */

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

/* For OM_ACT_MESSAGE: a message arrived; delivered once. */
struct om_act_message {
    struct om_id network;
    struct om_id peer; /* authenticated */
    uint8_t id[OM_MESSAGE_ID];
    enum om_message_kind kind;
    struct om_bytes bytes; /* lent until the next om_node_*(); the peer's, so escape it */
};

/* For OM_ACT_RECEIPT: what became of a message that was posted. */
struct om_act_receipt {
    struct om_id network;
    struct om_id peer;
    uint8_t id[OM_MESSAGE_ID];
    enum om_receipt receipt;
    char reason[33]; /* name of an error; "" without */
};

/* For OM_ACT_STATUS: the answer to om_node_status(). */
struct om_act_status {
    struct om_id network;
    struct om_id peer;
    bool is_ok; /* it answered */
    struct om_health_status status;
};

/* For OM_ACT_HEALTH: om_node_probe() ended. */
struct om_act_health {
    struct om_id network;
    struct om_id peer;
    struct om_health_result result;
};

struct om_node;

/**
 * om_node_post() - send a message to a peer, now or when it comes back
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @peer:     a known peer, on line or not
 * @kind:     text is UTF-8
 * @data:     at most OM_MESSAGE_MAX bytes; copied
 * @id:       receives what its receipts will be known by
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_RANGE, OM_E_FULL while too much waits, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_post(struct om_node *n, om_time now, const struct om_id *network,
                                 const struct om_id *peer, enum om_message_kind kind,
                                 struct om_bytes data, uint8_t id[static OM_MESSAGE_ID]);

/**
 * om_node_receipt() - tell a peer that its message was read, or is not wanted
 * @n:          the node
 * @now:        time
 * @network:    one that was joined
 * @peer:       who sent it
 * @id:         of OM_ACT_MESSAGE
 * @is_wanted:  read; else rejected
 *
 * Return: OM_OK, OM_E_MISSING for a message that never came or was answered, OM_E_FULL,
 * OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_receipt(struct om_node *n, om_time now, const struct om_id *network,
                                    const struct om_id *peer,
                                    const uint8_t id[static OM_MESSAGE_ID], bool is_wanted);

/** om_node_status() - @n asks at @now how @peer of @network is; answered by OM_ACT_STATUS. Return:
 *  as om_node_call(). */
OM_MUST enum om_err om_node_status(struct om_node *n, om_time now, const struct om_id *network,
                                   const struct om_id *peer);

/**
 * om_node_probe() - measure round trips and loss to a peer, end to end
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @peer:     a known peer
 * @count:    probes, at most 100; 0: 20
 * @pace:     between them, at least 100 ms; 0: that
 * @size:     of each datagram and its echo, at most OM_PROBE_BYTES_MAX; 0: the least, 17
 *
 * Return: OM_OK: OM_ACT_HEALTH follows; OM_E_MISSING, OM_E_NO_ROUTE, OM_E_RANGE, OM_E_BUSY while
 * one runs, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_probe(struct om_node *n, om_time now, const struct om_id *network,
                                  const struct om_id *peer, unsigned count, om_time pace,
                                  size_t size);

#endif
