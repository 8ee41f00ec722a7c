/*
 * mux.h - many byte streams over one association
 *
 * What:  turns streams into the frames of packets, and frames into streams: which stream fills the
 *        next packet, what has to be sent again, who may send how much, and news for the caller.
 * Why:   one association carries shells, files and calls at a time; none may stop another, and
 *        nobody above wants to hear of packets. Paths, keys and ids of the association are unknown
 *        here.
 * Keeps: mux_carries_bytes_both_ways; mux_ids_follow_the_keys; mux_refuses_what_breaks_the_rules;
 *        mux_opens_lower_ids_too; mux_limits_streams; mux_ignores_frames_of_forgotten_streams;
 *        mux_stalled_readers_stop_only_themselves; mux_credit_bounds_memory;
 *        mux_priorities_are_strict_with_a_guard; mux_round_robin_within_a_class;
 *        mux_restart_orphans_every_stream; mux_resets_and_stops_in_any_order; mux_idle_is_small;
 *        mux_one_stream_gets_the_largest_window; mux_grown_windows_starve_nobody;
 *        mux_gaps_of_all_streams_are_bounded; mux_credit_frames_are_repeated_only_while_new;
 *        mux_forgetting_refers_to_nothing_written; streams_model_delivers_every_byte.
 *
 * Credit. A stream's credit follows its reader: consumed + window, so a reader that stands stops
 * its own stream. The session's follows what arrived while no more than OM_CREDIT_MAX is unread:
 * granted = consumed + min(unread, OM_CREDIT_MAX) + window. So what stalled readers hold is not
 * taken from the others, and no more than OM_CREDIT_MAX + the session's window (it grows to
 * OM_CREDIT_MAX) is unread; memory is that, the ranges and a block per stream. Windows of streams
 * grow only with their readers, together not beyond OM_CREDIT_MAX less a first window for each open
 * stream (of up to 16), and the session's window stays half as large again as the largest of them:
 * so 16 stalled readers always leave something to the others, and so do 64 whose windows never
 * grew. With more of them the session stands until one reads, or is stopped.
 *
 * Full: om_mux_open() refuses the stream beyond OM_STREAMS_MAX unfinished ones of both sides. A
 * peer that has more than that many of its own unfinished, or makes OM_STREAMS_KEPT_MAX exist at a
 * time because the caller is slow to forget, breaks the limit. More than OM_MUX_RANGES_MAX gaps in
 * all streams together: the frame is refused, the packet must not be acknowledged.
 *
 * Source: PROTOCOL section 4; RFC 9000 sections 2 to 4.
 */
#ifndef OM_STREAM_MUX_H
#define OM_STREAM_MUX_H

#include <omerta/table.h>

#include "envelope/frame.h"
#include "stream/stream.h"

enum {
    OM_STREAMS_MAX = 1024,      /* unfinished at a time, both sides together */
    OM_STREAMS_KEPT_MAX = 2048, /* finished ones that were not forgotten included */
    OM_STREAM_CREDIT = 1 << 20, /* PROTOCOL 4: first windows */
    OM_SESSION_CREDIT = 4 << 20,
    OM_CREDIT_MAX = 64 << 20, /* and how far they grow */
    OM_MUX_RANGES_MAX = 16384,
    OM_MUX_GUARD = 16 /* one packet in so many is offered to the lower classes first */
};

/* Read freely; write only through om_mux_*() and om_stream_*(). Must not be moved. */
struct om_mux {
    struct om_table streams;             /* by id */
    struct om_stream *recent;            /* of them, found last; may be NULL */
    struct om_list control;              /* streams with CREDIT, RESET or STOP to send */
    struct om_list again[OM_PRIORITIES]; /* with something that needs no session credit */
    struct om_list fresh[OM_PRIORITIES]; /* with new bytes that their own credit allows */
    struct om_list news;
    struct om_list orphans;
    uint32_t our_next, their_next; /* ids; 0: no more of them */
    unsigned unfinished;           /* streams in the table that are not done */
    unsigned receiving;            /* the peer's that it can still send on */
    unsigned turn;                 /* packets with stream data */
    bool we_are_lower;
    bool wants_credit;       /* the session's CREDIT has to be sent */
    om_time now, rtt;        /* as last told */
    struct om_credit credit; /* what we let the peer send in all */
    uint64_t highest;        /* sum over all streams ever of what arrived at most */
    uint64_t consumed;       /* of that read or dropped */
    uint64_t grown;          /* windows of streams beyond their first ones, together */
    uint32_t ranges;         /* gaps in all streams */
    uint64_t peer_credit;    /* what the peer lets us send in all */
    uint64_t sent;           /* of that used */
};

/**
 * om_mux_init() - no streams; allocates nothing until the first
 * @m:             storage of the caller
 * @we_are_lower:  our key is the lower one: even ids are ours
 * @now:           time
 */
void om_mux_init(struct om_mux *m, bool we_are_lower, om_time now);

/** om_mux_fini() - free every stream of @m, forgotten or not, and refer to no written byte. */
void om_mux_fini(struct om_mux *m);

/**
 * om_mux_open() - a stream of ours; the peer learns of it with the first frame
 * @m:    the streams
 * @p:    its priority
 * @out:  lent until om_stream_forget() or om_mux_fini()
 *
 * Return: OM_OK, OM_E_FULL or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_mux_open(struct om_mux *m, enum om_priority p, struct om_stream **out);

/** om_mux_find() - the stream of @m with @id, lent; NULL when there is none. */
struct om_stream *om_mux_find(const struct om_mux *m, uint32_t id);

/**
 * om_mux_news() - what happened, stream by stream, first come first served
 * @m:     the streams
 * @bits:  enum om_stream_news, taken
 *
 * Return: the stream, lent as by om_mux_open(); NULL when there are no news.
 */
struct om_stream *om_mux_news(struct om_mux *m, unsigned *bits);

/**
 * om_mux_restart() - the peer lost everything
 * @m:  every stream gets RESET, STOPPED, RELEASED and DONE with code OM_CLOSE_RESTARTED and waits
 *      only to be forgotten; ids and credit begin anew. Packets sent before must not be reported
 *      by om_mux_on_fate() any more.
 */
void om_mux_restart(struct om_mux *m);

/**
 * om_stream_write() - send bytes
 * @m:     the streams
 * @s:     one of them
 * @data:  borrowed until @s->released passes its end
 *
 * Return: OM_OK; OM_E_BUSY beyond OM_STREAM_PIECES_MAX pieces; OM_E_STATE after finish, reset, STOP
 * or restart; OM_E_RANGE beyond 2^62; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_stream_write(struct om_mux *m, struct om_stream *s, struct om_bytes data);

/**
 * om_stream_finish() - FIN after what was written
 * @m:  the streams
 * @s:  one of them
 *
 * Return: OM_OK, also when it was finished before; OM_E_STATE after reset, STOP or restart.
 */
enum om_err om_stream_finish(struct om_mux *m, struct om_stream *s);

/** om_stream_reset() - stop sending on @s of @m with @code: all borrowed bytes are released at
 * once; nothing when everything was acknowledged already. */
void om_stream_reset(struct om_mux *m, struct om_stream *s, uint32_t code);

/** om_stream_reset_after() - as om_stream_reset() of @s of @m with @code, but the first @keep bytes
 *  are to arrive first, and stay borrowed until they did. */
void om_stream_reset_after(struct om_mux *m, struct om_stream *s, uint32_t code, uint64_t keep);

/** om_stream_stop() - want no more of @s of @m, with @code: what arrived is dropped, what arrives
 * later, too. */
void om_stream_stop(struct om_mux *m, struct om_stream *s, uint32_t code);

/** om_stream_set_priority() - let @s of @m go with class @p from now on. */
void om_stream_set_priority(struct om_mux *m, struct om_stream *s, enum om_priority p);

/** om_stream_peek() - contiguous bytes of @s that can be read now; lent until they are consumed. */
struct om_bytes om_stream_peek(const struct om_stream *s);

/** om_stream_is_secret() - of what comes over @s nothing is to stay in memory, read or not. */
void om_stream_is_secret(struct om_stream *s);

/** om_stream_pieces() - more of the same of @s: up to @max pieces into @out that follow one
 *  another. Return: how many. */
unsigned om_stream_pieces(const struct om_stream *s, struct om_bytes *out, unsigned max);

/**
 * om_stream_consume() - the first bytes of what could be read were read
 * @m:    the streams
 * @s:    one of them
 * @now:  time
 * @n:    at most what the pieces gave
 */
void om_stream_consume(struct om_mux *m, struct om_stream *s, om_time now, size_t n);

/** om_stream_at_end() - all bytes of @s up to its end were consumed. */
bool om_stream_at_end(const struct om_stream *s);

/**
 * om_stream_forget() - the caller is done with a stream
 * @m:  the streams
 * @s:  taken: not to be used any more, and no written byte is referred to any more. What is not
 *      finished, or finished and not wholly acknowledged, is reset (OM_CLOSE_CANCELLED); so wait
 *      for DONE where delivery matters. What can still arrive is refused with a STOP.
 */
void om_stream_forget(struct om_mux *m, struct om_stream *s);

/**
 * om_mux_input() - one of the four STREAM frames arrived
 * @m:    the streams
 * @now:  time
 * @rtt:  smoothed round trip, 0 if unknown
 * @f:    the frame
 *
 * Return: OM_OK; OM_E_NO_MEM: the packet must not be acknowledged; OM_E_RANGE: a protocol error,
 * close with OM_CLOSE_PROTOCOL; OM_E_FULL: close with OM_CLOSE_LIMIT.
 */
OM_MUST enum om_err om_mux_input(struct om_mux *m, om_time now, om_time rtt,
                                 const struct om_frame *f);

/** om_mux_has_output() - would om_mux_fill() of @m write something into an empty packet? */
bool om_mux_has_output(const struct om_mux *m);

/**
 * om_mux_fill() - write frames into a packet
 * @m:       the streams
 * @w:       cursor; never turns bad here
 * @frames:  notes for om_mux_on_fate(), to be kept with the packet
 * @max:     how many notes there is room for
 *
 * Return: how many frames were written and noted; 0 when nothing waits, or nothing fits.
 */
unsigned om_mux_fill(struct om_mux *m, struct om_wr *w, struct om_sent_frame *frames, unsigned max);

/**
 * om_mux_fill_credit() - a frame that changes nothing but wants an ACK, for probes
 * @m:  the streams
 * @w:  cursor; untouched when it does not fit
 *
 * Return: false when it does not fit.
 */
bool om_mux_fill_credit(const struct om_mux *m, struct om_wr *w);

/**
 * om_mux_on_fate() - what became of a frame
 * @m:      the streams
 * @now:    time
 * @f:      its note; streams that are gone are ignored
 * @acked:  it arrived; else it has to be sent again, if it still matters. Any number of losses and
 *          ACKs of one frame, in any order, are fine.
 */
void om_mux_on_fate(struct om_mux *m, om_time now, const struct om_sent_frame *f, bool acked);

#endif
