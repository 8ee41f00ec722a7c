/*
 * slice.h - what is larger than the path, in pieces, put together again
 *
 * What:  takes the SLICE frames of one peer in any order and gives back the whole.
 * Why:   an IP packet of 9,000 bytes must cross a path of 576, and IP's own fragments are what
 *        middleboxes drop.
 * Keeps: slice_joins_in_any_order; slice_overlap_drops_the_whole;
 *        slice_other_total_drops_the_whole; slice_is_given_up_in_time;
 *        slice_full_drops_the_oldest; slice_memory_is_bounded; slice_many_gaps_drop_the_whole.
 *
 * Full: with OM_SLICES_MAX of them begun, or OM_SLICE_BYTES_MAX bytes reserved, the oldest goes:
 * it is the likeliest to lack a slice that was lost. Bytes are reserved for the whole when its
 * first slice comes.
 *
 * Source: PROTOCOL section 4 (SLICE); RFC 8900 (why not IP's fragments); RFC 5722 (overlap).
 */
#ifndef OM_PATH_SLICE_H
#define OM_PATH_SLICE_H

#include <omerta/list.h>
#include <omerta/time.h>

#include "envelope/frame_path.h"

enum {
    OM_SLICES_MAX = 64,             /* begun at a time, of one peer */
    OM_SLICE_BYTES_MAX = 256 << 10, /* reserved for them */
    OM_SLICE_LIFE_MS = 500,         /* from its first slice on */
    OM_SLICE_RUNS_MAX = 72          /* of bytes without a gap, of one whole */
};

/* What became of a slice. */
enum om_slice_fate {
    OM_SLICE_KEPT,
    OM_SLICE_WHOLE,  /* it was the last that lacked */
    OM_SLICE_CLASH,  /* overlap, another total, or too many gaps: the whole was dropped */
    OM_SLICE_NO_ROOM /* memory is out */
};

/* Read freely; write only through om_slices_*(). Must not be moved. */
struct om_slices {
    struct om_list all; /* oldest first */
    unsigned count;
    size_t bytes;
    uint64_t dropped; /* wholes: too old, too many, or clashed */
};

/** om_slices_init() - @s has none. */
void om_slices_init(struct om_slices *s);

/** om_slices_fini() - @s forgets all. */
void om_slices_fini(struct om_slices *s);

/**
 * om_slices_input() - a slice arrived
 * @s:      of its peer
 * @now:    time
 * @f:      as om_frame_next() gives it
 * @whole:  for OM_SLICE_WHOLE: the bytes, @f->total of them, which the caller free()s
 *
 * Return: its fate.
 */
enum om_slice_fate om_slices_input(struct om_slices *s, om_time now, const struct om_frame_slice *f,
                                   uint8_t **whole);

/** om_slices_tick() - drop from @s what is too old @now. */
void om_slices_tick(struct om_slices *s, om_time now);

/** om_slices_deadline() - when om_slices_tick() of @s is due; OM_NEVER: it has none. */
om_time om_slices_deadline(const struct om_slices *s);

#endif
