/* job_frame.c - kind, length, payload. */
#include "ipc/job_frame.h"

#include <string.h>

#include <omerta/wire.h>

void om_job_frame_head(uint8_t out[static OM_JOB_FRAME_HEAD], enum om_job_frame_kind kind, size_t n)
{
    struct om_wr w = om_wr(om_mut(out, OM_JOB_FRAME_HEAD));

    OM_BUG_IF(n > OM_JOB_FRAME_MAX);
    om_wr_u8(&w, (uint8_t)kind);
    om_wr_u32(&w, (uint32_t)n);
}

void om_job_frames_init(struct om_job_frames *f)
{
    f->at = f->n = 0;
    f->is_bad = false;
}

struct om_mut om_job_frames_space(struct om_job_frames *f)
{
    if (f->at > 0) {
        memmove(f->in, f->in + f->at, f->n - f->at);
        f->n -= f->at;
        f->at = 0;
    }
    return om_mut(f->in + f->n, sizeof f->in - f->n);
}

void om_job_frames_came(struct om_job_frames *f, size_t n)
{
    OM_BUG_IF(n > sizeof f->in - f->n);
    f->n += n;
}

/* What has an index has it first; what says nothing is empty. */
static bool read_payload(struct om_job_frame *out, uint8_t kind, struct om_bytes in)
{
    bool has_index = kind == OM_JOB_FRAME_FILE || kind == OM_JOB_FRAME_FILED;

    if (kind < OM_JOB_FRAME_OUT || kind > OM_JOB_FRAME_ENDED || (has_index && in.n == 0) ||
        (kind == OM_JOB_FRAME_CUT && in.n > 0))
        return false;
    *out = (struct om_job_frame){.kind = (enum om_job_frame_kind)kind,
                                 .index = has_index ? in.p[0] : 0,
                                 .bytes = om_bytes(in.p + has_index, in.n - has_index)};
    return true;
}

bool om_job_frames_next(struct om_job_frames *f, struct om_job_frame *out)
{
    struct om_rd r = om_rd(om_bytes(f->in + f->at, f->n - f->at));
    uint8_t kind = om_rd_u8(&r);
    uint32_t n = om_rd_u32(&r);

    if (f->is_bad || f->n - f->at < OM_JOB_FRAME_HEAD)
        return false;
    f->is_bad = n > OM_JOB_FRAME_MAX;
    const uint8_t *payload = om_rd_take(&r, n);
    if (f->is_bad || !payload)
        return false;
    f->at += OM_JOB_FRAME_HEAD + n;
    f->is_bad = !read_payload(out, kind, om_bytes(payload, n));
    return !f->is_bad;
}
