/* test_zone.c - our names. */
#include "harness.h"

#include "craft.h"
#include "dns/zone.h"

static struct om_dns_name name(const char *text)
{
    struct om_dns_name n;

    CHECK(om_dns_name_from(&n, text));
    return n;
}

static struct om_dns_question question(const char *text, uint16_t type, uint16_t id)
{
    return (struct om_dns_question){
        .id = id, .flags = OM_DNS_RD, .name = name(text), .type = type, .klass = OM_DNS_IN};
}

static struct om_addr alice[2], bob[1];
static const struct om_zone_host hosts[] = {
    {.peer = "alice", .network = "home", .addrs = alice, .n_addrs = 2, .txt = "id=a"},
    {.peer = "bob", .network = "work", .addrs = bob, .n_addrs = 1}};
static const struct om_zone zone = {.hosts = hosts, .n = 2};
static uint8_t out[512];

static void fill(void)
{
    alice[0] = craft_ip("10.9.0.1");
    alice[1] = craft_ip("fd00::1");
    bob[0] = craft_ip("10.9.0.2");
}

static size_t zone_ask(const char *text, uint16_t type)
{
    struct om_dns_question q = question(text, type, 5);

    fill();
    size_t n = om_zone_answer(om_mut(out, sizeof out), &zone, &q);
    CHECK(n == 0 || om_dns_is_answer(&q, om_bytes(out, n)));
    return n;
}

OM_TEST(zone_answers_addresses)
{
    size_t n = zone_ask("alice.home.omerta", OM_DNS_A);

    CHECK(n > 0 && out[7] == 1 && (out[2] & OM_DNS_AA >> 8));
    CHECK_MEM(out + n - 4, alice[0].ip + 12, 4);
    n = zone_ask("alice.home.omerta", OM_DNS_AAAA);
    CHECK_MEM(out + n - 16, alice[1].ip, 16);
}

OM_TEST(zone_keeps_the_case)
{
    struct om_dns_name n = name("aLiCe.HOME.oMerta");

    CHECK(zone_ask("aLiCe.HOME.oMerta", OM_DNS_A) > 0 && out[7] == 1);
    CHECK_MEM(out + OM_DNS_HEAD, n.b, n.n);
}

OM_TEST(zone_tells_nothing_from_no_such_name)
{
    static const struct {
        const char *name;
        uint16_t type;
        enum om_dns_rcode want;
    } cases[] = {
        {"bob.work.omerta", OM_DNS_AAAA, OM_DNS_NOERROR},
        {"omerta", OM_DNS_A, OM_DNS_NOERROR},
        {"work.omerta", OM_DNS_A, OM_DNS_NOERROR},
        {"bob.home.omerta", OM_DNS_A, OM_DNS_NXDOMAIN},
        {"x.omerta", OM_DNS_A, OM_DNS_NXDOMAIN},
        {"a.bob.work.omerta", OM_DNS_A, OM_DNS_NXDOMAIN},
    };
    struct om_dns_question q;
    struct om_dns_walk walked;
    struct om_dns_record rec;

    for (size_t i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        size_t n = zone_ask(cases[i].name, cases[i].type);

        CHECK(n > 0);
        CHECK_EQ(out[3] & OM_DNS_RCODE, cases[i].want);
        CHECK_EQ(om_dns_walk_start(&walked, &q, om_bytes(out, n)), OM_DNS_BAD_NONE);
        CHECK(om_dns_walk_next(&walked, &rec) && rec.type == OM_DNS_SOA && rec.section == 2);
        CHECK(!om_dns_walk_next(&walked, &rec) && walked.bad == OM_DNS_BAD_NONE);
    }
}

OM_TEST(zone_leaves_other_names)
{
    CHECK_EQ(zone_ask("www.example.org", OM_DNS_A), 0);
    CHECK_EQ(zone_ask("alice.home.omerta.org", OM_DNS_A), 0);
    CHECK_EQ(zone_ask("alice.home.xomerta", OM_DNS_A), 0);
    CHECK_EQ(zone_ask("3.0.9.10.in-addr.arpa", OM_DNS_PTR), 0);
}

OM_TEST(zone_answers_names)
{
    struct om_dns_name want = name("bob.work.omerta"), n;
    struct om_addr a;
    size_t len = zone_ask("2.0.9.10.in-addr.arpa", OM_DNS_PTR);

    CHECK(len > 0 && out[7] == 1);
    CHECK_MEM(out + len - want.n, want.b, want.n);
    n = name("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.D.f.ip6.arpa");
    CHECK(om_dns_name_addr(&a, &n));
    CHECK_MEM(a.ip, alice[1].ip, 16);
    static const char *const none[] = {"256.0.9.10.in-addr.arpa", "02.0.9.10.in-addr.arpa",
                                       "0.9.10.in-addr.arpa",     "a.0.9.10.in-addr.arpa",
                                       "1.2.0.9.10.in-addr.arpa", "1.0.ip6.arpa"};
    for (size_t i = 0; i < OM_ARRAY_SIZE(none); i++) {
        n = name(none[i]);
        CHECK(!om_dns_name_addr(&a, &n));
    }
}

OM_TEST(zone_answers_texts)
{
    size_t n = zone_ask("alice.home.omerta", OM_DNS_TXT);

    CHECK(n > 0 && out[7] == 1);
    CHECK_MEM(out + n - 5, "\4id=a", 5);
    n = zone_ask("bob.work.omerta", OM_DNS_TXT); /* has none */
    CHECK(n > 0 && out[7] == 0 && out[9] == 1);
}

OM_TEST(zone_leaves_out_the_only_network)
{
    const struct om_zone one = {.hosts = hosts, .n = 2, .only = "home"};
    struct om_dns_question q = question("alice.omerta", OM_DNS_A, 7);

    fill();
    CHECK(om_zone_answer(om_mut(out, sizeof out), &one, &q) > 0 && out[7] == 1);
    CHECK(om_zone_answer(om_mut(out, sizeof out), &zone, &q) > 0 && out[7] == 0);
    q = question("bob.omerta", OM_DNS_A, 7); /* is of another network */
    CHECK(om_zone_answer(om_mut(out, sizeof out), &one, &q) > 0);
    CHECK_EQ(out[3] & OM_DNS_RCODE, OM_DNS_NXDOMAIN);
}

/* Is @text that host's only address? NULL: nobody's. */
static bool leads_to(const struct om_zone *z, const char *text, const struct om_addr *to)
{
    struct om_dns_question q = question(text, OM_DNS_A, 7);
    size_t n = om_zone_answer(om_mut(out, sizeof out), z, &q);

    if (n == 0 || !to)
        return n > 0 && out[7] == 0 && (out[3] & OM_DNS_RCODE) == OM_DNS_NXDOMAIN;
    return out[7] == 1 && memcmp(out + n - 4, to->ip + 12, 4) == 0;
}

OM_TEST(zone_takes_the_start_of_an_id)
{
    static struct om_addr a[3];
    static const struct om_zone_host ids[] = {
        {.peer = "bcdefg", .network = "home", .addrs = &a[2], .n_addrs = 1},
        {.peer = "abcdyz", .network = "home", .addrs = &a[2], .n_addrs = 1},
        {.peer = "abcdex", .network = "home", .addrs = &a[0], .n_addrs = 1, .is_id = true},
        {.peer = "abcdyz", .network = "home", .addrs = &a[1], .n_addrs = 1, .is_id = true},
        {.peer = "bcdefghi", .network = "home", .addrs = &a[2], .n_addrs = 1, .is_id = true}};
    const struct om_zone z = {.hosts = ids, .n = 5, .only = "home"};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(a); i++)
        a[i] = om_addr_v4(0x0a090001 + i, 0);
    CHECK(leads_to(&z, "abcde.home.omerta", &a[0]));
    CHECK(leads_to(&z, "ABCDY.omerta", &a[1]));
    CHECK(leads_to(&z, "abcdyz.omerta", &a[1])); /* not who calls itself so */
    CHECK(leads_to(&z, "bcdefg.omerta", &a[2])); /* name and start of the same */
    CHECK(leads_to(&z, "abcd.omerta", NULL));    /* of two */
    CHECK(leads_to(&z, "bcd.omerta", NULL));     /* too short */
    const struct om_zone named = {
        .hosts = (const struct om_zone_host[]){ids[0], ids[4], ids[2]}, .n = 3, .only = "home"};
    CHECK(leads_to(&named, "abcd.omerta", &a[0])); /* the control: now it is nobody else's */
}

OM_TEST(zone_does_not_choose_between_a_name_and_an_id)
{
    static struct om_addr a[2];
    static const struct om_zone_host both[] = {
        {.peer = "abcd", .network = "home", .addrs = &a[0], .n_addrs = 1},
        {.peer = "abcdex", .network = "home", .addrs = &a[1], .n_addrs = 1, .is_id = true}};
    struct om_zone z = {.hosts = both, .n = 2, .only = "home"};

    a[0] = om_addr_v4(0x0a090001, 0);
    a[1] = om_addr_v4(0x0a090002, 0);
    CHECK(leads_to(&z, "abcd.omerta", NULL));
    z.n = 1; /* the control */
    CHECK(leads_to(&z, "abcd.omerta", &a[0]));
}

OM_TEST(zone_knows_private_names)
{
    static const char *const ours[] = {"localhost",
                                       "a.LOCAL",
                                       "x.onion",
                                       "db.internal",
                                       "home.arpa",
                                       "nas.home.arpa",
                                       "ann.omerta",
                                       "omerta",
                                       "1.0.168.192.in-addr.arpa",
                                       "1.0.0.127.in-addr.arpa"};
    static const char *const others[] = {"local.example.org",      "arpa",   "example.org",
                                         "8.8.8.8.in-addr.arpa",   "xlocal", "locals",
                                         "1.168.192.in-addr.arpa", /* no whole address */
                                         "home.arpa.org"};
    struct om_dns_name n;

    for (size_t i = 0; i < OM_ARRAY_SIZE(ours); i++) {
        n = name(ours[i]);
        CHECK(om_dns_name_is_private(&n));
    }
    for (size_t i = 0; i < OM_ARRAY_SIZE(others); i++) {
        n = name(others[i]);
        CHECK(!om_dns_name_is_private(&n));
    }
    n = (struct om_dns_name){.n = 1}; /* the root */
    CHECK(!om_dns_name_is_private(&n));
}
