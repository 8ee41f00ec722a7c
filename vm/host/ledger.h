/*
 * ledger.h - which virtual machines exist, for the daemon that comes after this one
 *
 * What:  a row for each machine in an SQLite file: who it is for, where it lies, which process it
 *        is, until when; written before what it tells of is done.
 * Why:   QEMU outlives the daemon. A machine that nobody remembers would run for ever, and one
 *        whose consumer asked again would be made twice.
 * Keeps: ledger_gives_back_what_was_put; ledger_outlives_a_killed_daemon; ledger_finds_a_request;
 *        ledger_full_refuses_and_keeps_the_rest; ledger_damaged_is_refused_and_untouched;
 *        ledger_of_the_future_is_refused; ledger_is_the_users_alone;
 *        ledger_row_that_is_damaged_is_named.
 *
 * Statements run on the caller's thread, without waiting for the disk: what is written survives the
 * death of the process at any moment, and after a power cut, which no machine survives either, the
 * file is sound but may lack the last rows: so at its start the caller wipes every folder of its
 * machines that has no row.
 *
 * Full: OM_VM_LEDGER_MAX rows, then OM_E_FULL.
 *
 * Source: sqlite.org/pragma.html#pragma_synchronous (WAL and NORMAL).
 */
#ifndef OM_VM_HOST_LEDGER_H
#define OM_VM_HOST_LEDGER_H

#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

#include "ident.h"

enum {
    OM_VM_LEDGER_MAX = 1024,
    OM_VM_LEDGER_TEXT = 256,             /* bytes with the zero of the short texts */
    OM_VM_LEDGER_WORDS_MAX = 256 * 1024, /* of the JSON */
    OM_VM_LEDGER_VM_TEXT = 64
};

/* All texts end with a zero; what is borrowed is so until the call returns. */
struct om_vm_row {
    const char *id; /* the provider's name for it */
    struct om_id consumer, network;
    const char *request;        /* the consumer's key for asking only once; "" without one */
    const char *folder;         /* where its files are */
    const char *state;          /* a word of vm/core */
    struct om_vm_ident process; /* pid 0: none */
    struct om_wall begun, until, limit; /* lease: now ends, at most */
    const char *words;                  /* JSON: specification, addresses, whatever else */
};

struct om_vm_ledger;

/**
 * om_vm_ledger_open() - open the file, or make it (0600)
 * @out:   set on success; the caller closes it
 * @path:  of the file, in a folder that is the user's alone
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_PARSE when it is damaged and OM_E_UNSUPPORTED when it is newer than this
 * program, and then nothing was changed; OM_E_STATE; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_ledger_open(struct om_vm_ledger **out, const char *path,
                                      struct om_error *err);

/** om_vm_ledger_close() - close @l, which may be NULL. */
void om_vm_ledger_close(struct om_vm_ledger *l);

/**
 * om_vm_ledger_put() - write a row, instead of one of the same id
 * @l:    the ledger
 * @row:  borrowed
 * @err:  sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_FULL; OM_E_EXISTS when another row has that consumer and request; OM_E_RANGE
 * for a text that is too long; OM_E_STATE when it cannot be written.
 */
OM_MUST enum om_err om_vm_ledger_put(struct om_vm_ledger *l, const struct om_vm_row *row,
                                     struct om_error *err);

/**
 * om_vm_ledger_forget() - remove a row
 * @l:    the ledger
 * @id:   of the machine
 * @err:  sentence for a person; may be NULL
 *
 * Return: OM_OK, also when there is none; OM_E_STATE.
 */
OM_MUST enum om_err om_vm_ledger_forget(struct om_vm_ledger *l, const char *id,
                                        struct om_error *err);

/**
 * om_vm_ledger_each() - every row, by id
 * @l:     the ledger
 * @each:  gets a row that is lent until it returns; it must not write to the ledger
 * @self:  passed on
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_PARSE when a row makes no sense, which @each is not given; OM_E_STATE.
 */
OM_MUST enum om_err om_vm_ledger_each(struct om_vm_ledger *l,
                                      void (*each)(void *self, const struct om_vm_row *row),
                                      void *self, struct om_error *err);

/**
 * om_vm_ledger_find() - the machine that was made for a request
 * @l:         the ledger
 * @consumer:  who asked
 * @request:   its key, not ""
 * @id:        OM_VM_LEDGER_VM_TEXT bytes, set on success
 *
 * Return: OM_OK; OM_E_MISSING; OM_E_STATE.
 */
OM_MUST enum om_err om_vm_ledger_find(struct om_vm_ledger *l, const struct om_id *consumer,
                                      const char *request, char *id);

#endif
