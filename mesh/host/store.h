/*
 * store.h - what a daemon wants to know again after a restart
 *
 * What:  networks, peers, where they were reached, what their records said, and the numbers of
 *        OM_ACT_REMEMBER, in one SQLite file.
 * Why:   a daemon that forgot its peers would need a bootstrap peer at every start, and one that
 *        forgot its timestamps would take a replayed handshake for a new one.
 * Keeps: store_gives_back_what_was_saved; store_acknowledges_in_order; store_full_queue_is_busy;
 *        store_keeps_what_could_not_be_saved; store_outlives_a_full_disk;
 *        store_close_saves_what_waits;
 *        store_bounds_its_tables; store_remembers_the_greatest; store_refuses_a_damaged_file;
 *        store_refuses_a_file_of_the_future; store_file_is_the_users_alone;
 *        store_forgets_a_network.
 * Full:  a put when OM_STORE_QUEUE_MAX wait gives OM_E_BUSY; a table that is full loses its oldest
 *        row.
 *
 * Writes never run on the loop. A put is copied and gets a number; one job at a time on the pool of
 * libuv takes all that wait and saves them in one transaction; what is put meanwhile is the next
 * one's. on_saved(up_to) then says that every put with a number up to that one is on the disk, even
 * should the power fail. After on_failed() nothing is lost: the same puts are tried again with the
 * next put or om_store_retry().
 *
 * No secrets go in here: see secret_file.h.
 *
 * Source: sqlite.org/wal.html; sqlite.org/pragma.html (synchronous: FULL makes a commit durable).
 */
#ifndef OM_HOST_STORE_H
#define OM_HOST_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include <omerta/act.h>
#include <omerta/addr.h>
#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/gossip.h>
#include <omerta/id.h>
#include <omerta/time.h>

enum {
    OM_STORE_QUEUE_MAX = 4096,   /* puts not yet on the disk */
    OM_STORE_PEERS_MAX = 4096,   /* peers, records, remembered values: of one network */
    OM_STORE_ENDS_MAX = 16,      /* addresses of one peer */
    OM_STORE_NATS_MAX = 256,     /* pairs of NATs, times plans */
    OM_STORE_RECORD_BYTES = 1024 /* PROTOCOL section 7: a record is no longer */
};

struct om_store;

struct om_store_config {
    uv_loop_t *loop;
    const char *path; /* of mesh.db; needed during open only */
    void (*on_saved)(void *self, uint64_t up_to);
    void (*on_failed)(void *self, const char *sentence); /* lent until it returns */
    void *self;
};

struct om_store_network {
    struct om_id id;
    char name[OM_NAME_MAX + 1];
    bool is_open;
    uint32_t epoch;
};

struct om_store_peer {
    struct om_id network;
    struct om_id id;
    char name[OM_NAME_MAX + 1];
    struct om_wall last_seen;
};

struct om_store_end {
    struct om_id network;
    struct om_id peer;
    struct om_addr addr;
    uint8_t kind; /* of the caller's choice */
    uint32_t rank;
    struct om_wall last_ok;
};

/* What became of one plan to punch between two kinds of NAT; the numbers are the caller's. */
struct om_store_nat {
    uint32_t ours;
    uint32_t theirs;
    uint32_t plan;
    uint32_t wins;
    uint32_t losses;
    struct om_wall at;
};

struct om_store_record {
    struct om_id network;
    struct om_id peer;
    struct om_bytes bytes; /* lent */
    struct om_wall at;
};

/**
 * om_store_open() - open mesh.db, making or migrating it as needed; blocks
 * @out:  set on success; the caller ends it with om_store_flush_close()
 * @c:    copied
 * @err:  sentence for a person; may be NULL
 *
 * A file that is damaged, or of a version to come, is refused and left as it is.
 *
 * Return: OM_OK; OM_E_PARSE when it is damaged; OM_E_UNSUPPORTED when it is of the future;
 * OM_E_STATE when it is not the user's alone or cannot be used; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_store_open(struct om_store **out, const struct om_store_config *c,
                                  struct om_error *err);

/** om_store_close() - free @s, which may be NULL, on the way out of a start that failed: no job may
 *  be running, and what was put and not saved is lost. */
void om_store_close(struct om_store *s);

/**
 * om_store_flush_close() - save what waits, then close and free
 * @s:          takes it; it must not be used again
 * @on_closed:  called on the loop, last of all, with the self of the config; is_saved is false when
 *              what waited could not be saved even now, after on_failed() said why
 */
void om_store_flush_close(struct om_store *s, void (*on_closed)(void *self, bool is_saved));

/**
 * om_store_retry() - try again to save what on_failed() was about
 * @s:  nothing happens when nothing waits, or a job is running
 */
void om_store_retry(struct om_store *s);

/** om_store_waiting() - puts of @s that are not yet on the disk. */
unsigned om_store_waiting(const struct om_store *s);

/**
 * om_store_put_network() - add or replace a network
 * @s:    the store
 * @row:  copied
 * @seq:  set to the number of this put, from 1; may be NULL
 *
 * Return: OM_OK, OM_E_BUSY, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_store_put_network(struct om_store *s, const struct om_store_network *row,
                                         uint64_t *seq);

/** om_store_put_peer() - as om_store_put_network(): @s, @row, @seq, for a peer. */
OM_MUST enum om_err om_store_put_peer(struct om_store *s, const struct om_store_peer *row,
                                      uint64_t *seq);

/** om_store_put_end() - as om_store_put_network(): @s, @row, @seq, for an address of a peer, who is
 *  added without a name when unknown. */
OM_MUST enum om_err om_store_put_end(struct om_store *s, const struct om_store_end *row,
                                     uint64_t *seq);

/** om_store_put_nat() - as om_store_put_network(): @s, @row, @seq, for a pair of NATs. */
OM_MUST enum om_err om_store_put_nat(struct om_store *s, const struct om_store_nat *row,
                                     uint64_t *seq);

/** om_store_put_remember() - as om_store_put_network(): @s, @row, @seq, for an OM_ACT_REMEMBER; a
 *  value never goes down. Return: OM_E_RANGE too, for a value over INT64_MAX. */
OM_MUST enum om_err om_store_put_remember(struct om_store *s, const struct om_act_remember *row,
                                          uint64_t *seq);

/** om_store_put_record() - as om_store_put_network(): @s, @row, @seq, for the record of a peer.
 *  Return: OM_E_RANGE too, over OM_STORE_RECORD_BYTES. */
OM_MUST enum om_err om_store_put_record(struct om_store *s, const struct om_store_record *row,
                                        uint64_t *seq);

/**
 * om_store_forget_network() - remove a network, its peers, their addresses and records
 * @s:        the store
 * @network:  which
 * @seq:      set to the number of this put; may be NULL
 *
 * What was remembered of it stays: whoever joins it again has the same key there, and a handshake
 * recorded then must not work now.
 *
 * Return: OM_OK, OM_E_BUSY, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_store_forget_network(struct om_store *s, const struct om_id *network,
                                            uint64_t *seq);

/**
 * om_store_each_network() - every network, in the order of their ids; blocks
 * @s:     no job may be running: read at the start, before the first put
 * @fn:    called for each; may not put
 * @self:  given to @fn
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_STATE while a job is running or when the file cannot be read; OM_E_PARSE when
 * it is damaged.
 */
OM_MUST enum om_err om_store_each_network(struct om_store *s,
                                          void (*fn)(void *self, const struct om_store_network *),
                                          void *self, struct om_error *err);

/** om_store_each_peer() - as om_store_each_network(): @s, @fn, @self, @err, for peers of all
 *  networks, those seen last first. */
OM_MUST enum om_err om_store_each_peer(struct om_store *s,
                                       void (*fn)(void *self, const struct om_store_peer *),
                                       void *self, struct om_error *err);

/** om_store_each_end() - as om_store_each_network(): @s, @fn, @self, @err, for addresses, those of
 *  a peer together, by rank. */
OM_MUST enum om_err om_store_each_end(struct om_store *s,
                                      void (*fn)(void *self, const struct om_store_end *),
                                      void *self, struct om_error *err);

/** om_store_each_nat() - as om_store_each_network(): @s, @fn, @self, @err, for pairs of NATs. */
OM_MUST enum om_err om_store_each_nat(struct om_store *s,
                                      void (*fn)(void *self, const struct om_store_nat *),
                                      void *self, struct om_error *err);

/** om_store_each_remember() - as om_store_each_network(): @s, @fn, @self, @err, for what
 *  om_node_recall() wants back. */
OM_MUST enum om_err om_store_each_remember(struct om_store *s,
                                           void (*fn)(void *self, const struct om_act_remember *),
                                           void *self, struct om_error *err);

/** om_store_each_record() - as om_store_each_network(): @s, @fn, @self, @err, for what
 *  om_node_learn() takes back, newest first. */
OM_MUST enum om_err om_store_each_record(struct om_store *s,
                                         void (*fn)(void *self, const struct om_store_record *),
                                         void *self, struct om_error *err);

#endif
