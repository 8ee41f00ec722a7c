/* test_job_frame.c - frames of a job's stream, written and read. */
#include "harness.h"

#include <string.h>

#include "ipc/job_frame.h"

static size_t put(uint8_t *to, enum om_job_frame_kind kind, const void *bytes, size_t n)
{
    om_job_frame_head(to, kind, n);
    if (n > 0)
        memcpy(to + OM_JOB_FRAME_HEAD, bytes, n);
    return OM_JOB_FRAME_HEAD + n;
}

static size_t give(struct om_job_frames *f, const uint8_t *in, size_t n)
{
    struct om_mut to = om_job_frames_space(f);

    n = n < to.n ? n : to.n;
    memcpy(to.p, in, n);
    om_job_frames_came(f, n);
    return n;
}

static struct om_job_frames reader;

/* One of each kind. */
static size_t write_all(uint8_t *to)
{
    size_t n = put(to, OM_JOB_FRAME_OUT, "hello\n", 6);

    n += put(to + n, OM_JOB_FRAME_ERR, "oh", 2);
    n += put(to + n, OM_JOB_FRAME_CUT, "", 0);
    n += put(to + n, OM_JOB_FRAME_FILE,
             "\x01"
             "abc",
             4);
    n += put(to + n, OM_JOB_FRAME_FILED, "\x01", 1);
    return n + put(to + n, OM_JOB_FRAME_ENDED, "{}", 2);
}

static void check_all(unsigned at, const struct om_job_frame *f)
{
    static const struct {
        enum om_job_frame_kind kind;
        unsigned index;
        const char *text;
    } want[] = {{OM_JOB_FRAME_OUT, 0, "hello\n"}, {OM_JOB_FRAME_ERR, 0, "oh"},
                {OM_JOB_FRAME_CUT, 0, ""},        {OM_JOB_FRAME_FILE, 1, "abc"},
                {OM_JOB_FRAME_FILED, 1, ""},      {OM_JOB_FRAME_ENDED, 0, "{}"}};

    CHECK(at < OM_ARRAY_SIZE(want));
    CHECK_EQ(f->kind, want[at].kind);
    CHECK_EQ(f->index, want[at].index);
    CHECK_EQ(f->bytes.n, strlen(want[at].text));
    CHECK(memcmp(f->bytes.p, want[at].text, f->bytes.n) == 0);
}

OM_TEST(frame_is_read_as_written)
{
    struct om_job_frame f;
    uint8_t in[256];
    size_t n = write_all(in);
    unsigned at = 0;

    om_job_frames_init(&reader);
    CHECK_EQ(give(&reader, in, n), n);
    while (om_job_frames_next(&reader, &f))
        check_all(at++, &f);
    CHECK_EQ(at, 6);
    CHECK(!reader.is_bad);
}

OM_TEST(frame_may_come_in_any_pieces)
{
    uint8_t in[256];
    size_t n = write_all(in);

    for (size_t piece = 1; piece < 12; piece++) {
        struct om_job_frame f;
        unsigned at = 0;
        om_job_frames_init(&reader);
        for (size_t i = 0; i < n; i += piece) {
            CHECK_EQ(give(&reader, in + i, n - i < piece ? n - i : piece),
                     n - i < piece ? n - i : piece);
            while (om_job_frames_next(&reader, &f))
                check_all(at++, &f);
        }
        CHECK_EQ(at, 6);
    }
}

static bool is_refused(const uint8_t *in, size_t n)
{
    struct om_job_frame f;
    bool is_read;

    om_job_frames_init(&reader);
    (void)give(&reader, in, n);
    is_read = om_job_frames_next(&reader, &f);
    return !is_read && reader.is_bad && !om_job_frames_next(&reader, &f);
}

OM_TEST(frame_of_nonsense_is_refused)
{
    uint8_t in[16];

    CHECK(is_refused((const uint8_t[]){0, 0, 0, 0, 0}, 5));   /* no such kind */
    CHECK(is_refused((const uint8_t[]){7, 0, 0, 0, 0}, 5));   /* nor this */
    CHECK(is_refused((const uint8_t[]){1, 0, 1, 0, 1}, 5));   /* a byte too long */
    CHECK(is_refused((const uint8_t[]){1, 255, 0, 0, 0}, 5)); /* far too long */
    CHECK(is_refused(in, put(in, OM_JOB_FRAME_FILE, "", 0)));
    CHECK(is_refused(in, put(in, OM_JOB_FRAME_FILED, "", 0)));
    CHECK(is_refused(in, put(in, OM_JOB_FRAME_CUT, "x", 1)));
    CHECK(!is_refused(in, put(in, OM_JOB_FRAME_CUT, "", 0)));
}

OM_TEST(frame_is_bounded)
{
    static uint8_t in[2 * (OM_JOB_FRAME_HEAD + OM_JOB_FRAME_MAX)], big[OM_JOB_FRAME_MAX];
    struct om_job_frame f;
    unsigned frames = 0;

    memset(big, 'x', sizeof big);
    size_t n = put(in, OM_JOB_FRAME_OUT, big, sizeof big);
    n += put(in + n, OM_JOB_FRAME_ERR, big, sizeof big);
    om_job_frames_init(&reader);
    for (size_t at = 0; at < n;) {
        size_t given = give(&reader, in + at, n - at); /* as much as it takes */
        CHECK(given > 0);
        at += given;
        while (om_job_frames_next(&reader, &f)) {
            CHECK_EQ(f.bytes.n, sizeof big);
            frames++;
        }
    }
    CHECK_EQ(frames, 2);
}
