/*
 * mux_state.h - what the files of the mux share
 *
 * What:  making and freeing streams, keeping them in the right lists, credit of the session.
 * Why:   frames in, frames out and calls from above are three files over one state.
 */
#ifndef OM_STREAM_MUX_STATE_H
#define OM_STREAM_MUX_STATE_H

#include "stream/mux.h"

/* The numbers of a receiving half that the session adds up. */
struct mux_tally {
    uint64_t highest, consumed;
    uint32_t ranges;
};

/** mux_make() - a stream of @m with @id, in the table, opened by us if @is_ours; NULL
 * when memory is out. */
struct om_stream *mux_make(struct om_mux *m, uint32_t id, bool is_ours);

/** mux_tell() - @bits of enum om_stream_news are news of @s of @m. */
void mux_tell(struct om_mux *m, struct om_stream *s, unsigned bits);

/** mux_schedule() - put @s into the lists of @m by what it can send, and take it out of others. */
void mux_schedule(struct om_mux *m, struct om_stream *s);

/** mux_control() - @s of @m has a control frame to send, or no longer. */
void mux_control(struct om_mux *m, struct om_stream *s);

/** mux_settle() - @s of @m may have finished a half; it is freed when both are and nobody wants it:
 * to be called last. */
void mux_settle(struct om_mux *m, struct om_stream *s);

/** mux_give_up() - reset the sending half of @s of @m with @code. */
void mux_give_up(struct om_mux *m, struct om_stream *s, uint32_t code);

/** mux_tally() - the numbers of @s before something changes them. */
struct mux_tally mux_tally(const struct om_stream *s);

/** mux_account() - add to @m what changed in @s since @before, and grant credit. */
void mux_account(struct om_mux *m, struct om_stream *s, const struct mux_tally *before);

#endif
