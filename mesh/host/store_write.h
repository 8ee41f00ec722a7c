/*
 * store_write.h - saving puts, many in one transaction
 *
 * What:  one put as it waits, and the statements that save it.
 * Why:   these run on a thread of the pool: nothing here allocates, and nothing here is touched by
 *        the loop while a job is running.
 * Keeps: store_bounds_its_tables; store_keeps_what_could_not_be_saved.
 */
#ifndef OM_HOST_STORE_WRITE_H
#define OM_HOST_STORE_WRITE_H

#include <sqlite3.h>

#include <omerta/list.h>

#include "store.h"

enum om_store_kind {
    OM_STORE_NETWORK,
    OM_STORE_PEER,
    OM_STORE_END,
    OM_STORE_NAT,
    OM_STORE_REMEMBER,
    OM_STORE_RECORD,
    OM_STORE_FORGET,
    OM_STORE_KIND_COUNT
};

struct om_store_put {
    struct om_link link;
    uint64_t seq;
    enum om_store_kind kind;
    union {
        struct om_store_network network;
        struct om_store_peer peer;
        struct om_store_end end;
        struct om_store_nat nat;
        struct om_act_remember remember;
        struct om_store_record record; /* its bytes are those below */
        struct om_id forget;
    };
    uint8_t bytes[];
};

enum { OM_STORE_STATEMENTS = 15 };

struct om_store_writer {
    sqlite3 *db;                                   /* borrowed */
    sqlite3_stmt *statements[OM_STORE_STATEMENTS]; /* owned, NULL until first wanted */
};

/**
 * om_store_write() - save a list of puts in one transaction, or none of them
 * @w:     zeroed but for its db at first
 * @puts:  struct om_store_put, oldest first; stays the caller's
 * @path:  for the sentence
 * @err:   sentence for a person
 *
 * Return: OM_OK when all of them are on the disk.
 */
OM_MUST enum om_err om_store_write(struct om_store_writer *w, const struct om_list *puts,
                                   const char *path, struct om_error *err);

/** om_store_writer_fini() - release the statements of @w. */
void om_store_writer_fini(struct om_store_writer *w);

#endif
