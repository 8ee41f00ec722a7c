/* digest.c - a piece for the pool, a look on the loop, the next piece. */
#include "digest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/attr.h>
#include <sodium.h>

static_assert((int)OM_VM_DIGEST_BYTES == (int)crypto_hash_sha256_BYTES, "SHA-256");

struct om_vm_digest {
    uv_work_t work;
    uv_loop_t *loop;
    struct om_vm_digest_done done;
    crypto_hash_sha256_state state;
    uint64_t bytes;
    int fd;
    int cause; /* errno of a read that failed */
    bool is_cancelled, is_at_end;
    void (*on_progress)(void *self, uint64_t bytes, uint64_t all);
    void (*on_done)(void *self, const struct om_vm_digest_done *done);
    void *self;
    uint8_t buffer[128 * 1024];
};

/* On a thread of the pool, which has the file and the hash for as long. */
static void read_piece(uv_work_t *w)
{
    struct om_vm_digest *d = w->data;

    for (size_t done = 0; done < OM_VM_DIGEST_PIECE;) {
        ssize_t n = read(d->fd, d->buffer, sizeof d->buffer);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            d->cause = errno;
        if (n <= 0) {
            d->is_at_end = true;
            return;
        }
        (void)crypto_hash_sha256_update(&d->state, d->buffer, (unsigned long long)n);
        d->bytes += (uint64_t)n;
        done += (size_t)n;
    }
}

static void digest_free(struct om_vm_digest *d)
{
    (void)close(d->fd);
    free(d);
}

static void finish(struct om_vm_digest *d)
{
    struct om_vm_stamp now;

    (void)crypto_hash_sha256_final(&d->state, d->done.hash);
    (void)sodium_bin2hex(d->done.text, sizeof d->done.text, d->done.hash, sizeof d->done.hash);
    if (d->cause != 0) {
        d->done.e = OM_E_STATE;
        d->done.why = strerror(d->cause);
    } else if (om_vm_stamp_of(&now, d->fd) != OM_OK || !om_vm_stamp_equal(&now, &d->done.stamp)) {
        d->done.e = OM_E_BUSY;
        d->done.why = "the file changed while it was read";
    }
    d->on_done(d->self, &d->done);
    digest_free(d);
}

static void on_piece(uv_work_t *w, int status)
{
    struct om_vm_digest *d = w->data;

    if (d->is_cancelled || status != 0) {
        digest_free(d);
        return;
    }
    if (d->on_progress)
        d->on_progress(d->self, d->bytes, d->done.stamp.bytes);
    if (d->is_at_end)
        finish(d);
    else
        (void)uv_queue_work(d->loop, &d->work, read_piece, on_piece);
}

enum om_err om_vm_digest_start(struct om_vm_digest **out, const struct om_vm_digest_config *config,
                               struct om_error *err)
{
    struct om_vm_digest *d = calloc(1, sizeof *d);
    enum om_err e = OM_OK;

    if (!d)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    d->fd = open(config->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (d->fd < 0)
        e = om_fail(err, errno == ENOENT ? OM_E_MISSING : OM_E_STATE, "cannot open %.120s: %s",
                    config->path, strerror(errno));
    else if (om_vm_stamp_of(&d->done.stamp, d->fd) != OM_OK)
        e = om_fail(err, OM_E_STATE, "%.150s is no file", config->path);
    if (e != OM_OK) {
        if (d->fd >= 0)
            (void)close(d->fd);
        free(d);
        return e;
    }
    d->loop = config->loop;
    d->on_progress = config->on_progress;
    d->on_done = config->on_done;
    d->self = config->self;
    d->done.why = "";
    d->work.data = d;
    (void)crypto_hash_sha256_init(&d->state);
    (void)uv_queue_work(d->loop, &d->work, read_piece, on_piece);
    *out = d;
    return OM_OK;
}

void om_vm_digest_cancel(struct om_vm_digest *d)
{
    d->is_cancelled = true;
    (void)uv_cancel((uv_req_t *)&d->work); /* else it ends after its piece */
}
