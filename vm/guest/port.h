/*
 * port.h - the guest's end of the virtio-serial port org.omerta.agent
 *
 * What:  finds and opens it; reads what the host wrote; keeps lines for the host until it takes
 *        them.
 * Why:   a host that reads slowly slows jobs, and nothing else: answers to its orders have room of
 *        their own.
 *
 * Full: output of jobs waits in its pipes once less than GUEST_PORT_ANSWERS bytes are free; orders
 * are read no more when less than GUEST_PORT_ANSWER are. So nothing is dropped.
 */
#ifndef OM_GUEST_PORT_H
#define OM_GUEST_PORT_H

#include <stdbool.h>
#include <stddef.h>

#include <omerta/attr.h>
#include <omerta/bytes.h>

enum {
    GUEST_CHUNK = 23040, /* bytes that one line carries: with base64 under 32 KiB */
    GUEST_PORT_LINE = 32 * 1024,
    GUEST_PORT_OUT = 160 * 1024,
    GUEST_PORT_ANSWERS = 32 * 1024,
    GUEST_PORT_ANSWER = 2048 /* the longest: 16 names, an image's name and languages */
};

struct guest_port {
    int fd;
    bool is_gone; /* no host is there */
    char out[GUEST_PORT_OUT];
    size_t n, at;
};

/** guest_port_open() - find and open @p; false when this guest has no such port, or it is taken. */
bool guest_port_open(struct guest_port *p);

/** guest_port_look() - is the host of @p gone, or there again? */
void guest_port_look(struct guest_port *p);

/** guest_port_read() - what the host of @p wrote, into @to; how many bytes. */
size_t guest_port_read(struct guest_port *p, struct om_mut to);

/** guest_port_takes_output() - has @p room for a line of output? */
bool guest_port_takes_output(const struct guest_port *p);

/** guest_port_takes_answer() - has @p room for an answer? */
bool guest_port_takes_answer(const struct guest_port *p);

/** guest_port_say() - a line for the host of @p, @form as of printf, without its end; there was
 *  room. */
OM_PRINTF(2, 3) void guest_port_say(struct guest_port *p, const char *form, ...);

/** guest_port_output() - @bytes, GUEST_CHUNK at most, of @word ("out", "err") of job @id; there was
 *  room in @p. */
void guest_port_output(struct guest_port *p, const char *word, const char *id,
                       struct om_bytes bytes);

/** guest_port_has() - is something for the host in @p? */
bool guest_port_has(const struct guest_port *p);

/** guest_port_flush() - as much of it as the host of @p takes now. */
void guest_port_flush(struct guest_port *p);

#endif
