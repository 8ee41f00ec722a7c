/*
 * qmp.h - talking to one QEMU: its monitor protocol as bytes in, events out
 *
 * What:  greeting, capabilities, commands with numbers, their answers, and the events a VM's life
 *        depends on; what else QEMU tells is skipped.
 * Why:   under KVM a guest can die with QEMU alive and only a bare STOP to tell; who does not ask
 *        for the status after it waits for ever.
 * Keeps: qmp_negotiates_first; qmp_answers_find_their_command; qmp_tells_what_happens;
 *        qmp_silence_breaks_it; qmp_garbage_breaks_it; qmp_bytes_may_come_in_any_pieces;
 *        qmp_lines_are_bounded; qmp_commands_are_bounded.
 *
 *   GREETING --greeting--> NEGOTIATING --answer--> READY
 *      any of them: garbage, silence, too long a line -> BROKEN, told once, final
 *
 * QEMU is taken for hostile, as a guest may have broken into it: whatever does not follow the
 * protocol ends the conversation, and nothing of it is more than OM_VM_QMP_BUFFER bytes here.
 *
 * Source: docs/interop/qmp-spec.txt and qapi/run-state.json of QEMU 7.2.
 */
#ifndef OM_VM_QMP_H
#define OM_VM_QMP_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/time.h>

enum {
    OM_VM_QMP_LINE_MAX = 16 * 1024,
    OM_VM_QMP_BUFFER = 64 * 1024, /* unread; the driver drains after each read */
    OM_VM_QMP_PENDING_MAX = 8,    /* commands without an answer */
    OM_VM_QMP_OUT_MAX = 2048,
    OM_VM_QMP_GREETING_MS = 10000,
    OM_VM_QMP_ANSWER_MS = 10000, /* QEMU's main loop is held up by slow disks, not for longer */
    OM_VM_QMP_TEXT = 128
};

#define OM_VM_QMP_COMMANDS(X)                                                                      \
    X(CAPABILITIES, "qmp_capabilities", "")                                                        \
    X(STATUS, "query-status", "")                                                                  \
    X(POWERDOWN, "system_powerdown", "")                                                           \
    X(PAUSE, "stop", "")                                                                           \
    X(CONTINUE, "cont", "")                                                                        \
    X(QUIT, "quit", "")                                                                            \
    X(LINK_UP, "set_link", ",\"arguments\":{\"name\":\"nic\",\"up\":true}")                        \
    X(LINK_DOWN, "set_link", ",\"arguments\":{\"name\":\"nic\",\"up\":false}")

enum om_vm_qmp_command {
#define X(code, name, args) OM_VM_QMP_##code,
    OM_VM_QMP_COMMANDS(X)
#undef X
        OM_VM_QMP_COMMAND_COUNT
};

enum om_vm_qmp_kind {
    OM_VM_QMP_READY,    /* commands may be given */
    OM_VM_QMP_DONE,     /* command: it was carried out */
    OM_VM_QMP_REFUSED,  /* command, text: why */
    OM_VM_QMP_IS,       /* answer to STATUS; text: "running", "internal-error" ... */
    OM_VM_QMP_SHUTDOWN, /* text: the reason; is_guest: the guest did it */
    OM_VM_QMP_POWERED,  /* the button reached the guest */
    OM_VM_QMP_STOPPED,
    OM_VM_QMP_RESUMED,
    OM_VM_QMP_PANICKED,
    OM_VM_QMP_NIC_UP, /* somebody connected to the NIC's socket */
    OM_VM_QMP_NIC_DOWN,
    OM_VM_QMP_BROKEN /* text: why; nothing follows */
};

struct om_vm_qmp_event {
    enum om_vm_qmp_kind kind;
    enum om_vm_qmp_command command;
    bool is_guest;
    char text[OM_VM_QMP_TEXT]; /* QEMU's words are escaped */
};

enum om_vm_qmp_state {
    OM_VM_QMP_AT_GREETING,
    OM_VM_QMP_AT_NEGOTIATING,
    OM_VM_QMP_AT_READY,
    OM_VM_QMP_AT_BROKEN
};

struct om_vm_qmp_pending {
    uint32_t number; /* 0: free */
    enum om_vm_qmp_command command;
    om_time until;
};

/* Read freely; write only through om_vm_qmp_*(). */
struct om_vm_qmp {
    enum om_vm_qmp_state state;
    om_time greet_by;
    uint32_t last; /* number given out */
    struct om_vm_qmp_pending pending[OM_VM_QMP_PENDING_MAX];
    uint8_t *in; /* owned, OM_VM_QMP_BUFFER bytes once something came */
    size_t in_n, in_at;
    size_t out_n;
    char out[OM_VM_QMP_OUT_MAX];
    const char *broken; /* why, until it was told; static */
    uint64_t skipped;   /* events that mean nothing to us */
};

/** om_vm_qmp_init() - a new conversation in @q, connected at @now. */
void om_vm_qmp_init(struct om_vm_qmp *q, om_time now);

/** om_vm_qmp_fini() - release @q. */
void om_vm_qmp_fini(struct om_vm_qmp *q);

/** om_vm_qmp_input() - @in came from QEMU to @q; drain om_vm_qmp_next() afterwards. */
void om_vm_qmp_input(struct om_vm_qmp *q, struct om_bytes in);

/**
 * om_vm_qmp_give() - give a command
 * @q:    the conversation
 * @now:  current time
 * @c:    which one
 *
 * Return: OM_OK, OM_E_STATE before READY and when broken, OM_E_BUSY when too many wait.
 */
OM_MUST enum om_err om_vm_qmp_give(struct om_vm_qmp *q, om_time now, enum om_vm_qmp_command c);

/** om_vm_qmp_next() - the next thing that happened to @q into @out; false when there is none. */
bool om_vm_qmp_next(struct om_vm_qmp *q, struct om_vm_qmp_event *out);

/** om_vm_qmp_out() - bytes for QEMU in @q, lent until the next call on it. */
struct om_bytes om_vm_qmp_out(const struct om_vm_qmp *q);

/** om_vm_qmp_sent() - the first @n bytes of om_vm_qmp_out() of @q went out. */
void om_vm_qmp_sent(struct om_vm_qmp *q, size_t n);

/** om_vm_qmp_tick() - notice silence of @q at @now; drain om_vm_qmp_next() afterwards. */
void om_vm_qmp_tick(struct om_vm_qmp *q, om_time now);

/** om_vm_qmp_deadline() - when @q wants its tick. */
om_time om_vm_qmp_deadline(const struct om_vm_qmp *q);

#endif
