/*
 * outlet.h - the frames of a job on their way to its consumer
 *
 * What:  bytes that are kept until the consumer has them, and how many those are.
 * Why:   a consumer that does not read slows the job; nothing of its output is dropped, and no more
 *        than a bound of it is kept here.
 *
 * Full: with OUTLET_FULL bytes on their way outlet_is_full(), and the guest's port is not read
 * until there is room again; what was read before that still goes in.
 */
#ifndef OM_SERVICE_OUTLET_H
#define OM_SERVICE_OUTLET_H

#include <omerta/list.h>

#include "ipc/job_frame.h"
#include "tunnel/host/calls.h"

enum { OUTLET_BLOCK = 16 * 1024, OUTLET_FULL = 256 * 1024 };

struct outlet {
    struct om_calls *calls;
    const struct om_call_owner *owner; /* of the call */
    struct om_list blocks;
    uint64_t filled, written, released; /* bytes since the start */
    bool is_ending, is_finished;
};

/** outlet_init() - @o writes into the call of @owner in @calls. */
void outlet_init(struct outlet *o, struct om_calls *calls, const struct om_call_owner *owner);

/** outlet_put() - a frame of @kind into @o: @index, which no frame has where it is negative, then
 *  @bytes; false without memory. */
bool outlet_put(struct outlet *o, enum om_job_frame_kind kind, int index, struct om_bytes bytes);

/** outlet_end() - nothing follows in @o. */
void outlet_end(struct outlet *o);

/** outlet_feed() - write into the call of @o what it takes now; false when it takes no more. */
bool outlet_feed(struct outlet *o);

/** outlet_released() - the first @n bytes of @o are the consumer's. */
void outlet_released(struct outlet *o, uint64_t n);

/** outlet_is_full() - is as much as it may be in @o on its way? */
bool outlet_is_full(const struct outlet *o);

/** outlet_fini() - the call of @o is over, and what was lent to it here is freed. */
void outlet_fini(struct outlet *o);

#endif
