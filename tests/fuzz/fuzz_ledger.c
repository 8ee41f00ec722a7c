/*
 * fuzz_ledger.c - an entry of a log: any bytes; and ledgers: any history
 *
 * After a zero: an entry. If it decodes it is written again, and must give the same bytes but for
 * the signature. After a two: a question, and an answer that brings no admin. After anything else,
 * four bytes a piece: a history, of who says what at which number, after which entry. Two ledgers
 * hear it in opposite orders, and must hold the same.
 */
#include "fuzz.h"
#include "network/ledger_wire.h"

enum { ADMINS = 2, SAID_MAX = 12, STEP = 4, NUMBERS = 6, KEYS = 4 };

static const struct om_id network = {{7}};

/* The authority's key, then the admins', then members'. */
static const struct om_identity *key(unsigned n)
{
    static struct om_identity all[1 + ADMINS + KEYS];
    uint8_t seed[32] = {0, (uint8_t)n};

    while (om_id_is_zero(&all[n].id)) { /* not every seed will do */
        FUZZ_MUST(++seed[0] != 0);
        if (om_identity_from_seed(&all[n], seed) != OM_OK)
            memset(&all[n], 0, sizeof all[n]);
    }
    return &all[n];
}

struct said {
    unsigned by, n;
    uint8_t bytes[OM_ADMIN_ENTRY_MAX], hash[OM_HASH_BYTES];
};

/* One step of the history. */
static void say(struct said *out, const struct said *before, unsigned count,
                const uint8_t step[static STEP])
{
    const struct said *previous = count > 0 ? &before[step[3] % count] : NULL;
    struct om_admin_entry e = {.number = 1 + (step[0] >> 4) % NUMBERS, .kind = step[1] % 6};

    out->by = step[0] % (1 + ADMINS);
    if (e.number > 1 && previous)
        memcpy(e.previous, previous->hash, sizeof e.previous);
    if (e.kind == OM_ADMIN_INVITE_VOID)
        e.subject[1] = step[2];
    else
        memcpy(e.subject, key(1 + step[2] % (ADMINS + KEYS))->id.b, sizeof e.subject);
    if (e.kind == OM_ADMIN_REVOKED && previous && step[2] & 0x80) {
        e.last = 1 + step[3] % NUMBERS;
        memcpy(e.last_hash, previous->hash, sizeof e.last_hash);
    }
    out->n = (unsigned)om_admin_entry_encode(out->bytes, &e, key(out->by), &network);
    om_admin_entry_hash(out->hash, om_bytes(out->bytes, out->n));
}

static void begin(struct om_ledger *l)
{
    static uint8_t certs[1 + ADMINS][OM_ADMIN_CERT_BYTES];

    FUZZ_MUST(om_ledger_init(l, &network, &key(0)->id) == OM_OK);
    for (unsigned i = 1; i <= ADMINS; i++) {
        struct om_admin_cert c = {.rights = OM_RIGHT_MEMBERS, .key = key(i)->id};
        if (certs[i][0] == 0)
            om_admin_cert_encode(certs[i], &c, key(0), &network);
        FUZZ_MUST(om_ledger_admin(l, om_bytes(certs[i], sizeof certs[i])) == OM_OK);
    }
}

/* Until nothing is new: what an honoured entry names is taken when it is offered again. */
static void hear(struct om_ledger *l, const struct said *said, unsigned count, bool is_backward)
{
    bool is_new = true;

    for (unsigned pass = 0; is_new; pass++) {
        FUZZ_MUST(pass <= SAID_MAX);
        is_new = false;
        for (unsigned i = 0; i < count; i++) {
            const struct said *s = &said[is_backward ? count - 1 - i : i];
            enum om_ledger_put put = om_ledger_put(l, &key(s->by)->id, om_bytes(s->bytes, s->n));
            FUZZ_MUST(put == OM_LEDGER_NEW || put == OM_LEDGER_KNOWN || put == OM_LEDGER_OUTRANKED);
            is_new |= put == OM_LEDGER_NEW;
        }
    }
}

static void check_history(struct om_bytes in)
{
    struct om_ledger_head of_a[OM_LEDGER_LOGS_MAX], of_b[OM_LEDGER_LOGS_MAX];
    struct om_excluded list_a[OM_LEDGER_LOGS_MAX], list_b[OM_LEDGER_LOGS_MAX];
    struct said said[SAID_MAX];
    struct om_ledger a, b;
    unsigned count = 0;

    for (; count < SAID_MAX && (count + 1) * STEP <= in.n; count++)
        say(&said[count], said, count, in.p + (size_t)count * STEP);
    begin(&a);
    begin(&b);
    hear(&a, said, count, false);
    hear(&b, said, count, true);
    unsigned n = om_ledger_heads(&a, of_a), excluded = om_ledger_excluded(&a, list_a);
    FUZZ_MUST(om_ledger_heads(&b, of_b) == n && memcmp(of_a, of_b, n * sizeof of_a[0]) == 0);
    FUZZ_MUST(om_ledger_excluded(&b, list_b) == excluded &&
              memcmp(list_a, list_b, excluded * sizeof list_a[0]) == 0);
    for (unsigned i = 0; i < 1 + ADMINS + KEYS; i++) {
        FUZZ_MUST(om_ledger_revoked(&a, &key(i)->id) == om_ledger_revoked(&b, &key(i)->id));
        FUZZ_MUST(om_ledger_rank(&a, &key(i)->id) == om_ledger_rank(&b, &key(i)->id));
    }
    om_ledger_fini(&a);
    om_ledger_fini(&b);
}

static void check_entry(struct om_bytes in)
{
    uint8_t again[OM_ADMIN_ENTRY_MAX];
    struct om_admin_entry e;
    struct om_ledger l;

    begin(&l);
    enum om_ledger_put put = om_ledger_put(&l, &key(1)->id, in);
    if (om_admin_entry_decode(&e, in) == OM_OK) {
        size_t n = om_admin_entry_encode(again, &e, key(1), &network);
        FUZZ_MUST(n == in.n && memcmp(in.p, again, n - OM_SIGN_BYTES) == 0);
    } else {
        FUZZ_MUST(put == OM_LEDGER_FORGED);
    }
    om_ledger_fini(&l);
}

static void check_wire(struct om_bytes in)
{
    uint8_t again[OM_LEDGER_ASK_MAX], answer[OM_LEDGER_ANSWER_MAX];
    struct om_ledger_heard heard;
    struct om_ledger_ask a;
    struct om_ledger l;

    begin(&l);
    if (om_ledger_ask_read(&a, in) == OM_OK) {
        FUZZ_MUST(om_ledger_ask_write(again, &a) == in.n && memcmp(again, in.p, in.n) == 0);
        size_t n = om_ledger_answer(&l, &a, om_mut(answer, sizeof answer));
        FUZZ_MUST(om_ledger_hear(&l, om_bytes(answer, n), &heard) == OM_OK && !heard.has_more);
    }
    const struct om_mut news = om_mut(answer, in.n < sizeof answer ? in.n : sizeof answer);
    bool is_good = om_ledger_hear_news(&l, in, news, &heard) == OM_OK;
    FUZZ_MUST(heard.news <= in.n);
    if (is_good && heard.epoch.n > 0) /* which is at the end, and not kept */
        FUZZ_MUST(heard.news + heard.epoch.n < in.n && !heard.has_more &&
                  heard.epoch.p + heard.epoch.n == in.p + in.n);
    FUZZ_MUST(heard.entries <= heard.told && l.log_count == 1 + ADMINS);
    om_ledger_fini(&l);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);

    if (size > 0 && copy[0] == 0)
        check_entry(om_bytes(copy + 1, size - 1));
    else if (size > 0 && copy[0] == 2)
        check_wire(om_bytes(copy + 1, size - 1));
    else if (size > 0)
        check_history(om_bytes(copy + 1, size - 1));
    free(copy);
    return 0;
}
