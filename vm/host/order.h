/*
 * order.h - what the daemon asks of its spawner, and what comes back, as messages
 *
 * What:  each message is one JSON object in one packet; descriptors travel beside it.
 * Why:   the daemon may start no program itself; whoever takes it over must not be able to confuse
 *        the one process that may.
 * Keeps: order_round_trips; order_of_a_stranger_is_refused.
 *
 * From the daemon: {"op": "spawn", "id", "argv", "folder", "log"?, "limits": [5 numbers],
 * "fds": [in, out, err]} with a descriptor for each true in "fds"; {"op": "adopt", "id", "who",
 * "log"?}; {"op": "signal", "id", "signal"}; {"op": "close", "id"}, which is not answered.
 * To the daemon: {"op": "answer", "id", "error", "text", "who"?}; {"op": "exit", "id", "known",
 * "code", "signal"}, once for each process that was not closed.
 */
#ifndef OM_VM_HOST_ORDER_H
#define OM_VM_HOST_ORDER_H

#include <jansson.h>

#include <omerta/err.h>

#include "process.h"

enum {
    OM_VM_ORDER_MAX = 64 * 1024, /* bytes of a message */
    OM_VM_ORDER_FDS = 3
};

enum om_vm_order_op {
    OM_VM_ORDER_SPAWN,
    OM_VM_ORDER_ADOPT,
    OM_VM_ORDER_SIGNAL,
    OM_VM_ORDER_CLOSE,
    OM_VM_ORDER_ANSWER,
    OM_VM_ORDER_EXIT,
    OM_VM_ORDER_COUNT
};

struct om_vm_order {
    enum om_vm_order_op op;
    uint32_t id;                          /* of the process, chosen by the daemon */
    const char *argv[OM_VM_ARGS_MAX + 1]; /* spawn */
    const char *folder, *log;             /* log: NULL without one */
    struct om_vm_rlimits limits;
    bool has_fd[OM_VM_ORDER_FDS];
    struct om_vm_ident who; /* adopt, answer */
    int signal;             /* signal, exit */
    enum om_err error;      /* answer */
    const char *text;       /* answer: the sentence */
    struct om_vm_exit how;  /* exit */
};

/**
 * om_vm_order_encode() - the message of an order
 * @o:    the order
 * @out:  OM_VM_ORDER_MAX bytes
 *
 * Return: bytes of it; 0 when it does not fit or there is no memory.
 */
size_t om_vm_order_encode(const struct om_vm_order *o, char *out);

/**
 * om_vm_order_decode() - read a message
 * @o:    set on success; its texts are lent until *@keep is released
 * @in:   the message
 * @n:    bytes of it
 * @keep: set on success; json_decref() it
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err om_vm_order_decode(struct om_vm_order *o, const char *in, size_t n,
                                       json_t **keep);

#endif
