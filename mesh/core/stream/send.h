/*
 * send.h - the sending half of a stream
 *
 * What:  a list of the caller's pieces, which are borrowed until they are acknowledged; what of
 *        them was sent, acknowledged or lost; the end, by FIN or by RESET.
 * Why:   no byte is copied but into a packet, and a lost one is sent again from where it lies.
 * Keeps: send_pieces_are_released_in_order; send_lost_bytes_go_first; send_fin_is_sent_again;
 *        send_stays_within_credit; send_reset_releases_everything;
 *        send_reset_after_keeps_the_first_bytes;
 *        send_forgotten_acks_are_sent_again.
 *
 * Full: a write beyond OM_STREAM_PIECES_MAX pieces is refused. Of more than OM_SEND_RANGES_MAX
 * acknowledged stretches the newest is forgotten and sent again; of as many lost ones neighbours
 * are joined, so that a little too much is sent again.
 *
 * Source: RFC 9000 sections 2.2, 3.1 and 13.3.
 */
#ifndef OM_STREAM_SEND_H
#define OM_STREAM_SEND_H

#include <omerta/bytes.h>
#include <omerta/ring.h>
#include <omerta/wire.h>

#include "stream/ranges.h"
#include "stream/sent_frame.h"

enum {
    OM_STREAM_PIECES_MAX = 1024, /* writes not wholly acknowledged; then OM_E_BUSY */
    OM_SEND_RANGES_MAX = 8192,
    OM_SEND_FRAGMENT_MIN = 64 /* bytes of data, unless a frame has all there is */
};

/* Read freely; write only through om_send_*(). */
struct om_send {
    struct om_ring pieces;  /* of struct om_send_piece, in order */
    uint64_t written;       /* bytes given by the caller */
    uint64_t acked;         /* all below is acknowledged: released */
    uint64_t sent;          /* highest offset ever sent */
    uint64_t credit;        /* the peer's, absolute */
    struct om_ranges above; /* acknowledged beyond @acked */
    struct om_ranges lost;  /* to send again */
    uint32_t reset_code;
    bool is_finished;  /* no more will be written */
    bool is_fin_sent;  /* and not lost since */
    bool is_fin_acked; /* once is enough */
    bool is_reset;
    bool is_reset_acked;
    bool is_ending; /* given up as soon as all that is left was acknowledged */
};

/** om_send_init() - nothing written into @s, and @credit bytes allowed by the peer. */
void om_send_init(struct om_send *s, uint64_t credit);

/** om_send_fini() - release the memory of @s; the pieces are the caller's. */
void om_send_fini(struct om_send *s);

/**
 * om_send_write() - one more piece
 * @s:     the half
 * @data:  borrowed until @acked passes its end
 *
 * Return: OM_OK; OM_E_STATE after the end; OM_E_BUSY; OM_E_RANGE for a stream too long;
 * OM_E_NO_MEM.
 */
OM_MUST enum om_err om_send_write(struct om_send *s, struct om_bytes data);

/** om_send_finish() - @s ends after what was written; nothing when it ended already. */
void om_send_finish(struct om_send *s);

/** om_send_reset() - give @s up with @code: all is released, what was sent stays counted. */
void om_send_reset(struct om_send *s, uint32_t code);

/**
 * om_send_reset_after() - give a half up, but not its first bytes
 * @s:     the half
 * @code:  for the peer
 * @keep:  bytes that are to arrive. The others are released now, these
 *         and the half itself once these are acknowledged: then it is reset
 *
 * The peer need not know: to it, the reset comes that much later. (RESET_STREAM_AT of
 * draft-ietf-quic-reliable-stream-reset says the same in one frame.)
 */
void om_send_reset_after(struct om_send *s, uint32_t code, uint64_t keep);

/** om_send_final() - offset at which @s was given up. */
static inline uint64_t om_send_final(const struct om_send *s)
{
    return s->sent;
}

/** om_send_has_again() - can @s send something that needs no session credit? */
bool om_send_has_again(const struct om_send *s);

/** om_send_has_fresh() - can @s send new bytes, as far as its own credit goes? */
bool om_send_has_fresh(const struct om_send *s);

/** om_send_is_done() - everything of @s, its end included, was acknowledged. */
bool om_send_is_done(const struct om_send *s);

/**
 * om_send_fill() - one STREAM frame
 * @s:      the half
 * @id:     of the stream
 * @w:      cursor; untouched when nothing is written
 * @fresh:  new bytes that the session allows; what is sent again does not count
 * @out:    the note about the frame
 *
 * Return: false when nothing of use fits, or there is nothing to send.
 */
bool om_send_fill(struct om_send *s, uint32_t id, struct om_wr *w, uint64_t fresh,
                  struct om_sent_frame *out);

/** om_send_on_acked() - frame @f of @s arrived; true when @acked moved. */
bool om_send_on_acked(struct om_send *s, const struct om_sent_frame *f);

/** om_send_on_lost() - frame @f of @s did not arrive, or not in time. */
void om_send_on_lost(struct om_send *s, const struct om_sent_frame *f);

#endif
