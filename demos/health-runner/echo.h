/*
 * echo.h - what answers and what swallows, at one address
 *
 * What:  two ports, each of TCP and of UDP: one sends back what comes, the other counts and drops
 *        it.
 * Why:   what goes through a tunnel is measured from one end: by what comes back, and by what the
 *        other end says it got.
 * Keeps: echo_sends_back_and_counts; echo_beyond_its_room_hangs_up.
 *
 * Full: beyond OM_ECHO_MAX connections the next is closed at once. What a client does not read of
 * its own words waits in the kernel: nothing is read of a connection before it was sent back.
 */
#ifndef OM_HEALTH_ECHO_H
#define OM_HEALTH_ECHO_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>

enum { OM_ECHO_MAX = 32, OM_ECHO_BYTES = 1 << 16, OM_ECHO_FDS = 4 + OM_ECHO_MAX };

struct om_echo_call {
    int fd; /* -1: free */
    bool is_echo;
    unsigned from, to; /* of bytes, still to be sent back */
    uint8_t *bytes;    /* owned; NULL of a sink */
};

/* Read freely; write only through om_echo_*(). */
struct om_echo {
    int echo_tcp, echo_udp, sink_tcp, sink_udp; /* -1 before om_echo_open() */
    uint16_t echo_port, sink_port;
    uint64_t sink_bytes, sink_datagrams; /* swallowed so far, of TCP and of UDP */
    uint64_t sink_udp_bytes;
    struct om_echo_call calls[OM_ECHO_MAX];
};

/** om_echo_init() - nothing is open yet of @e. */
void om_echo_init(struct om_echo *e);

/**
 * om_echo_open() - listen
 * @e:        initialised
 * @address:  numeric, IPv4 or IPv6: there, and nowhere else
 * @err:      sentence for a person
 *
 * Return: OM_OK; OM_E_STATE, then nothing is open.
 */
OM_MUST enum om_err om_echo_open(struct om_echo *e, const char *address, struct om_error *err);

/** om_echo_close() - hang up and listen no more; @e is as om_echo_init() made it. */
void om_echo_close(struct om_echo *e);

/** om_echo_polls() - what of @e to wait for, into @out of OM_ECHO_FDS; how many. */
unsigned om_echo_polls(const struct om_echo *e, struct pollfd *out);

/** om_echo_run() - do what can be done on all sockets of @e now, without waiting. */
void om_echo_run(struct om_echo *e);

#endif
