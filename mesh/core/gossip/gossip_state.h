/*
 * gossip_state.h - the parts of the gossip machine, shared by its files and nobody else
 *
 * What:  struct om_gossip, and the functions by which gossip_*.c hand work to one another.
 */
#ifndef OM_GOSSIP_GOSSIP_STATE_H
#define OM_GOSSIP_GOSSIP_STATE_H

#include "gossip/gossip.h"

/* Somebody we tell, and ask. */
struct gossip_partner {
    struct om_id id;
    bool is_set;
    om_time since;
};

/* How far we have followed the changes of another node's store. */
struct gossip_cursor {
    uint64_t store, next;
};

/* What one peer may cost us. */
struct gossip_quota {
    struct om_bucket checks, answers;
};

/* News to be told once. */
struct gossip_rumour {
    struct gossip_rumour *next;
    struct om_id from; /* who told us; zero: we make it */
    uint16_t len;
    uint8_t bytes[];
};

/* A call that was not answered yet. */
struct gossip_asked {
    uint64_t tag; /* 0: free */
    struct om_id peer;
    enum om_gossip_method method;
    unsigned pages; /* of one contact: syncs that followed each other */
    unsigned wants; /* entries asked for, for a get */
    uint64_t seek;  /* serial, for a seek */
};

struct gossip_seek {
    bool is_set;
    struct om_id id;
    uint64_t serial; /* no two seeks have the same */
    unsigned pending, count;
    struct om_id asked[OM_GOSSIP_SEEK_ASKS];
};

/* An action with its bytes. */
struct gossip_out {
    struct gossip_out *next;
    struct om_gossip_act act;
    uint8_t bytes[];
};

enum {
    GOSSIP_ASKED_MAX = 32,
    GOSSIP_SHARE_MAX = 16, /* of them owed by one peer */
    GOSSIP_SPARED = 8,     /* of them for syncs and seeks alone */
    GOSSIP_PROVOKED_MAX =
        4,               /* calls that one peer owes us when its own question leads to another */
    GOSSIP_OWED_MAX = 2, /* calls that one peer owes us when it is met: one of a life that ended */
    GOSSIP_PAGES_MAX = 64,
    GOSSIP_CURSORS = 64,
    GOSSIP_DAMPED = 64
};

struct om_gossip {
    const struct om_identity *self;
    struct om_id network;
    struct om_records store;
    uint64_t store_id; /* names this life of the store: cursors of others end with it */
    struct om_prng prng;
    struct om_wall wall; /* at wall_at */
    om_time wall_at;
    bool (*is_member)(void *who, const struct om_id *id);
    void *who;
    struct gossip_partner partners[OM_GOSSIP_PARTNERS];
    struct gossip_partner listeners[OM_GOSSIP_LISTENERS]; /* since: last heard */
    unsigned sync_s;                                      /* the present wait between syncs */
    struct om_lru cursors;                                /* id -> struct gossip_cursor */
    struct om_lru seen;                                   /* key -> u64 sequence */
    struct om_lru quotas;                                 /* id -> struct gossip_quota */
    struct om_lru damped;                                 /* id -> om_time of the last seek */
    struct gossip_rumour *rumours, **rumours_end;
    unsigned waiting;
    struct gossip_out *outs, **outs_end, *lent;
    unsigned out_count;
    struct gossip_asked asked[GOSSIP_ASKED_MAX];
    struct gossip_seek seeks[OM_GOSSIP_SEEKS];
    uint64_t tag;
    uint8_t record[OM_RECORD_MAX]; /* ours */
    size_t record_len;
    uint64_t sequence;   /* our last */
    bool is_unannounced; /* our record was made when there was nobody to tell */
    struct om_gossip_self mine;
    uint8_t fields[OM_RECORD_MAX];
    om_time round_at, sync_at, rotate_at, renew_at, expire_at;
    struct om_gossip_counts counts;
};

/* gossip.c */

/** gossip_wall_ms() - the calendar of @g at @now, in milliseconds. */
uint64_t gossip_wall_ms(const struct om_gossip *g, om_time now);

/** gossip_drop() - count @why in @g. */
void gossip_drop(struct om_gossip *g, enum om_gossip_drop why);

/** gossip_random() - 0 to @n - 1, drawn by @g. */
unsigned gossip_random(struct om_gossip *g, unsigned n);

/* gossip_out.c */

/** gossip_act() - queue in @g an action of @kind about @peer with @bytes, copied; NULL:
 *  full. */
struct gossip_out *gossip_act(struct om_gossip *g, enum om_gossip_act_kind kind,
                              const struct om_id *peer, struct om_bytes bytes);

/** gossip_owed() - how many calls of @g @peer has not answered yet; NULL: all peers. */
unsigned gossip_owed(const struct om_gossip *g, const struct om_id *peer);

/** gossip_call() - queue in @g a call of @method to @peer with @bytes; its slot, or NULL: full. */
struct gossip_asked *gossip_call(struct om_gossip *g, const struct om_id *peer,
                                 enum om_gossip_method method, struct om_bytes bytes);

/** gossip_tell() - queue in @g at @now the entry in @bytes, heard from @from (NULL: ours), to be
 *  told. */
void gossip_tell(struct om_gossip *g, om_time now, const struct om_id *from, struct om_bytes bytes);

/** gossip_round() - @g tells its partners at @now what waits, within the budget. */
void gossip_round(struct om_gossip *g, om_time now);

/* gossip_partner.c */

/** gossip_fill_partners() - choose partners of @g at @now where there are too few. */
void gossip_fill_partners(struct om_gossip *g, om_time now);

/** gossip_adopt() - @g, which learns at @now of @id for the first time, may make it a partner: each
 *  of the nodes with the same small chance, so that every newcomer is partner of some. */
void gossip_adopt(struct om_gossip *g, om_time now, const struct om_id *id);

/** gossip_listener() - @id told or asked @g something at @now. */
void gossip_listener(struct om_gossip *g, om_time now, const struct om_id *id);

/** gossip_audience() - whom @g tells at @now, into @out; how many. */
unsigned gossip_audience(struct om_gossip *g, om_time now,
                         struct om_id out[static OM_GOSSIP_FANOUT]);

/** gossip_rotate() - at @now, the oldest partner of @g gives way to another, if there is one. */
void gossip_rotate(struct om_gossip *g, om_time now);

/** gossip_failed() - @id did not answer @g at @now: it is partner no longer. */
void gossip_failed(struct om_gossip *g, om_time now, const struct om_id *id);

/** gossip_sync_with() - @g asks @id what changed; @pages calls of this contact went before. */
void gossip_sync_with(struct om_gossip *g, const struct om_id *id, unsigned pages);

/** gossip_sync() - @g asks a partner at random at @now. */
void gossip_sync(struct om_gossip *g, om_time now);

/* gossip_in.c */

/**
 * gossip_take() - check an entry and keep it
 * @g:      the machine
 * @now:    time
 * @from:   who gave it; NULL: it was kept over a restart
 * @asked:  we asked for it: no quota, and it is not told on
 * @bytes:  the entry
 */
void gossip_take(struct om_gossip *g, om_time now, const struct om_id *from, bool asked,
                 struct om_bytes bytes);

/** gossip_is_true() - is @e of this time at @now, of a member of @g and signed? Counts why not. */
bool gossip_is_true(struct om_gossip *g, om_time now, const struct om_entry *e);

/* gossip_seek.c */

/** gossip_seek_reply() - @bytes (@is_ok: there was an answer) answer @was of @g at @now. */
void gossip_seek_reply(struct om_gossip *g, om_time now, const struct gossip_asked *was, bool is_ok,
                       struct om_bytes bytes);

/** gossip_nearest() - the @max records of @g nearest to @id, nearest first, into @out; how many. */
unsigned gossip_nearest(const struct om_gossip *g, const struct om_id *id,
                        const struct om_held **out, unsigned max);

#endif
