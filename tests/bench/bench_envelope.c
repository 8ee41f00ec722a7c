/* bench_envelope.c - our envelope beside the bare AEAD it uses, and beside libsodium. */
#include "bench_core.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "envelope/envelope.h"

enum { SIZE_MAX_BYTES = 8900, BLOCK = 9216 };

struct rig {
    struct om_session out, in; /* what out seals, in opens */
    struct om_epoch epoch;
    struct om_pool *pool;
    struct om_aead seal, open;
    const struct om_cipher *cipher;
    crypto_aead_aes256gcm_state gcm;
    uint8_t key[32];
    uint8_t text[BLOCK];
    size_t size;
    uint64_t counter;
};

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void run_ours(void *arg, unsigned long n)
{
    struct rig *r = arg;

    while (n-- > 0) {
        struct om_buf *b = om_pool_take(r->pool, OM_HEADROOM);
        struct om_incoming in;
        struct om_sealed *d;
        om_buf_put(b, r->size);
        must(om_seal(&d, &r->out, r->counter++, b) == OM_OK);
        struct om_bytes bytes = om_sealed_bytes(d);
        in.dgram = om_mut(om_buf_data(b), bytes.n);
        om_header_mask(r->epoch.mask, bytes, in.header);
        in.counter = om_header_decode(in.header).counter;
        om_open_many(&r->in, &in, 1);
        must(in.is_open);
        om_pool_give(r->pool, om_sealed_release(d));
    }
}

static void run_bare(void *arg, unsigned long n)
{
    struct rig *r = arg;
    uint8_t tag[16], aad[12] = {0};

    while (n-- > 0) {
        must(om_aead_seal(&r->seal, n, om_bytes(aad, 12), r->text, r->size, tag));
        must(om_aead_open(&r->open, n, om_bytes(aad, 12), r->text, r->size, tag));
    }
}

static void run_sodium_chacha(void *arg, unsigned long n)
{
    struct rig *r = arg;
    uint8_t tag[16], aad[12] = {0}, nonce[12] = {0};

    while (n-- > 0) {
        memcpy(nonce, &n, sizeof n);
        crypto_aead_chacha20poly1305_ietf_encrypt_detached(r->text, tag, NULL, r->text, r->size,
                                                           aad, 12, NULL, nonce, r->key);
        must(crypto_aead_chacha20poly1305_ietf_decrypt_detached(r->text, NULL, r->text, r->size,
                                                                tag, aad, 12, nonce, r->key) == 0);
    }
}

static void run_sodium_gcm(void *arg, unsigned long n)
{
    struct rig *r = arg;
    uint8_t tag[16], aad[12] = {0}, nonce[12] = {0};

    while (n-- > 0) {
        memcpy(nonce, &n, sizeof n);
        crypto_aead_aes256gcm_encrypt_detached_afternm(r->text, tag, NULL, r->text, r->size, aad,
                                                       12, NULL, nonce, &r->gcm);
        must(crypto_aead_aes256gcm_decrypt_detached_afternm(r->text, NULL, r->text, r->size, tag,
                                                            aad, 12, nonce, &r->gcm) == 0);
    }
}

static void make_rig(struct rig *r, const struct om_cipher *cipher)
{
    const uint8_t first[32] = {1}, second[32] = {2};
    struct om_session_keys keys = {.first = first,
                                   .second = second,
                                   .cipher = cipher,
                                   .epoch = &r->epoch,
                                   .local = 1,
                                   .remote = 2};
    struct om_limits limits;

    memset(r, 0, sizeof *r);
    om_limits_default(&limits);
    limits.packets_max = UINT64_C(1) << 40; /* rekeying is not what is measured */
    r->cipher = cipher;
    om_epoch_derive(&r->epoch, 0, first);
    r->pool = om_pool_new(BLOCK, 4);
    keys.initiated = true;
    must(r->pool && om_session_init(&r->out, &keys, 0, &limits) == OM_OK);
    keys.initiated = false;
    must(om_session_init(&r->in, &keys, 0, &limits) == OM_OK);
    om_kdf(r->key, first, cipher->name, om_bytes(NULL, 0));
    must(om_aead_init(&r->seal, cipher, r->key, true) == OM_OK);
    must(om_aead_init(&r->open, cipher, r->key, false) == OM_OK);
    if (cipher->id == OM_CIPHER_AES)
        crypto_aead_aes256gcm_beforenm(&r->gcm, r->key);
}

static void free_rig(struct rig *r)
{
    om_session_fini(&r->out);
    om_session_fini(&r->in);
    om_aead_fini(&r->seal);
    om_aead_fini(&r->open);
    om_pool_free(r->pool);
}

static double bench_size(struct bench_report *report, struct rig *r, size_t size)
{
    struct bench b[] = {
        {"bare AEAD", run_bare, r, 0},
        {"our envelope", run_ours, r, 0},
        {"bare libsodium", r->cipher->id == OM_CIPHER_AES ? run_sodium_gcm : run_sodium_chacha, r,
         0},
    };
    unsigned count =
        r->cipher->id == OM_CIPHER_AES && !crypto_aead_aes256gcm_is_available() ? 2 : 3;
    char group[64];

    r->size = size;
    snprintf(group, sizeof group, "seal+open %s %zu", r->cipher->name, size);
    bench_measure(b, count);
    for (unsigned i = 0; i < count; i++)
        bench_row(report, group, b[i].name, b[i].ns, size, b[i].ns / b[0].ns);
    return b[1].ns / b[0].ns;
}

double bench_envelope(struct bench_report *report)
{
    static const size_t sizes[] = {64, 1400, SIZE_MAX_BYTES};
    static const enum om_cipher_id ids[] = {OM_CIPHER_CHACHA, OM_CIPHER_AES};
    static struct rig r;
    double worst = 0;

    for (unsigned c = 0; c < OM_ARRAY_SIZE(ids); c++) {
        if (!(om_cipher_offered() & ids[c]))
            continue;
        make_rig(&r, om_cipher_get(ids[c]));
        for (unsigned i = 0; i < OM_ARRAY_SIZE(sizes); i++) {
            double ratio = bench_size(report, &r, sizes[i]);
            if (sizes[i] == 1400 && ratio > worst)
                worst = ratio;
        }
        free_rig(&r);
    }
    return worst;
}
