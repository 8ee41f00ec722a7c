/*
 * splice.h - a socket of this machine and an accepted call, byte for byte
 *
 * What:  what the socket says goes into the call, what the call brings into the socket; each
 *        direction ends on its own, and a reset of one side is a reset of the other.
 * Why:   forwards, SOCKS, exposed ports and the data socket all come down to this; here alone is
 *        the order in which memory is lent, written and given back.
 * Keeps: splice_carries_both_ways; splice_half_closes_each_way; splice_reset_goes_through;
 *        splice_slow_reader_holds_back; splice_pushes_what_was_read_before;
 *        splice_last_words_arrive; splice_all_together_are_bounded; splice_keeps_to_its_rate;
 *        splice_shares_a_rate; splice_ahead_follows_the_path.
 *
 * From the socket, blocks of OM_SPLICE_BLOCK bytes are filled and lent to the node until the peer
 * has them; a connection at rest holds none. To the socket, the node's own memory is written from,
 * and consumed when the kernel took it. Nothing is copied in between.
 *
 * Framed, what the call brings goes to the socket in pieces, each after its length in 4 bytes, the
 * most significant first; a length of 0 is the call's orderly end. So a socket that has no resets
 * still tells a reset from an end: without the 0, something is missing.
 *
 * With a shape, the socket is not read and not written to until it is this splice's turn; who sends
 * too fast is held back as by a slow reader.
 *
 * A peer that is gone for good ends it, when it has owed an answer for as long as om_node_limit()
 * says.
 *
 * Libuv writes without MSG_NOSIGNAL: the program ignores SIGPIPE.
 *
 * Full: with so many bytes under way the socket is not read any more, so the program that writes to
 * it waits. That is OM_SPLICE_AHEAD first, and twice as much each time the node had sent everything
 * when there was room again: then this bound held the path up, as it does over a long way with
 * losses, where one hole holds all that came after it. Half as much when nearly all waits to leave
 * for the first time. When all together have OM_SPLICE_AHEAD_ALL, each has one block; from half of
 * that on nobody's grows.
 */
#ifndef OM_TUNNEL_SPLICE_H
#define OM_TUNNEL_SPLICE_H

#include <uv.h>

#include "tunnel/host/calls.h"
#include "tunnel/host/shape.h"
#include "tunnel/host/socket.h"

enum {
    OM_SPLICE_BLOCK = 64 * 1024,
    OM_SPLICE_AHEAD = 4 * 1024 * 1024,      /* 50 ms at 640 Mb/s */
    OM_SPLICE_AHEAD_MAX = 32 * 1024 * 1024, /* two round trips of 100 ms at 1.3 Gb/s */
    OM_SPLICE_AHEAD_ALL = 256 * 1024 * 1024
};

struct om_splice;

struct om_splice_end {
    uint64_t sent;     /* bytes from the socket that the peer has */
    uint64_t received; /* bytes the socket took */
    bool is_reset;     /* not both directions came to their end */
};

struct om_splice_config {
    struct om_calls *calls;
    struct om_socket *socket;    /* owned from the start, also when om_splice_new() fails */
    struct om_call_owner *owner; /* of an accepted call, which is handed over from it */
    struct om_shape *from_socket, *to_socket; /* borrowed until it is over; NULL: no limit */
    /* The splice is over; its memory goes by itself. Not called by om_splice_close(). */
    void (*on_end)(void *self, const struct om_splice_end *end);
    void *self;
    bool is_framed; /* what goes to the socket */
};

/**
 * om_splice_new() - join them; om_splice_start() lets it flow
 * @out:     receives the splice, which lives until on_end or om_splice_close()
 * @config:  copied
 *
 * Return: OM_OK; OM_E_NO_MEM, with call and socket closed.
 */
OM_MUST enum om_err om_splice_new(struct om_splice **out, const struct om_splice_config *config);

/**
 * om_splice_push() - bytes of the socket that were read before it was handed over
 * @s:      new
 * @bytes:  copied; at most OM_SPLICE_BLOCK
 *
 * Return: OM_OK or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_splice_push(struct om_splice *s, struct om_bytes bytes);

/** om_splice_start() - let it flow; on_end may have been called, and @s be over, on return. */
void om_splice_start(struct om_splice *s);

/** om_splice_close() - end @s at once, as a reset to both sides, the peer being told @code. */
void om_splice_close(struct om_splice *s, enum om_close_code code);

/** om_splice_counts() - what @s has carried so far, into @out. */
void om_splice_counts(const struct om_splice *s, struct om_splice_end *out);

#endif
