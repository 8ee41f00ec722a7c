/* test_dns.c - DNS messages and the cache. */
#include "harness.h"

#include <stdio.h>

#include "craft.h"
#include "dns/cache.h"

enum { MAX = 2048 };

static uint8_t b[MAX];
static struct om_wr w;
static const uint8_t sip_key[OM_SIP_KEY] = {1, 2, 3};

static struct om_dns_name name(const char *text)
{
    struct om_dns_name n;

    CHECK(om_dns_name_from(&n, text));
    return n;
}

static void head(uint16_t id, uint16_t flags, uint16_t an, uint16_t ns, uint16_t ar)
{
    w = om_wr(om_mut(b, sizeof b));
    om_wr_u16(&w, id);
    om_wr_u16(&w, flags);
    om_wr_u16(&w, 1);
    om_wr_u16(&w, an);
    om_wr_u16(&w, ns);
    om_wr_u16(&w, ar);
}

static void ask(const char *text, uint16_t type)
{
    struct om_dns_name n = name(text);

    om_wr_copy(&w, n.b, n.n);
    om_wr_u16(&w, type);
    om_wr_u16(&w, OM_DNS_IN);
}

/* A record of the question's name, by pointer. */
static void record(uint16_t type, uint32_t ttl, const void *data, uint16_t n)
{
    om_wr_u16(&w, 0xc00c);
    om_wr_u16(&w, type);
    om_wr_u16(&w, OM_DNS_IN);
    om_wr_u32(&w, ttl);
    om_wr_u16(&w, n);
    om_wr_copy(&w, data, n);
}

static void opt(uint16_t size, uint32_t ttl, uint16_t options)
{
    om_wr_u8(&w, 0);
    om_wr_u16(&w, OM_DNS_OPT);
    om_wr_u16(&w, size);
    om_wr_u32(&w, ttl);
    om_wr_u16(&w, options);
    om_wr_zero(&w, options);
}

static struct om_bytes message(void)
{
    CHECK(!w.bad);
    return om_bytes(b, om_wr_len(&w));
}

static struct om_dns_question question(const char *text, uint16_t type, uint16_t id)
{
    struct om_dns_question q;

    head(id, OM_DNS_RD, 0, 0, 0);
    ask(text, type);
    CHECK_EQ(om_dns_question_parse(&q, message()), OM_DNS_BAD_NONE);
    return q;
}

OM_TEST(dns_reads_a_question)
{
    struct om_dns_question q = question("wWw.eXample.org", OM_DNS_AAAA, 77);
    struct om_dns_name n = name("wWw.eXample.org"), other = name("www.example.ORG");

    CHECK_EQ(q.id, 77);
    CHECK_EQ(q.type, OM_DNS_AAAA);
    CHECK_EQ(q.klass, OM_DNS_IN);
    CHECK(!q.has_edns);
    CHECK_EQ(q.name.n, n.n);
    CHECK_MEM(q.name.b, n.b, n.n);
    CHECK(om_dns_name_same(&n, &other));
    CHECK_EQ(om_dns_room(&q), 512);
    head(1, 0, 0, 0, 1);
    ask("a", OM_DNS_A);
    opt(4096, 0x8000, 0);
    CHECK_EQ(om_dns_question_parse(&q, message()), OM_DNS_BAD_NONE);
    CHECK(q.has_edns && q.is_dnssec);
    CHECK_EQ(q.udp_max, 4096);
    CHECK_EQ(om_dns_room(&q), OM_DNS_UDP_MAX);
}

static void check_bad(enum om_dns_bad want)
{
    struct om_dns_question q = {.id = 99};

    CHECK_EQ(om_dns_question_parse(&q, message()), want);
    CHECK_EQ(q.id, 99);
}

OM_TEST(dns_refuses_bad_questions)
{
    struct om_dns_question q;

    head(1, 0, 0, 0, 0);
    ask("www.example.org", OM_DNS_A);
    CHECK_EQ(om_dns_question_parse(&q, message()), OM_DNS_BAD_NONE);
    for (size_t n = 0; n < message().n; n++)
        CHECK_EQ(om_dns_question_parse(&q, om_bytes(b, n)), OM_DNS_BAD_SHORT);
    head(1, OM_DNS_QR, 0, 0, 0);
    ask("a", OM_DNS_A);
    check_bad(OM_DNS_BAD_KIND);
    head(1, 0x2800, 0, 0, 0); /* an update */
    ask("a", OM_DNS_A);
    check_bad(OM_DNS_BAD_KIND);
    head(1, 0, 1, 0, 0);
    ask("a", OM_DNS_A);
    record(OM_DNS_A, 1, "abcd", 4);
    check_bad(OM_DNS_BAD_COUNT);
    head(1, 0, 0, 0, OM_DNS_RECORDS_MAX + 1);
    ask("a", OM_DNS_A);
    check_bad(OM_DNS_BAD_COUNT);
    head(1, 0, 0, 0, 0);
    b[5] = 2;
    ask("a", OM_DNS_A);
    check_bad(OM_DNS_BAD_COUNT);
    head(1, 0, 0, 0, 2);
    ask("a", OM_DNS_A);
    opt(512, 0, 0);
    opt(512, 0, 0);
    check_bad(OM_DNS_BAD_RECORD);
    head(1, 0, 0, 0, 1);
    ask("a", OM_DNS_A);
    record(OM_DNS_OPT, 0, "", 0); /* with a name */
    check_bad(OM_DNS_BAD_RECORD);
}

OM_TEST(dns_names_are_bounded)
{
    struct om_dns_name n;
    char text[300];

    memset(text, 'a', sizeof text);
    text[63] = text[127] = text[191] = '.';
    text[253] = '\0'; /* 63 + 63 + 63 + 61 and their lengths: 255 with the root */
    CHECK(om_dns_name_from(&n, text));
    CHECK_EQ(n.n, 255);
    struct om_rd r = om_rd(om_bytes(n.b, n.n));
    struct om_dns_name again;
    CHECK_EQ(om_dns_name_read(&again, &r, om_bytes(n.b, n.n)), OM_DNS_BAD_NONE);
    CHECK(om_rd_done(&r) && om_dns_name_same(&n, &again));
    text[253] = 'a';
    text[254] = '\0';
    CHECK(!om_dns_name_from(&n, text));
    text[63] = 'a';
    CHECK(!om_dns_name_from(&n, text));
    CHECK(!om_dns_name_from(&n, "") && !om_dns_name_from(&n, "a..b") &&
          !om_dns_name_from(&n, "a..") && !om_dns_name_from(&n, "."));
    CHECK(om_dns_name_from(&n, "a.") && n.n == 3); /* the dot of the root */
    static const uint8_t labels[][4] = {{0xc0, 12}, {0xc0, 14}, {0xc0, 0},
                                        {0x40, 0},  {0x80, 0},  {1, 'a', 0xc0, 12}};
    for (size_t i = 0; i < OM_ARRAY_SIZE(labels); i++) { /* to itself, onward, the head, no kind */
        head(1, 0, 0, 0, 0);
        om_wr_copy(&w, labels[i], 4);
        om_wr_zero(&w, 20);
        check_bad(OM_DNS_BAD_NAME);
    }
}

static struct om_bytes answer(const char *text, uint16_t id, uint32_t ttl)
{
    head(id, OM_DNS_QR | OM_DNS_RD | OM_DNS_RA, 2, 0, 1);
    ask(text, OM_DNS_A);
    record(OM_DNS_A, ttl, "\x01\x02\x03\x04", 4);
    record(OM_DNS_A, ttl + 10, "\x01\x02\x03\x05", 4);
    opt(1232, 0x1234, 0);
    return message();
}

static unsigned walk(struct om_bytes in, uint32_t ttls[4])
{
    struct om_dns_question q;
    struct om_dns_walk walked;
    struct om_dns_record rec;
    unsigned n = 0;

    CHECK_EQ(om_dns_walk_start(&walked, &q, in), OM_DNS_BAD_NONE);
    while (om_dns_walk_next(&walked, &rec)) {
        CHECK_EQ(rec.section, rec.type == OM_DNS_OPT ? 3 : 1);
        CHECK(rec.type == OM_DNS_OPT || om_dns_name_same(&rec.name, &q.name));
        ttls[n++] = rec.ttl;
    }
    CHECK_EQ(walked.bad, OM_DNS_BAD_NONE);
    return n;
}

OM_TEST(dns_walks_every_record)
{
    uint32_t ttls[4];
    struct om_dns_question q;
    struct om_dns_walk walked;
    struct om_dns_record rec;
    struct om_bytes in = answer("a.b", 1, 100);

    CHECK_EQ(walk(in, ttls), 3);
    CHECK(ttls[0] == 100 && ttls[1] == 110 && ttls[2] == 0x1234);
    for (size_t n = 0; n < in.n; n++) {
        if (om_dns_walk_start(&walked, &q, om_bytes(in.p, n)) == OM_DNS_BAD_NONE)
            while (om_dns_walk_next(&walked, &rec))
                ;
        CHECK_EQ(walked.bad, OM_DNS_BAD_SHORT);
    }
}

OM_TEST(dns_ages_ttls)
{
    uint32_t ttls[4];
    struct om_bytes in = answer("a.b", 1, 100);

    CHECK_EQ(om_dns_age(om_mut(b, in.n), 105, 1000), OM_DNS_BAD_NONE);
    CHECK_EQ(walk(in, ttls), 3);
    CHECK(ttls[0] == 0 && ttls[1] == 5 && ttls[2] == 0x1234);
    in = answer("a.b", 1, 0x80000000); /* RFC 2181: as if it were 0 */
    CHECK_EQ(om_dns_age(om_mut(b, in.n), 0, 1000), OM_DNS_BAD_NONE);
    (void)walk(in, ttls);
    CHECK_EQ(ttls[0], 0);
    in = answer("a.b", 1, 5000);
    CHECK_EQ(om_dns_age(om_mut(b, in.n), 0, 1000), OM_DNS_BAD_NONE);
    (void)walk(in, ttls);
    CHECK_EQ(ttls[0], 1000);
}

OM_TEST(dns_answer_must_be_the_questions)
{
    struct om_dns_question q = question("wWw.eXample.org", OM_DNS_A, 77);

    CHECK(om_dns_is_answer(&q, answer("wWw.eXample.org", 77, 1)));
    CHECK(!om_dns_is_answer(&q, answer("wWw.eXample.org", 78, 1)));
    CHECK(!om_dns_is_answer(&q, answer("www.example.org", 77, 1)));
    CHECK(!om_dns_is_answer(&q, answer("wWw.eXample.com", 77, 1)));
    (void)answer("wWw.eXample.org", 77, 1);
    b[2] = 0; /* a question */
    CHECK(!om_dns_is_answer(&q, message()));
}

OM_TEST(dns_reply_is_what_was_asked)
{
    static const enum om_dns_rcode codes[] = {OM_DNS_NOERROR, OM_DNS_SERVFAIL, OM_DNS_NXDOMAIN,
                                              OM_DNS_REFUSED};
    struct om_addr addrs[2] = {craft_ip("192.0.2.1"), craft_ip("2001:db8::1")};
    struct om_dns_question q = question("wWw.eXample.org", OM_DNS_AAAA, 77);
    struct om_dns_reply r = {.addrs = addrs, .n_addrs = 2, .ttl = 60};
    uint8_t out[512];
    uint32_t ttls[4];

    size_t n = om_dns_reply_write(om_mut(out, sizeof out), &q, &r);
    CHECK(om_dns_is_answer(&q, om_bytes(out, n)));
    CHECK_EQ(walk(om_bytes(out, n), ttls), 1);
    CHECK_EQ(ttls[0], 60);
    CHECK_MEM(out + n - 16, addrs[1].ip, 16);
    for (size_t i = 0; i < OM_ARRAY_SIZE(codes); i++) {
        r = (struct om_dns_reply){.rcode = codes[i]};
        n = om_dns_reply_write(om_mut(out, sizeof out), &q, &r);
        CHECK(om_dns_is_answer(&q, om_bytes(out, n)));
        CHECK_EQ(out[3] & OM_DNS_RCODE, codes[i]);
        CHECK_EQ(walk(om_bytes(out, n), ttls), 0);
    }
    q.has_edns = true;
    n = om_dns_reply_write(om_mut(out, sizeof out), &q, &r);
    CHECK_EQ(walk(om_bytes(out, n), ttls), 1); /* EDNS0 is answered with it */
}

OM_TEST(dns_reply_is_cut)
{
    struct om_addr addrs[40];
    struct om_dns_question q = question("www.example.org", OM_DNS_A, 77);
    struct om_dns_reply r = {.addrs = addrs, .n_addrs = 40};
    uint8_t out[2048];
    uint32_t ttls[4];

    for (uint32_t i = 0; i < 40; i++)
        addrs[i] = om_addr_v4(i, 0);
    size_t n = om_dns_reply_write(om_mut(out, OM_DNS_UDP_LEAST), &q, &r);
    CHECK(om_dns_is_answer(&q, om_bytes(out, n)));
    CHECK(out[2] & OM_DNS_TC >> 8);
    CHECK_EQ(walk(om_bytes(out, n), ttls), 0);
    CHECK(om_dns_reply_write(om_mut(out, sizeof out), &q, &r) > n);
    CHECK(!(out[2] & OM_DNS_TC >> 8) && out[7] == 40);
    CHECK_EQ(om_dns_reply_write(om_mut(out, 20), &q, &r), 0);
}

OM_TEST(dns_cuts_what_does_not_fit)
{
    struct om_addr addrs[40];
    struct om_dns_question q = question("www.example.org", OM_DNS_A, 77);
    struct om_dns_reply r = {.addrs = addrs, .n_addrs = 40};
    uint8_t whole[2048], room[OM_DNS_UDP_LEAST];
    uint32_t ttls[4];

    for (uint32_t i = 0; i < 40; i++)
        addrs[i] = om_addr_v4(i, 0);
    struct om_bytes answer =
        om_bytes(whole, om_dns_reply_write(om_mut(whole, sizeof whole), &q, &r));
    CHECK(answer.n > OM_DNS_UDP_LEAST);
    struct om_bytes cut = om_dns_cut(om_mut(room, sizeof room), &q, answer);
    CHECK(om_dns_is_answer(&q, cut) && cut.n <= OM_DNS_UDP_LEAST);
    CHECK(cut.p[2] & OM_DNS_TC >> 8);
    CHECK_EQ(walk(cut, ttls), 0);
    q.has_edns = true;
    q.udp_max = OM_DNS_UDP_MAX;
    cut = om_dns_cut(om_mut(room, sizeof room), &q, answer);
    CHECK(cut.p == answer.p && cut.n == answer.n);
}

OM_TEST(dns_writes_a_question_anew)
{
    struct om_dns_question q = question("WWW.example.org", OM_DNS_AAAA, 77), again;
    uint8_t wire[OM_DNS_UDP_LEAST];

    for (unsigned i = 0; i < 4; i++) {
        q.has_edns = i & 1;
        q.is_dnssec = q.has_edns && (i & 2);
        q.flags = i & 2 ? OM_DNS_RD | OM_DNS_CD : OM_DNS_RD | OM_DNS_AD;
        size_t n = om_dns_question_write(om_mut(wire, sizeof wire), &q);
        CHECK_EQ(om_dns_question_parse(&again, om_bytes(wire, n)), OM_DNS_BAD_NONE);
        CHECK(again.id == 77 && again.type == OM_DNS_AAAA && again.flags == q.flags);
        CHECK(again.has_edns == q.has_edns && again.is_dnssec == q.is_dnssec);
        CHECK_MEM(again.name.b, q.name.b, q.name.n);
        CHECK_EQ(om_dns_question_write(om_mut(wire, n - 1), &q), 0);
    }
}

OM_TEST(dns_says_why)
{
    struct om_dns_question q = question("a.b", OM_DNS_A, 1);
    const struct om_dns_reply no = {.rcode = OM_DNS_REFUSED, .why = "not for you"};
    uint8_t wire[OM_DNS_UDP_LEAST];
    struct om_dns_record rec;
    struct om_dns_walk walked;
    size_t plain = om_dns_reply_write(om_mut(wire, sizeof wire), &q, &no);

    q.has_edns = true;
    size_t n = om_dns_reply_write(om_mut(wire, sizeof wire), &q, &no);
    CHECK_EQ(n, plain + 11 + 6 + strlen(no.why));
    CHECK_EQ(om_dns_walk_start(&walked, &q, om_bytes(wire, n)), OM_DNS_BAD_NONE);
    CHECK(om_dns_walk_next(&walked, &rec) && rec.type == OM_DNS_OPT);
    CHECK(!om_dns_walk_next(&walked, &rec) && walked.bad == OM_DNS_BAD_NONE);
    CHECK_MEM(wire + n - strlen(no.why), no.why, strlen(no.why));
    q = question("a.b", OM_DNS_A, 1);
    n = om_dns_reply_write(om_mut(wire, sizeof wire), &q, &(struct om_dns_reply){.is_cut = true});
    CHECK(n == plain && (wire[2] & OM_DNS_TC >> 8));
}

OM_TEST(dns_refuses_what_it_cannot_read)
{
    uint8_t wire[OM_DNS_UDP_LEAST];
    struct om_mut room = om_mut(wire, sizeof wire);

    head(9, OM_DNS_RD, 0, 0, 0); /* promises a question */
    CHECK_EQ(om_dns_refusal_write(room, message()), OM_DNS_HEAD);
    CHECK_MEM(wire, "\0\11\x81\1\0\0\0\0\0\0\0\0", OM_DNS_HEAD);
    head(9, 4 << 11, 0, 0, 0);
    CHECK_EQ(om_dns_refusal_write(room, message()), OM_DNS_HEAD);
    CHECK_EQ(wire[3], OM_DNS_NOTIMP);
    head(9, OM_DNS_QR, 0, 0, 0);
    CHECK_EQ(om_dns_refusal_write(room, message()), 0);
    head(9, 0, 0, 0, 0);
    CHECK_EQ(om_dns_refusal_write(room, om_bytes(b, OM_DNS_HEAD - 1)), 0);
}

static struct om_dns_cache cache;
static uint8_t out[512];

OM_TEST(cache_answers_again)
{
    struct om_dns_question q = question("a.b", OM_DNS_A, 1), later;

    CHECK_OK(om_dns_cache_init(&cache, sip_key));
    CHECK_EQ(om_dns_cache_get(&cache, 0, &q, om_mut(out, sizeof out)), 0);
    OM_TRY(om_dns_cache_put(&cache, 0, &q, answer("a.b", 1, 60)));
    later = question("a.b", OM_DNS_A, 9);
    size_t n = om_dns_cache_get(&cache, 1, &later, om_mut(out, sizeof out));
    CHECK(n > 0 && om_dns_is_answer(&later, om_bytes(out, n)));
    CHECK_EQ(om_dns_cache_get(&cache, 1, &later, om_mut(out, n - 1)), 0);
    later = question("a.b", OM_DNS_AAAA, 9);
    CHECK_EQ(om_dns_cache_get(&cache, 1, &later, om_mut(out, sizeof out)), 0);
    CHECK(cache.hits == 1 && cache.misses == 3);
out:
    om_dns_cache_fini(&cache);
}

OM_TEST(cache_ages_what_it_gives)
{
    struct om_dns_question q = question("a.b", OM_DNS_A, 1);
    uint32_t ttls[4] = {0};

    CHECK_OK(om_dns_cache_init(&cache, sip_key));
    OM_TRY(om_dns_cache_put(&cache, 0, &q, answer("a.b", 1, 60)));
    size_t n = om_dns_cache_get(&cache, OM_SEC(59), &q, om_mut(out, sizeof out));
    CHECK(n > 0 && walk(om_bytes(out, n), ttls) == 3);
    CHECK(ttls[0] == 1 && ttls[1] == 11 && ttls[2] == 0x1234);
    CHECK_EQ(om_dns_cache_get(&cache, OM_SEC(60), &q, om_mut(out, sizeof out)), 0);
    CHECK_EQ(cache.bytes, 0);
out:
    om_dns_cache_fini(&cache);
}

OM_TEST(cache_keeps_the_case_of_the_question)
{
    struct om_dns_question q = question("a.b", OM_DNS_A, 1), mixed;

    CHECK_OK(om_dns_cache_init(&cache, sip_key));
    OM_TRY(om_dns_cache_put(&cache, 0, &q, answer("a.b", 1, 60)));
    mixed = question("A.b", OM_DNS_A, 2);
    size_t n = om_dns_cache_get(&cache, 0, &mixed, om_mut(out, sizeof out));
    CHECK(n > 0 && om_dns_is_answer(&mixed, om_bytes(out, n)));
out:
    om_dns_cache_fini(&cache);
}

OM_TEST(cache_clamps_ttls)
{
    struct om_dns_question q = question("a.b", OM_DNS_A, 1);

    CHECK_OK(om_dns_cache_init(&cache, sip_key));
    OM_TRY(om_dns_cache_put(&cache, 0, &q, answer("a.b", 1, 0)));
    CHECK(om_dns_cache_get(&cache, OM_SEC(1) - 1, &q, om_mut(out, sizeof out)) > 0);
    CHECK_EQ(om_dns_cache_get(&cache, OM_SEC(1), &q, om_mut(out, sizeof out)), 0);
    OM_TRY(om_dns_cache_put(&cache, 0, &q, answer("a.b", 1, 1000000)));
    CHECK(om_dns_cache_get(&cache, OM_SEC(86400) - 1, &q, om_mut(out, sizeof out)) > 0);
    CHECK_EQ(om_dns_cache_get(&cache, OM_SEC(86400), &q, om_mut(out, sizeof out)), 0);
out:
    om_dns_cache_fini(&cache);
}

/* No such name, with an SOA of @ttl and @minimum. */
static struct om_bytes negative(uint32_t ttl, uint8_t minimum)
{
    uint8_t soa[22] = {[21] = minimum};

    head(1, OM_DNS_QR | OM_DNS_NXDOMAIN, 0, 1, 0);
    ask("a.b", OM_DNS_A);
    record(OM_DNS_SOA, ttl, soa, sizeof soa);
    return message();
}

OM_TEST(cache_keeps_negative_answers_shortly)
{
    struct om_dns_question q = question("a.b", OM_DNS_A, 1);
    static const struct {
        uint32_t ttl;
        uint8_t minimum;
        unsigned want;
    } cases[] = {{100, 7, 7}, {7, 100, 7}, {100000, 255, 255}};

    CHECK_OK(om_dns_cache_init(&cache, sip_key));
    for (size_t i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        om_time end = OM_SEC(cases[i].want);

        OM_TRY(om_dns_cache_put(&cache, 0, &q, negative(cases[i].ttl, cases[i].minimum)));
        CHECK(om_dns_cache_get(&cache, end - 1, &q, om_mut(out, sizeof out)) > 0);
        CHECK_EQ(om_dns_cache_get(&cache, end, &q, om_mut(out, sizeof out)), 0);
    }
    (void)negative(100000, 0);
    b[om_wr_len(&w) - 2] = 2; /* 512 s */
    OM_TRY(om_dns_cache_put(&cache, 0, &q, message()));
    CHECK(om_dns_cache_get(&cache, OM_SEC(300) - 1, &q, om_mut(out, sizeof out)) > 0);
    CHECK_EQ(om_dns_cache_get(&cache, OM_SEC(300), &q, om_mut(out, sizeof out)), 0);
out:
    om_dns_cache_fini(&cache);
}

OM_TEST(cache_refuses_the_unfit)
{
    struct om_dns_question q = question("a.b", OM_DNS_A, 1);

    CHECK_OK(om_dns_cache_init(&cache, sip_key));
    CHECK(!om_dns_cache_put(&cache, 0, &q, answer("a.b", 2, 60)));
    CHECK(!om_dns_cache_put(&cache, 0, &q, answer("a.c", 1, 60)));
    (void)answer("a.b", 1, 60);
    b[2] |= OM_DNS_TC >> 8;
    CHECK(!om_dns_cache_put(&cache, 0, &q, message()));
    (void)answer("a.b", 1, 60);
    b[3] |= OM_DNS_SERVFAIL;
    CHECK(!om_dns_cache_put(&cache, 0, &q, message()));
    head(1, OM_DNS_QR | OM_DNS_NXDOMAIN, 0, 0, 0); /* no SOA */
    ask("a.b", OM_DNS_A);
    CHECK(!om_dns_cache_put(&cache, 0, &q, message()));
    head(1, OM_DNS_QR, 1, 0, 1);
    ask("a.b", OM_DNS_A);
    record(OM_DNS_A, 60, "abcd", 4);
    opt(1232, 0, 8); /* a cookie or its like */
    CHECK(!om_dns_cache_put(&cache, 0, &q, message()));
    struct om_bytes whole = answer("a.b", 1, 60);
    CHECK(!om_dns_cache_put(&cache, 0, &q, om_bytes(whole.p, whole.n - 1)));
    CHECK_EQ(om_lru_count(&cache.answers), 0);
    OM_TRY(om_dns_cache_put(&cache, 0, &q, whole));
out:
    om_dns_cache_fini(&cache);
}

OM_TEST(cache_tells_edns_apart)
{
    struct om_dns_question q = question("a.b", OM_DNS_A, 1), with = q;

    with.has_edns = true;
    CHECK_OK(om_dns_cache_init(&cache, sip_key));
    OM_TRY(om_dns_cache_put(&cache, 0, &with, answer("a.b", 1, 60)));
    CHECK_EQ(om_dns_cache_get(&cache, 0, &q, om_mut(out, sizeof out)), 0);
    CHECK(om_dns_cache_get(&cache, 0, &with, om_mut(out, sizeof out)) > 0);
out:
    om_dns_cache_fini(&cache);
}

OM_TEST(cache_is_bounded)
{
    static uint8_t big[OM_DNS_CACHED_MAX + 1];
    char text[16] = "a000";

    CHECK_OK(om_dns_cache_init(&cache, sip_key));
    for (unsigned i = 0; i < 100; i++) {
        text[1] = (char)('a' + i / 10);
        text[2] = (char)('a' + i % 10);
        struct om_dns_question q = question(text, OM_DNS_A, 1);
        struct om_bytes in = answer(text, 1, 60);

        memset(big, 0, sizeof big);
        memcpy(big, in.p, in.n);
        CHECK(!om_dns_cache_put(&cache, 0, &q, om_bytes(big, sizeof big)));
        OM_TRY(om_dns_cache_put(&cache, 0, &q, om_bytes(big, OM_DNS_CACHED_MAX)));
        CHECK(cache.bytes <= OM_DNS_CACHE_BYTES_MAX);
    }
    CHECK_EQ(om_lru_count(&cache.answers), OM_DNS_CACHE_BYTES_MAX / OM_DNS_CACHED_MAX);
out:
    om_dns_cache_fini(&cache);
}

OM_TEST(cache_forgets_what_was_not_asked_for)
{
    char text[16];

    CHECK_OK(om_dns_cache_init(&cache, sip_key));
    for (unsigned i = 0; i <= OM_DNS_CACHE_MAX; i++) {
        snprintf(text, sizeof text, "a%u", i);
        struct om_dns_question q = question(text, OM_DNS_A, 1), first = question("a0", OM_DNS_A, 1);

        OM_TRY(om_dns_cache_put(&cache, 0, &q, answer(text, 1, 60)));
        CHECK(om_dns_cache_get(&cache, 0, &first, om_mut(out, sizeof out)) > 0);
    }
    CHECK_EQ(om_lru_count(&cache.answers), OM_DNS_CACHE_MAX);
    struct om_dns_question gone = question("a1", OM_DNS_A, 1);
    CHECK_EQ(om_dns_cache_get(&cache, 0, &gone, om_mut(out, sizeof out)), 0);
out:
    om_dns_cache_fini(&cache);
}
