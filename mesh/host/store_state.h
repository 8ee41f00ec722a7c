/*
 * store_state.h - an open store, for the files that make it up
 *
 * What:  the handle and who may touch which part of it when.
 * Why:   reading, queueing and saving are three files of one object.
 */
#ifndef OM_HOST_STORE_STATE_H
#define OM_HOST_STORE_STATE_H

#include "store_write.h"

struct om_store {
    struct om_store_config config; /* its path is the one below */
    uint64_t last_seq;
    unsigned waiting;      /* in both lists */
    struct om_list queued; /* put since the running job began */
    uv_work_t job;
    bool is_saving; /* a job is running: only the pool may touch what is below the line */
    bool is_closing;
    bool is_last; /* the running job closes the file */
    void (*on_closed)(void *self, bool is_saved);

    /* ---- */
    sqlite3 *db;
    struct om_store_writer writer;
    struct om_list batch; /* of the running job, or of the last one if that failed */
    enum om_err result;
    struct om_error error;

    char path[]; /* terminated */
};

#endif
