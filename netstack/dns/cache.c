/* cache.c - answers with a time. */
#include "dns/cache.h"

#include <stdlib.h>
#include <string.h>

enum { SOA_TAIL = 20 };

/* A name has up to 255 bytes, a key of the map 64: so two folds stand for it, and the name in the
 * answer is compared. Names that fold alike push each other out; nothing else comes of it. */
struct key {
    uint64_t fold[2];
    uint16_t type, klass;
    uint8_t flags, name_bytes;
    uint8_t zero[2];
};

static_assert(sizeof(struct key) == 24, "a key has padding");

struct kept {
    uint8_t *answer; /* owned */
    size_t n;
    om_time at, until;
};

enum { KEY_EDNS = 1, KEY_DNSSEC = 2, KEY_CD = 4 };

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Fowler, Noll and Vo, variant 1a. */
static uint64_t fold(const struct om_dns_name *name, uint64_t h)
{
    for (unsigned i = 0; i < name->n; i++)
        h = (h ^ lower(name->b[i])) * 0x100000001b3;
    return h;
}

static struct key key_of(const struct om_dns_question *q)
{
    return (struct key){
        .fold = {fold(&q->name, 0xcbf29ce484222325), fold(&q->name, 0x84222325cbf29ce4)},
        .type = q->type,
        .klass = q->klass,
        .flags = (uint8_t)((q->has_edns ? KEY_EDNS : 0) | (q->is_dnssec ? KEY_DNSSEC : 0) |
                           (q->flags & OM_DNS_CD ? KEY_CD : 0)),
        .name_bytes = q->name.n};
}

enum om_err om_dns_cache_init(struct om_dns_cache *c, const uint8_t sip_key[static OM_SIP_KEY])
{
    *c = (struct om_dns_cache){0};
    return om_lru_init(&c->answers, sizeof(struct key), sizeof(struct kept), OM_DNS_CACHE_MAX,
                       sip_key);
}

static void drop(struct om_dns_cache *c, const struct key *k)
{
    struct kept *kept = om_lru_peek(&c->answers, k);

    if (!kept)
        return;
    c->bytes -= kept->n;
    free(kept->answer);
    (void)om_lru_remove(&c->answers, k);
}

static bool drop_oldest(struct om_dns_cache *c)
{
    const void *key;
    struct key copy;

    if (!om_lru_oldest(&c->answers, &key))
        return false;
    memcpy(&copy, key, sizeof copy);
    drop(c, &copy);
    return true;
}

void om_dns_cache_fini(struct om_dns_cache *c)
{
    while (drop_oldest(c))
        ;
    om_lru_fini(&c->answers);
}

/* The last field of an SOA, behind two names of which only the end matters here. */
static uint32_t soa_minimum(const struct om_dns_record *rec)
{
    struct om_rd r = om_rd(rec->data);

    if (rec->data.n < SOA_TAIL)
        return 0;
    (void)om_rd_take(&r, rec->data.n - 4);
    return om_rd_u32(&r);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t read_ttl(const struct om_dns_record *rec)
{
    return rec->ttl > INT32_MAX ? 0 : rec->ttl;
}

/* Seconds that @answer may be kept; 0 when it may not. */
static uint32_t lifetime(const struct om_dns_question *q, struct om_bytes answer)
{
    struct om_dns_question a;
    struct om_dns_walk w;
    struct om_dns_record rec;
    uint32_t ttl = OM_DNS_TTL_MAX, negative = 0;
    bool has_answer = false;

    if (!om_dns_is_answer(q, answer) || om_dns_walk_start(&w, &a, answer) != OM_DNS_BAD_NONE)
        return 0;
    unsigned rcode = a.flags & OM_DNS_RCODE;
    if ((a.flags & OM_DNS_TC) || (rcode != OM_DNS_NOERROR && rcode != OM_DNS_NXDOMAIN))
        return 0;
    while (om_dns_walk_next(&w, &rec)) {
        if (rec.type == OM_DNS_OPT) {
            if (rec.data.n > 0 || rec.ttl >> 24 != 0) /* options, or more of an rcode */
                return 0;
            continue;
        }
        ttl = least(ttl, read_ttl(&rec));
        has_answer = has_answer || (rec.section == 1 && rec.type == q->type);
        if (rec.section == 2 && rec.type == OM_DNS_SOA)
            negative = least(least(read_ttl(&rec), soa_minimum(&rec)), OM_DNS_NEGATIVE_MAX);
    }
    if (w.bad != OM_DNS_BAD_NONE)
        return 0;
    if (has_answer && rcode == OM_DNS_NOERROR)
        return ttl > OM_DNS_TTL_LEAST ? ttl : OM_DNS_TTL_LEAST;
    return least(ttl, negative);
}

bool om_dns_cache_put(struct om_dns_cache *c, om_time now, const struct om_dns_question *q,
                      struct om_bytes answer)
{
    uint32_t seconds = answer.n <= OM_DNS_CACHED_MAX ? lifetime(q, answer) : 0;
    struct key k = key_of(q);
    uint8_t *copy = seconds > 0 ? malloc(answer.n) : NULL;

    if (!copy)
        return false;
    memcpy(copy, answer.p, answer.n);
    drop(c, &k);
    while (om_lru_count(&c->answers) >= OM_DNS_CACHE_MAX ||
           c->bytes + answer.n > OM_DNS_CACHE_BYTES_MAX)
        (void)drop_oldest(c);
    struct kept *kept = om_lru_put(&c->answers, &k, NULL);
    if (!kept) {
        free(copy);
        return false;
    }
    *kept = (struct kept){copy, answer.n, now, now + OM_SEC(seconds)};
    c->bytes += answer.n;
    return true;
}

/* The id, the flags and the case of who asks. */
static void make_theirs(uint8_t *answer, const struct om_dns_question *q)
{
    struct om_wr w = om_wr(om_mut(answer, OM_DNS_HEAD + (size_t)q->name.n));
    uint16_t flags = (uint16_t)(answer[2] << 8 | answer[3]);

    om_wr_u16(&w, q->id);
    om_wr_u16(&w, (uint16_t)((flags & ~OM_DNS_AA & ~OM_DNS_RD & 0xffff) | (q->flags & OM_DNS_RD)));
    (void)om_wr_room(&w, OM_DNS_HEAD - 4);
    om_wr_copy(&w, q->name.b, q->name.n);
}

static bool is_about(const struct kept *kept, const struct om_dns_question *q)
{
    struct om_dns_question a;
    struct om_dns_walk w;

    return om_dns_walk_start(&w, &a, om_bytes(kept->answer, kept->n)) == OM_DNS_BAD_NONE &&
           om_dns_name_same(&a.name, &q->name);
}

size_t om_dns_cache_get(struct om_dns_cache *c, om_time now, const struct om_dns_question *q,
                        struct om_mut out)
{
    struct key k = key_of(q);
    const struct kept *kept = om_lru_find(&c->answers, &k);

    if (kept && kept->until <= now) {
        drop(c, &k);
        kept = NULL;
    }
    if (!kept || kept->n > out.n || !is_about(kept, q)) {
        c->misses++;
        return 0;
    }
    om_time age = now > kept->at ? now - kept->at : 0;
    memcpy(out.p, kept->answer, kept->n);
    make_theirs(out.p, q);
    (void)om_dns_age(om_mut(out.p, kept->n), (uint32_t)(age / OM_SEC(1)), OM_DNS_TTL_MAX);
    c->hits++;
    return kept->n;
}
