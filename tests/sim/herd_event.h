/*
 * herd_event.h - what is under way in a herd; for herd*.c only
 *
 * What:  events, the keys that pairs of nodes hold, and what the files of a herd lend each other.
 */
#ifndef SIM_HERD_EVENT_H
#define SIM_HERD_EVENT_H

#include <omerta/wire.h>

#include "herd.h"

enum {
    HERD_LIED_HEADS = 200,
    HERD_LIED_ENTRIES = 100,
    HERD_CALL_TIMEOUT_S = 10,
    HERD_RETRIES = 4, /* handshakes sent to one who is not there */
    HERD_LIES_TO = 4, /* nodes a second, each with one lie of every sort, by each liar */
    HERD_LIES_ON = 40 /* forged a second on one victim: more than it may have checked */
};

#define HERD_EPOCH_MS INT64_C(1790000000000)

enum herd_kind { HERD_TICK, HERD_UP, HERD_PUSH, HERD_REQUEST, HERD_REPLY, HERD_LIE };

struct herd_event {
    om_time at;
    uint64_t order;
    enum herd_kind kind;
    unsigned to, from, life; /* life of @to that it is meant for; 0: any */
    enum om_gossip_method method;
    uint64_t tag;
    bool is_ok;
    uint8_t *bytes; /* owned */
    size_t n;
};

/* A key that two nodes agreed on. */
struct herd_key {
    om_time at;
    unsigned lives; /* of both */
};

/** herd_put() - let @e happen in @h; takes its bytes. */
void herd_put(struct sim_herd *h, struct herd_event e);

/** herd_take() - the next event of @h not after @until into @out, whose bytes become the caller's;
 *  false when there is none. */
bool herd_take(struct sim_herd *h, om_time until, struct herd_event *out);

/** herd_clear() - forget all events of @h. */
void herd_clear(struct sim_herd *h);

/**
 * herd_agree() - see to a live key between two nodes
 * @h:  the herd
 * @i:  who wants to send
 * @j:  to whom
 *
 * Return: how long it takes until data can leave; OM_NEVER when @j is not there.
 */
om_time herd_agree(struct sim_herd *h, unsigned i, unsigned j);

/** herd_latency() - of one packet in @h. */
om_time herd_latency(struct sim_herd *h);

/** herd_drain() - carry out what the gossip of node @i of @h wants done. */
void herd_drain(struct sim_herd *h, unsigned i);

/** herd_forge() - @n entries that the liar @i of @h forged, each with its length, into @w. */
void herd_forge(struct sim_herd *h, unsigned i, unsigned n, struct om_wr *w);

/** herd_lie() - the liar @i of @h has its second. */
void herd_lie(struct sim_herd *h, unsigned i);

#endif
