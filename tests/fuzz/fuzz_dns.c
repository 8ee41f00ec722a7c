/*
 * fuzz_dns.c - any bytes as a query, and as an answer to it
 *
 * The first byte says how many bytes are the query. A query is answered by the zone and with a
 * refusal, and asked of others; what is no query is refused in a head. What the cache keeps comes
 * back as an answer to the same question.
 */
#include <string.h>

#include "dns/cache.h"
#include "dns/zone.h"
#include "fuzz.h"

static uint8_t out[65536];

static void check_reply(const struct om_dns_question *q, size_t n)
{
    struct om_dns_question again;
    struct om_dns_walk w;
    struct om_dns_record rec;

    if (n == 0)
        return;
    FUZZ_MUST(om_dns_is_answer(q, om_bytes(out, n)));
    FUZZ_MUST(om_dns_walk_start(&w, &again, om_bytes(out, n)) == OM_DNS_BAD_NONE);
    while (om_dns_walk_next(&w, &rec))
        FUZZ_MUST(rec.section <= 3 && rec.name.n > 0);
    FUZZ_MUST(w.bad == OM_DNS_BAD_NONE && om_rd_left(&w.r) == 0);
}

static void one_answer(const struct om_dns_question *q, struct om_bytes answer)
{
    static const uint8_t sip_key[OM_SIP_KEY] = {1};
    struct om_dns_cache c;

    FUZZ_MUST(om_dns_cache_init(&c, sip_key) == OM_OK);
    if (om_dns_cache_put(&c, 0, q, answer)) {
        size_t n = om_dns_cache_get(&c, OM_MS(500), q, om_mut(out, sizeof out));

        FUZZ_MUST(n == answer.n && om_dns_is_answer(q, om_bytes(out, n)));
        FUZZ_MUST(om_dns_cache_get(&c, OM_SEC(OM_DNS_TTL_MAX), q, om_mut(out, sizeof out)) == 0);
    }
    om_dns_cache_fini(&c);
}

/* What is asked of others is read as the same question. */
static void ask_again(const struct om_dns_question *q)
{
    struct om_dns_question again;
    size_t n = om_dns_question_write(om_mut(out, OM_DNS_UDP_LEAST), q);

    FUZZ_MUST(n > 0 && om_dns_question_parse(&again, om_bytes(out, n)) == OM_DNS_BAD_NONE);
    FUZZ_MUST(again.id == q->id && again.type == q->type && again.klass == q->klass &&
              again.has_edns == q->has_edns && again.is_dnssec == q->is_dnssec &&
              again.name.n == q->name.n && memcmp(again.name.b, q->name.b, q->name.n) == 0);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    const struct om_addr addrs[] = {om_addr_v4(0x0a090001, 0), {.ip = {0xfd, [15] = 1}}};
    const struct om_zone_host host = {
        .peer = "alice", .network = "home", .addrs = addrs, .n_addrs = 2, .txt = "id=a"};
    const struct om_zone zone = {.hosts = &host, .n = 1, .only = "home"};
    const struct om_dns_reply refusal = {.rcode = OM_DNS_REFUSED, .why = "not for you"};
    struct om_dns_question q;

    if (size == 0)
        return 0;
    size_t n = data[0] < size - 1 ? data[0] : size - 1;
    uint8_t *query = fuzz_copy(data + 1, n), *answer = fuzz_copy(data + 1 + n, size - 1 - n);
    if (om_dns_question_parse(&q, om_bytes(query, n)) == OM_DNS_BAD_NONE) {
        check_reply(&q, om_zone_answer(om_mut(out, om_dns_room(&q)), &zone, &q));
        size_t cut = om_dns_reply_write(om_mut(out, OM_DNS_UDP_LEAST), &q, &refusal);
        FUZZ_MUST(cut > 0);
        check_reply(&q, cut);
        (void)om_dns_name_is_private(&q.name);
        one_answer(&q, om_bytes(answer, size - 1 - n));
        ask_again(&q);
    } else {
        size_t told = om_dns_refusal_write(om_mut(out, OM_DNS_HEAD), om_bytes(query, n));
        FUZZ_MUST(told == 0 || (told == OM_DNS_HEAD && memcmp(out, query, 2) == 0));
    }
    (void)om_dns_age(om_mut(answer, size - 1 - n), 5, 1000);
    free(query);
    free(answer);
    return 0;
}
