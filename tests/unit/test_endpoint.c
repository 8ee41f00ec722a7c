/* test_endpoint.c - candidates: which are refused, in what order, and their bytes. */
#include "harness.h"

#include "path/endpoint.h"

static struct om_record_end end_of(enum om_end_kind kind, const char *text)
{
    struct om_record_end e = {.kind = (uint8_t)kind};

    CHECK_OK(om_addr_parse(&e.addr, text, 7000, NULL));
    return e;
}

static enum om_endpoint_verdict check(const struct om_endpoint_view *v, const char *text)
{
    struct om_record_end e = end_of(OM_END_HOST, text);

    return om_endpoint_check(v, &e);
}

static void call_near(struct om_endpoint_view *v, const char *text)
{
    CHECK_OK(om_cidr_parse(&v->near[v->near_count++], text, NULL));
}

OM_TEST(endpoint_refuses_what_is_nowhere)
{
    static const char *const nowhere[] = {
        "0.0.0.0",         "0.1.2.3",           "127.0.0.1",
        "127.9.9.9",       "224.0.0.251",       "239.1.2.3",
        "255.255.255.255", "240.0.0.1",         "169.254.169.254",
        "100.100.100.200", "168.63.129.16",     "[::]",
        "[::1]",           "[ff02::1]",         "[fd00:ec2::254]",
        "[fe80::1]",       "[64:ff9b::7f00:1]", "[64:ff9b::808:808]",
        "[::8.8.8.8]",     "192.168.7.255",     "192.168.7.0",
    };
    struct om_endpoint_view v = {0};

    call_near(&v, "192.168.7.0/24");
    call_near(&v, "0.0.0.0/0"); /* however much is called near */
    call_near(&v, "::/0");
    for (unsigned i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++)
        CHECK_EQ(check(&v, nowhere[i]), OM_ENDPOINT_NOWHERE);
    CHECK_EQ(check(&v, "8.8.8.8:0"), OM_ENDPOINT_NOWHERE);
    CHECK_EQ(check(&v, "8.8.8.8"), OM_ENDPOINT_OK);
    CHECK_EQ(check(&v, "192.168.7.9"), OM_ENDPOINT_OK);
    CHECK_EQ(check(&v, "[2a00:1450::8]"), OM_ENDPOINT_OK);
    CHECK_STR(om_endpoint_verdict_name(OM_ENDPOINT_NOWHERE), "nowhere");
    CHECK_STR(om_endpoint_verdict_name((enum om_endpoint_verdict)77), "unknown");
}

OM_TEST(endpoint_refuses_foreign_private)
{
    static const char *const private[] = {"10.1.2.3",   "172.16.0.9",    "192.168.8.1",
                                          "100.64.0.1", "169.254.7.7",   "192.0.2.1",
                                          "[fd12::1]",  "[2001:db8::1]", "[2002:a00:1::1]"};
    struct om_endpoint_view v = {0};

    call_near(&v, "192.168.7.0/24");
    for (unsigned i = 0; i < sizeof private / sizeof private[0]; i++)
        CHECK_EQ(check(&v, private[i]), OM_ENDPOINT_FOREIGN);
    CHECK_EQ(check(&v, "192.168.7.1"), OM_ENDPOINT_OK);
    call_near(&v, "10.0.0.0/8");
    call_near(&v, "fd12::/64");
    call_near(&v, "169.254.0.0/16");
    CHECK_EQ(check(&v, "10.1.2.3"), OM_ENDPOINT_OK);
    CHECK_EQ(check(&v, "[fd12::1]"), OM_ENDPOINT_OK);
    CHECK_EQ(check(&v, "169.254.7.7"), OM_ENDPOINT_OK); /* a cable between two laptops */
    CHECK_EQ(check(&v, "169.254.169.254"), OM_ENDPOINT_NOWHERE);
}

OM_TEST(endpoint_refuses_ourselves)
{
    struct om_endpoint_view v = {.own_count = 2};
    struct om_record_end e = end_of(OM_END_HOST, "8.8.8.8:7000");

    v.own[0] = end_of(OM_END_HOST, "9.9.9.9:7000").addr;
    v.own[1] = e.addr;
    CHECK_EQ(om_endpoint_check(&v, &e), OM_ENDPOINT_OWN);
    e.addr.port++; /* somebody else behind our NAT */
    CHECK_EQ(om_endpoint_check(&v, &e), OM_ENDPOINT_OK);
    e.kind = 0;
    CHECK_EQ(om_endpoint_check(&v, &e), OM_ENDPOINT_KIND);
    e.kind = OM_END_RELAY + 1;
    CHECK_EQ(om_endpoint_check(&v, &e), OM_ENDPOINT_KIND);
    CHECK(!om_endpoints_add(&(struct om_endpoints){0}, &e));
}

OM_TEST(endpoints_are_ranked)
{
    static const struct {
        enum om_end_kind kind;
        const char *text;
    } given[] = {{OM_END_RELAY, "5.5.5.5"},   {OM_END_REFLEXIVE, "4.4.4.4"},
                 {OM_END_HOST, "3.3.3.3"},    {OM_END_MAPPED, "4.4.4.4:99"},
                 {OM_END_HOST, "[2a00::1]"},  {OM_END_HOST, "3.3.3.4"},
                 {OM_END_LAN, "192.168.7.3"}, {OM_END_REFLEXIVE, "[2a00::9]"}};
    static const uint8_t order[] = {6, 4, 2, 5, 3, 7, 1, 0};
    struct om_endpoints l = {0};

    for (unsigned i = 0; i < 8; i++) {
        struct om_record_end e = end_of(given[i].kind, given[i].text);
        CHECK(om_endpoints_add(&l, &e));
    }
    CHECK_EQ(l.count, 8);
    for (unsigned i = 0; i < 8; i++) {
        struct om_record_end e = end_of(given[order[i]].kind, given[order[i]].text);
        CHECK(om_addr_equal(&l.ends[i].addr, &e.addr));
    }
    struct om_record_end again =
        end_of(OM_END_REFLEXIVE, "3.3.3.3"); /* a worse kind changes nothing */
    CHECK(om_endpoints_add(&l, &again));
    CHECK_EQ(l.ends[2].kind, OM_END_HOST);
    again = end_of(OM_END_LAN, "5.5.5.5"); /* a better one moves it */
    CHECK(om_endpoints_add(&l, &again));
    CHECK_EQ(l.count, 8);
    CHECK_EQ(l.ends[1].kind, OM_END_LAN);
    CHECK(om_addr_equal(&l.ends[1].addr, &again.addr));
}

OM_TEST(endpoints_full_drops_the_worst)
{
    struct om_endpoints l = {0};
    struct om_record_end e = end_of(OM_END_HOST, "[2a00::1]");

    for (unsigned i = 0; i < 9; i++, e.addr.ip[15]++)
        CHECK_EQ(om_endpoints_add(&l, &e), i < OM_ENDPOINTS_KIND_MAX);
    e = end_of(OM_END_REFLEXIVE, "4.4.4.1");
    for (unsigned i = 0; i < 6; i++, e.addr.ip[15]++)
        CHECK(om_endpoints_add(&l, &e));
    e = end_of(OM_END_RELAY, "5.5.5.1");
    for (unsigned i = 0; i < 6; i++, e.addr.ip[15]++)
        CHECK_EQ(om_endpoints_add(&l, &e), i < 4);
    CHECK_EQ(l.count, OM_CANDIDATES_MAX);
    e = end_of(OM_END_LAN, "192.168.7.1");
    for (unsigned i = 0; i < 5; i++, e.addr.ip[15]++)
        CHECK(om_endpoints_add(&l, &e));
    CHECK_EQ(l.count, OM_CANDIDATES_MAX);
    CHECK_EQ(l.ends[0].kind, OM_END_LAN);
    CHECK_EQ(l.ends[15].kind, OM_END_REFLEXIVE); /* the relays are gone, and one of these */
    CHECK_EQ(l.ends[15].addr.ip[15], 5);
}

OM_TEST(endpoints_change_moves_the_sequence)
{
    struct om_endpoints l = {0}, new = {0};
    struct om_record_end e = end_of(OM_END_HOST, "3.3.3.3");

    CHECK(!om_endpoints_replace(&l, &new));
    CHECK(om_endpoints_add(&new, &e));
    CHECK(om_endpoints_replace(&l, &new));
    CHECK(!om_endpoints_replace(&l, &new));
    CHECK_EQ(l.sequence, 1);
    new.ends[0].kind = OM_END_MAPPED;
    CHECK(om_endpoints_replace(&l, &new));
    new.ends[0].addr.port++;
    CHECK(om_endpoints_replace(&l, &new));
    new.count = 0;
    CHECK(om_endpoints_replace(&l, &new));
    CHECK_EQ(l.sequence, 4);
}

OM_TEST(endpoints_round_trip)
{
    struct om_endpoints l = {.sequence = 0x01020304}, back;
    struct om_record_end e = end_of(OM_END_MAPPED, "4.4.4.1:258");
    static const uint8_t want[] = {1, 2, 3, 4, 1,    3,    0, 0, 0, 0, 0, 0, 0,
                                   0, 0, 0, 0, 0xff, 0xff, 4, 4, 4, 1, 1, 2};
    uint8_t bytes[OM_ENDPOINTS_BYTES_MAX];

    CHECK(om_endpoints_add(&l, &e));
    size_t n = om_endpoints_encode(bytes, &l);
    CHECK_EQ(n, OM_ENDPOINTS_HEAD + 1 + OM_ADDR_WIRE);
    CHECK_MEM(bytes, want, 4 + 1 + 1);
    CHECK_MEM(bytes + n - 8, want + sizeof want - 8, 8);
    CHECK_OK(om_endpoints_decode(&back, om_bytes(bytes, n)));
    CHECK_EQ(back.sequence, l.sequence);
    CHECK_EQ(back.count, 1);
    CHECK_EQ(back.ends[0].kind, OM_END_MAPPED);
    CHECK(om_addr_equal(&back.ends[0].addr, &e.addr));
}

OM_TEST(endpoints_refuse_bad_bytes)
{
    uint8_t bytes[OM_ENDPOINTS_BYTES_MAX + 1 + 1 + OM_ADDR_WIRE] = {[4] = 2};
    size_t n = OM_ENDPOINTS_HEAD + 2 * (1 + OM_ADDR_WIRE);
    struct om_endpoints l;

    CHECK_OK(om_endpoints_decode(&l, om_bytes(bytes, n)));
    for (size_t cut = 0; cut < n; cut++)
        CHECK_ERR(om_endpoints_decode(&l, om_bytes(bytes, cut)), OM_E_PARSE);
    CHECK_ERR(om_endpoints_decode(&l, om_bytes(bytes, n + 1)), OM_E_PARSE);
    bytes[4] = OM_CANDIDATES_MAX;
    CHECK_OK(om_endpoints_decode(&l, om_bytes(bytes, OM_ENDPOINTS_BYTES_MAX)));
    bytes[4]++;
    CHECK_ERR(om_endpoints_decode(&l, om_bytes(bytes, OM_ENDPOINTS_BYTES_MAX + 1 + OM_ADDR_WIRE)),
              OM_E_PARSE);
}

OM_TEST(endpoints_take_only_what_may_be_probed)
{
    static const char *const named[] = {"4.4.4.4",         "127.0.0.1", "10.1.2.3",
                                        "169.254.169.254", "[2a00::1]", "4.4.4.4"};
    struct om_endpoints said = {.sequence = 9}, out;
    uint64_t why[OM_ENDPOINT_VERDICTS] = {0};
    struct om_endpoint_view v = {0};

    for (unsigned i = 0; i < 6; i++)
        said.ends[said.count++] = end_of(OM_END_HOST, named[i]);
    said.ends[5].kind = 200;
    om_endpoints_take(&out, &v, &said, why);
    CHECK_EQ(out.count, 2);
    CHECK_EQ(out.sequence, 9);
    CHECK(om_addr_equal(&out.ends[0].addr, &said.ends[4].addr)); /* our order */
    CHECK_EQ(why[OM_ENDPOINT_OK], 2);
    CHECK_EQ(why[OM_ENDPOINT_NOWHERE], 2);
    CHECK_EQ(why[OM_ENDPOINT_FOREIGN], 1);
    CHECK_EQ(why[OM_ENDPOINT_KIND], 1);
}
