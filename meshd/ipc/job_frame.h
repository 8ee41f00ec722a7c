/*
 * job_frame.h - what is said on the stream of a job
 *
 * What:  the frames by which a provider tells of a job, written and read.
 * Why:   output, files and the end of a job share one stream, and who runs a job must know for sure
 *        whether it ended or was lost.
 * Keeps: frame_is_read_as_written; frame_may_come_in_any_pieces; frame_of_nonsense_is_refused;
 *        frame_is_bounded.
 *
 * The call "vm.job" with {"vm", "job"}, the words of vm/core/job.h, is accepted when the job
 * started. Then its consumer sends the inputs, in order, and the script, each as its bytes, of the
 * size that was announced, with nothing between them and nothing behind; and keeps its direction
 * open: ending it, or the call, is to cancel the job. The provider sends frames, the most
 * significant byte of the length first:
 *
 *      0      1      2      3      4      5
 *     +------+---------------------------+----------------------
 *     | kind |   length, at most 64 KiB  | payload
 *     +------+---------------------------+----------------------
 *
 *   out    bytes of its standard output          file   one byte: which artefact; its next bytes
 *   err    of its standard error                 filed  which; why it is not whole, or nothing
 *   cut    nothing: more output is not passed    ended  {"end", "status", "text"}; the last one
 *
 * Artefacts come in the order in which they were asked for, one after the other.
 */
#ifndef OM_IPC_JOB_FRAME_H
#define OM_IPC_JOB_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/bytes.h>
#include <omerta/err.h>

enum { OM_JOB_FRAME_HEAD = 5, OM_JOB_FRAME_MAX = 64 * 1024 /* bytes of a payload */ };

enum om_job_frame_kind {
    OM_JOB_FRAME_OUT = 1,
    OM_JOB_FRAME_ERR,
    OM_JOB_FRAME_FILE,
    OM_JOB_FRAME_FILED,
    OM_JOB_FRAME_CUT,
    OM_JOB_FRAME_ENDED
};

struct om_job_frame {
    enum om_job_frame_kind kind;
    unsigned index;        /* of FILE and FILED */
    struct om_bytes bytes; /* lent until the reader takes more */
};

/* Read freely; write only through om_job_frames_*(). */
struct om_job_frames {
    size_t at, n; /* bytes read, bytes there */
    bool is_bad;  /* where the next frame begins nobody knows */
    uint8_t in[OM_JOB_FRAME_HEAD + OM_JOB_FRAME_MAX];
};

/** om_job_frame_head() - the head of a frame of @kind with @n bytes of payload into @out. */
void om_job_frame_head(uint8_t out[static OM_JOB_FRAME_HEAD], enum om_job_frame_kind kind,
                       size_t n);

/** om_job_frames_init() - nothing came yet to @f, storage of the caller. */
void om_job_frames_init(struct om_job_frames *f);

/** om_job_frames_space() - where the next bytes go in @f: never empty once all frames are taken. */
struct om_mut om_job_frames_space(struct om_job_frames *f);

/** om_job_frames_came() - @n bytes were put where om_job_frames_space() of @f said. */
void om_job_frames_came(struct om_job_frames *f, size_t n);

/**
 * om_job_frames_next() - the next whole frame
 * @f:    a reader
 * @out:  receives it
 *
 * Return: false when more has to come first, or, with is_bad set, never comes.
 */
bool om_job_frames_next(struct om_job_frames *f, struct om_job_frame *out);

#endif
