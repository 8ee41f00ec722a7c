/*
 * gossip.h - knowing one's network: what changes is told on, what was missed is asked for
 *
 * What:  keeps the store of signed entries current: tells news once to a few partners (rumours),
 *        asks a partner now and then what changed since the last contact (sync), looks for nodes
 *        it does not know (seek).
 * Why:   nobody keeps a list of all nodes; each node learns it from those it meets, and believes
 *        only what the origin itself has signed.
 * Keeps: gossip_a_newcomer_learns_all; gossip_islands_that_meet_are_one;
 *        gossip_asks_one_it_meets_twice_at_most; gossip_tells_a_change_once;
 *        gossip_asks_only_for_what_it_lacks; gossip_drops_and_counts;
 *        gossip_forged_news_of_us_costs_quota; gossip_leaves_who_forges_answers;
 *        gossip_asking_has_a_quota; gossip_first_hand_beats_told; gossip_renews_without_rumour;
 *        gossip_seek_finds_and_is_damped; gossip_replaces_dead_partners;
 *        gossip_items_reach_subscribers; gossip_budget_bounds_a_round;
 *        gossip_old_news_goes_no_further; gossip_one_peer_owes_no_more_than_its_share;
 *        stall_gives_back_what_gossip_asked.
 *
 * Knows no session: PUSH and CALL name a peer, and whoever drives it sees to the rest. A call's
 * answer comes back through om_gossip_reply(), also when there was none.
 *
 *   rumour   datagram on channel "om.gossip": {u16 length, entry}...
 *   sync     "gossip.sync": u64 store, u64 since, u48 sequence of the asker's record, at a first
 *            contact 64 x 8 B sums of what the asker holds
 *            -> u64 store, u64 next, {8 B hash, u48 sequence}...  what changed after since, of
 *            buckets whose sums differ
 *   get      "gossip.get": 8 B hash...  -> {u16 length, entry}...
 *   seek     "gossip.seek": 32 B key    -> u32 age (s; 2^32-1: never heard), {u16 length, entry}...
 *            the record itself, or the nearest ones known
 *
 * Full: of rumours waiting the newest is left to sync; seeks beyond OM_GOSSIP_SEEKS are refused;
 * of actions waiting, and of calls not answered yet, the next is dropped, and counted: the next
 * sync asks for it. One peer never owes more than half of those, and its own questions make us ask
 * for no more when it owes four; whoever drives this ends what is not answered.
 *
 * Source: PROTOCOL section 10; A. Demers et al., "Epidemic algorithms for replicated database
 *         maintenance", PODC 1987 (rumours and anti-entropy).
 */
#ifndef OM_GOSSIP_GOSSIP_H
#define OM_GOSSIP_GOSSIP_H

#include <omerta/bucket.h>
#include <omerta/lru.h>
#include <omerta/prng.h>
#include <omerta/ring.h>

#include "gossip/records.h"

enum {
    OM_GOSSIP_PARTNERS = 8,    /* nodes we chose, to tell and to ask */
    OM_GOSSIP_LISTENERS = 8,   /* nodes that told or asked us lately: so newcomers hear news, too */
    OM_GOSSIP_FANOUT = 10,     /* are told: all partners, and few listeners */
    OM_GOSSIP_LISTEN_S = 900,  /* since we heard from a listener */
    OM_GOSSIP_YOUNG_S = 5,     /* first sync after a start; each wait is twice the one before */
    OM_GOSSIP_ROUND_MS = 200,  /* what is new within it travels together */
    OM_GOSSIP_SYNC_S = 60,     /* between syncs, +- a quarter */
    OM_GOSSIP_ROTATE_S = 1800, /* until the oldest partner gives way to another */
    OM_GOSSIP_RENEW_S = 12 * 3600,
    OM_GOSSIP_YOUTH_S = 300,   /* what is older goes no further as a rumour */
    OM_GOSSIP_RETRY_S = 600,   /* until one that did not answer is asked again */
    OM_GOSSIP_BUDGET = 32768,  /* bytes pushed in one round */
    OM_GOSSIP_DATAGRAM = 1100, /* bytes of entries in one push */
    OM_GOSSIP_WAITING = 256,   /* rumours */
    OM_GOSSIP_ACTS = 256,
    OM_GOSSIP_HEADS = 1024, /* in one answer to a sync */
    OM_GOSSIP_WANTS = 48,   /* entries asked for in one call */
    OM_GOSSIP_REPLY_MAX = 56 * 1024,
    OM_GOSSIP_SEEN = 4096,       /* news not kept that must not be told twice */
    OM_GOSSIP_SOURCES = 1024,    /* peers whose quota is remembered */
    OM_GOSSIP_CHECKS_PER_S = 20, /* signatures checked for one peer that nobody asked */
    OM_GOSSIP_CHECKS_BURST = 200,
    OM_GOSSIP_ANSWERS_PER_S = 64,   /* entries given to one peer that asks */
    OM_GOSSIP_ANSWERS_BURST = 8192, /* a newcomer may ask for all there is, and ask again */
    OM_GOSSIP_ORIGIN_S = 5, /* between two rumours of one origin and channel; what is between waits
                               for a sync */
    OM_GOSSIP_SEEKS = 16,
    OM_GOSSIP_SEEK_ASKS = 12, /* nodes asked for one */
    OM_GOSSIP_SEEK_AT_ONCE = 3,
    OM_GOSSIP_SEEK_AGAIN_S = 30,
    OM_GOSSIP_NEAREST = 4 /* records in an answer to who does not find */
};

#define OM_GOSSIP_DROPS(X)                                                                         \
    X(MALFORMED, "malformed", "not an entry, or not whole")                                        \
    X(OVERSIZE, "oversize", "longer than any entry")                                               \
    X(FORGED, "forged", "signature does not hold")                                                 \
    X(OLD, "old", "what is held is as new or newer")                                               \
    X(FUTURE, "future", "sequence or expiry over a day ahead")                                     \
    X(EXPIRED, "expired", "past its time")                                                         \
    X(STRANGER, "stranger", "its origin is no member")                                             \
    X(QUOTA, "quota", "its sender has used up its checks")                                         \
    X(OFTEN, "often", "its origin told of another a moment ago")                                   \
    X(OURS, "ours", "a record of ours that we did not make lately")                                \
    X(UNASKED, "unasked", "an answer to no question")                                              \
    X(FULL, "full", "no room to tell or ask")                                                      \
    X(MEMORY, "memory", "out of memory")

enum om_gossip_drop {
#define X(code, name, help) OM_GOSSIP_DROP_##code,
    OM_GOSSIP_DROPS(X)
#undef X
        OM_GOSSIP_DROP_COUNT
};

enum om_gossip_method { OM_GOSSIP_SYNC, OM_GOSSIP_GET, OM_GOSSIP_SEEK, OM_GOSSIP_METHODS };

enum om_gossip_act_kind {
    OM_GOSSIP_ACT_PUSH,    /* send bytes to peer on channel OM_GOSSIP_CHANNEL */
    OM_GOSSIP_ACT_CALL,    /* call method of peer with bytes; answer through om_gossip_reply() */
    OM_GOSSIP_ACT_CHANGED, /* a record is new: its bytes, worth keeping over a restart */
    OM_GOSSIP_ACT_ITEM,    /* an item on a subscribed channel: its bytes */
    OM_GOSSIP_ACT_FOUND,   /* a seek ended: peer's record, or no bytes */
};

#define OM_GOSSIP_CHANNEL "om.gossip"

struct om_gossip_act {
    enum om_gossip_act_kind kind;
    struct om_id peer;
    enum om_gossip_method method;
    uint64_t tag;
    struct om_bytes bytes; /* lent until the next om_gossip_*() */
};

/* What a node says of itself, beside its key. */
struct om_gossip_self {
    uint8_t flags, nat, end_count;
    struct om_record_end ends[OM_RECORD_ENDS_MAX];
    struct om_bytes fields;
};

struct om_gossip_config {
    const struct om_identity *self; /* borrowed for life */
    struct om_id network;
    unsigned records_max;                                 /* 0: OM_RECORDS_MAX */
    uint64_t seed;                                        /* of random choices */
    uint8_t salt[16];                                     /* secret */
    struct om_wall wall;                                  /* calendar at the start */
    bool (*is_member)(void *who, const struct om_id *id); /* NULL: whoever can sign */
    void *who;
};

struct om_gossip_counts {
    uint64_t rumours_in, rumours_out, entries_in, syncs, gets, seeks, heads_in;
    uint64_t drops[OM_GOSSIP_DROP_COUNT];
};

struct om_gossip;

/**
 * om_gossip_new() - gossip of one network
 * @out:     owned by the caller
 * @config:  copied, except what its fields say
 * @now:     time
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_gossip_new(struct om_gossip **out, const struct om_gossip_config *config,
                                  om_time now);

/** om_gossip_free() - release @g; NULL is fine. */
void om_gossip_free(struct om_gossip *g);

/** om_gossip_set_wall() - the calendar shows @wall at @now, for @g. */
void om_gossip_set_wall(struct om_gossip *g, om_time now, struct om_wall wall);

/**
 * om_gossip_set_self() - what our record says from now on; told to others if that is news
 * @g:     the machine
 * @now:   time
 * @self:  copied
 *
 * Return: OM_OK, OM_E_RANGE when it does not fit a record, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_gossip_set_self(struct om_gossip *g, om_time now,
                                       const struct om_gossip_self *self);

/**
 * om_gossip_publish() - our newest item on a channel
 * @g:        the machine
 * @now:      time
 * @channel:  1 to OM_CHANNEL_MAX bytes
 * @value:    at most OM_ITEM_VALUE_MAX bytes; copied
 * @ttl_s:    seconds, at most a day
 *
 * Return: OM_OK, OM_E_RANGE, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_gossip_publish(struct om_gossip *g, om_time now, const char *channel,
                                      struct om_bytes value, uint32_t ttl_s);

/** om_gossip_subscribe() - items on @channel are told to the driver of @g, and kept longest.
 *  Return: as om_records_subscribe(). */
OM_MUST enum om_err om_gossip_subscribe(struct om_gossip *g, const char *channel);

/**
 * om_gossip_peer_up() - we hold a session with a peer: the best knowledge there is; a stranger is
 *                       asked at once
 * @g:     the machine
 * @now:   time
 * @id:    its key
 * @addr:  where it is; NULL when that is not known
 */
void om_gossip_peer_up(struct om_gossip *g, om_time now, const struct om_id *id,
                       const struct om_addr *addr);

/** om_gossip_pin() - the record of @id stays in @g, now or once it is known; false at the bound. */
bool om_gossip_pin(struct om_gossip *g, const struct om_id *id);

/** om_gossip_learn() - give @g, at @now, an entry in @bytes that was kept over a restart; it is
 *  checked like any other. */
void om_gossip_learn(struct om_gossip *g, om_time now, struct om_bytes bytes);

/**
 * om_gossip_seek() - ask the mesh for a node's record
 * @g:    the machine
 * @now:  time
 * @id:   whose
 *
 * Return: OM_OK: OM_GOSSIP_ACT_FOUND will follow; OM_E_BUSY: asked a moment ago; OM_E_FULL.
 */
OM_MUST enum om_err om_gossip_seek(struct om_gossip *g, om_time now, const struct om_id *id);

/**
 * om_gossip_rumour() - a datagram on OM_GOSSIP_CHANNEL arrived
 * @g:      the machine
 * @now:    time
 * @from:   authenticated peer
 * @bytes:  its content
 */
void om_gossip_rumour(struct om_gossip *g, om_time now, const struct om_id *from,
                      struct om_bytes bytes);

/**
 * om_gossip_request() - a peer calls
 * @g:       the machine
 * @now:     time
 * @from:    authenticated peer
 * @method:  which
 * @body:    its bytes
 * @out:     receives the answer's bytes, room for OM_GOSSIP_REPLY_MAX
 *
 * Return: OM_OK; OM_E_PARSE: refuse with bad_args; OM_E_BUSY: @from asks too much.
 */
OM_MUST enum om_err om_gossip_request(struct om_gossip *g, om_time now, const struct om_id *from,
                                      enum om_gossip_method method, struct om_bytes body,
                                      struct om_wr *out);

/**
 * om_gossip_reply() - a call of ours ended
 * @g:      the machine
 * @now:    time
 * @tag:    of the OM_GOSSIP_ACT_CALL
 * @is_ok:  there was an answer
 * @bytes:  it
 */
void om_gossip_reply(struct om_gossip *g, om_time now, uint64_t tag, bool is_ok,
                     struct om_bytes bytes);

/** om_gossip_tick() - let @g do what is due at @now. */
void om_gossip_tick(struct om_gossip *g, om_time now);

/** om_gossip_deadline() - when om_gossip_tick() of @g is due. */
om_time om_gossip_deadline(const struct om_gossip *g);

/** om_gossip_next() - the next action of @g into @out; false when there is none. */
bool om_gossip_next(struct om_gossip *g, struct om_gossip_act *out);

/**
 * om_gossip_ends() - where a node may be reached, first-hand knowledge first
 * @g:    the machine
 * @id:   which
 * @out:  room for OM_RECORD_ENDS_MAX
 *
 * Return: how many.
 */
unsigned om_gossip_ends(const struct om_gossip *g, const struct om_id *id,
                        struct om_addr out[static OM_RECORD_ENDS_MAX]);

/** om_gossip_store() - the entries of @g, lent for its life. */
const struct om_records *om_gossip_store(const struct om_gossip *g);

/** om_gossip_counts() - what @g has counted, lent for its life. */
const struct om_gossip_counts *om_gossip_counts(const struct om_gossip *g);

/** om_gossip_drop_name() - metric label of @d. */
const char *om_gossip_drop_name(enum om_gossip_drop d);

#endif
