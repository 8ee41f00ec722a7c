/*
 * agent.h - the lines spoken with the agent inside a guest
 *
 * What:  bytes from the guest's port to events; orders for it as text.
 * Why:   jobs need no network in the guest. What comes is a guest's word: bounded, checked, and
 *        what is not of the protocol is dropped and counted.
 * Keeps: agent_hears_after_the_greeting; agent_reads_what_a_guest_says; agent_drops_garbage;
 *        agent_lines_are_bounded; agent_bytes_may_come_in_any_pieces; agent_asks_until_answered;
 *        agent_orders_are_one_line; agent_ends_what_was_left.
 *
 * Who connects says a newline and hello with a name of its own until that is answered: what came
 * before may begin in the middle of a line, and belongs to nobody.
 *
 * Source: the comment at the head of vm/guest/main.c.
 */
#ifndef OM_VM_AGENT_H
#define OM_VM_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/bytes.h>
#include <omerta/err.h>
#include <omerta/time.h>

enum {
    OM_VM_AGENT_VERSION = 1,
    OM_VM_AGENT_LINE_MAX = 32 * 1024,
    OM_VM_AGENT_BUFFER = 64 * 1024,
    OM_VM_AGENT_ID = 33, /* with the terminator */
    OM_VM_AGENT_TEXT = 200,
    OM_VM_AGENT_HELLO_MS = 1000,
    OM_VM_AGENT_PATH_MAX = 1024,
    OM_VM_AGENT_ORDER_MAX = 1600, /* a path in base64 and the rest */
    OM_VM_AGENT_PUT_MAX = 1 << 30
};

enum om_vm_agent_kind {
    OM_VM_AGENT_HELLO,   /* text: its image; languages; jobs */
    OM_VM_AGENT_STARTED, /* it began anew: what ran before is gone */
    OM_VM_AGENT_OUT,     /* id, bytes */
    OM_VM_AGENT_ERR,
    OM_VM_AGENT_EXIT, /* id, status */
    OM_VM_AGENT_FAIL  /* id or "-", text: why, escaped */
};

struct om_vm_agent_event {
    enum om_vm_agent_kind kind;
    char id[OM_VM_AGENT_ID];
    struct om_bytes bytes; /* lent until the next call on the agent */
    unsigned status;
    char text[OM_VM_AGENT_TEXT];
    char languages[OM_VM_AGENT_TEXT]; /* "sh,python" */
    struct om_bytes jobs;             /* of the first HELLO, lent: see om_vm_agent_left() */
};

/* Read freely; write only through om_vm_agent_*(). */
struct om_vm_agent {
    char name[OM_VM_AGENT_ID]; /* of our hello */
    bool is_heard;             /* it was answered */
    bool is_skipping;          /* a line that is too long */
    om_time hello_at;          /* when to say it again */
    uint8_t *in;               /* owned, OM_VM_AGENT_BUFFER bytes once something came */
    size_t in_n, in_at;
    uint64_t dropped; /* lines */
};

/**
 * om_vm_agent_init() - a connection to the port
 * @a:     storage of the caller
 * @now:   current time: hello is due at once
 * @name:  of our hello, new for each connection; 1 to 32 of A-Z a-z 0-9 _ -
 */
void om_vm_agent_init(struct om_vm_agent *a, om_time now, const char *name);

/** om_vm_agent_fini() - release @a. */
void om_vm_agent_fini(struct om_vm_agent *a);

/** om_vm_agent_room() - how many bytes @a takes now: read no more than that from the port. */
size_t om_vm_agent_room(const struct om_vm_agent *a);

/**
 * om_vm_agent_input() - bytes from the port
 * @a:   the agent
 * @in:  at most om_vm_agent_room()
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_agent_input(struct om_vm_agent *a, struct om_bytes in);

/** om_vm_agent_next() - the next thing @a said into @out; false when there is none. */
bool om_vm_agent_next(struct om_vm_agent *a, struct om_vm_agent_event *out);

/** om_vm_agent_hello() - the greeting that is due of @a at @now into @out, of
 *  OM_VM_AGENT_ORDER_MAX bytes; its length, 0 when none is due. */
size_t om_vm_agent_hello(struct om_vm_agent *a, om_time now, char *out);

/** om_vm_agent_deadline() - when the next greeting of @a is due. */
om_time om_vm_agent_deadline(const struct om_vm_agent *a);

/**
 * om_vm_agent_run() - the order to run a program; its text follows on the port
 * @out:       OM_VM_AGENT_ORDER_MAX bytes, as for all orders
 * @id:        new for each order
 * @language:  plain word
 * @n:         bytes of the program
 *
 * Return: bytes of the order.
 */
size_t om_vm_agent_run(char *out, const char *id, const char *language, uint64_t n);

/** om_vm_agent_put() - the order in @out to take a file of @n bytes, which follow, at @path with
 *  @mode, as @id; its length. */
size_t om_vm_agent_put(char *out, const char *id, unsigned mode, uint64_t n, const char *path);

/** om_vm_agent_get() - the order in @out to give the file at @path as @id; its length. */
size_t om_vm_agent_get(char *out, const char *id, const char *path);

/** om_vm_agent_left() - the orders in @out, of at most @max bytes, to end all that @jobs names:
 *  what runs when a host comes was begun by one before it; their length. A name that is none, and
 *  what has no room, is left out. */
size_t om_vm_agent_left(char *out, size_t max, struct om_bytes jobs);

/** om_vm_agent_cancel() - the order in @out to end what runs as @id; its length. */
size_t om_vm_agent_cancel(char *out, const char *id);

#endif
