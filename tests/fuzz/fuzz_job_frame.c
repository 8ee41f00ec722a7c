/*
 * fuzz_job_frame.c - what a provider says on the stream of a job: any bytes
 *
 * The first byte says in which pieces they come; the frames must be those of the same bytes at
 * once.
 */
#include "fuzz.h"
#include "ipc/job_frame.h"

static uint64_t feed(struct om_bytes in, size_t piece)
{
    struct om_job_frames *r = malloc(sizeof *r);
    struct om_job_frame f;
    uint64_t sum = 0;

    FUZZ_MUST(r);
    om_job_frames_init(r);
    for (size_t used = 0, n; used < in.n && !r->is_bad; used += n) {
        struct om_mut to = om_job_frames_space(r);
        n = in.n - used < piece ? in.n - used : piece;
        n = n < to.n ? n : to.n;
        FUZZ_MUST(n > 0);
        memcpy(to.p, in.p + used, n);
        om_job_frames_came(r, n);
        while (om_job_frames_next(r, &f)) {
            FUZZ_MUST(f.bytes.n <= OM_JOB_FRAME_MAX && f.index <= UINT8_MAX);
            sum = sum * 31 + (uint64_t)f.kind * 256 + f.index;
            for (size_t i = 0; i < f.bytes.n; i++)
                sum = sum * 31 + f.bytes.p[i] + 1;
        }
    }
    sum = sum * 31 + r->is_bad;
    free(r);
    return sum;
}

int fuzz_one(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    struct om_bytes in = om_bytes(copy, size - 1);
    FUZZ_MUST(feed(in, 1 + data[0]) == feed(in, SIZE_MAX));
    free(copy);
    return 0;
}
