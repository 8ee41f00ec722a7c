/* Links: what the line says, where addresses lead, who may speak, and bytes on their way. */
#include "harness.h"
#include "json_hook.h"
#include "links/link_ahead.h"
#include "links/link_config.h"
#include "links/link_gate.h"

#include <omerta/table.h>

static struct om_addr ip(const char *text)
{
    struct om_addr a = {.port = 0};

    if (!om_addr_ip_parse(a.ip, text))
        a.port = 1; /* no test wants that */
    return a;
}

static bool reads(struct link_config *c, const char *text, struct om_error *err)
{
    json_error_t at;
    json_t *words = json_loads(text, 0, &at);

    *err = (struct om_error){.msg = ""};
    bool is_good = words && link_config_read(c, words, err);
    json_decref(words);
    return is_good;
}

#define V4 "\"here\":\"10.64.0.1/24\",\"there\":\"10.64.0.2\""
#define V6 "\"here6\":\"fd64::1/64\",\"there6\":\"fd64::2\""

OM_TEST(link_config_reads_what_is_right)
{
    struct link_config c;
    struct om_error err;

    OM_TRY(reads(&c, "{\"kind\":\"ip\"," V4 "," V6 "}", &err));
    CHECK_EQ(c.kind, OM_PORT_IP);
    CHECK_EQ(c.mtu, LINK_MTU_USUAL);
    CHECK(c.sides.has_v4 && c.sides.has_v6);
    CHECK_EQ(c.sides.v4_prefix, 24);
    CHECK(om_addr_equal(&c.sides.there6, &(struct om_addr){.ip = {0xfd, 0x64, [15] = 2}}));
    OM_TRY(
        reads(&c, "{\"kind\":\"ether\",\"mtu\":65521,\"mac\":\"52:54:00:AB:cd:0f\"," V6 "}", &err));
    CHECK_EQ(c.kind, OM_PORT_ETHER);
    CHECK_EQ(c.mtu, 65521);
    CHECK(!c.sides.has_v4);
    CHECK_EQ(c.mac[3], 0xab);
    CHECK_EQ(c.mac[5], 0x0f);
    CHECK_EQ(c.here_mac[0], 0x02);
    CHECK(!c.has_dns);
    CHECK_STR(c.name, "");
    OM_TRY(reads(&c, "{\"kind\":\"ip\",\"name\":\"vm-01\",\"dns\":true," V4 "}", &err));
    CHECK(c.has_dns);
    CHECK_STR(c.name, "vm-01");
    OM_TRY(reads(&c,
                 "{\"kind\":\"ether\",\"dhcp\":true,\"inward\":true,\"mac\":\"52:54:00:00:00:02\","
                 "\"here6\":\"fd64::1/64\"}",
                 &err));
    struct om_addr own = ip("fd64::5054:ff:fe00:2");
    CHECK(c.has_dhcp && c.is_inward && om_addr_equal(&c.sides.there6, &own));
out:
    return;
}

OM_TEST(link_config_names_what_is_wrong)
{
    static const struct {
        const char *text, *word;
    } bad[] = {
        {"{}", "\"kind\""},
        {"{\"kind\":\"tap\"," V4 "}", "\"kind\""},
        {"{\"kind\":\"ip\",\"mtu\":1279," V4 "}", "1280 to 65521"},
        {"{\"kind\":\"ip\",\"mtu\":65522," V4 "}", "1280 to 65521"},
        {"{\"kind\":\"ip\",\"mtu\":\"many\"," V4 "}", "1280 to 65521"},
        {"{\"kind\":\"ip\"}", "\"here6\""},
        {"{\"kind\":\"ip\",\"here\":\"10.64.0.1\",\"there\":\"10.64.0.2\"}", "\"here\""},
        {"{\"kind\":\"ip\",\"here\":\"10.64.0.1/31\",\"there\":\"10.64.0.2\"}", "\"here\""},
        {"{\"kind\":\"ip\",\"here\":\"10.64.0.1/x\",\"there\":\"10.64.0.2\"}", "\"here\""},
        {"{\"kind\":\"ip\",\"here\":\"10.64.0.1/24\"}", "\"there\""},
        {"{\"kind\":\"ip\",\"here\":\"10.64.0.1/24\",\"there\":\"10.64.1.2\"}", "\"there\""},
        {"{\"kind\":\"ip\",\"here\":\"10.64.0.1/24\",\"there\":\"10.64.0.1\"}", "\"there\""},
        {"{\"kind\":\"ip\",\"here\":\"10.64.0.1/24\",\"there\":\"10.64.0.255\"}", "\"there\""},
        {"{\"kind\":\"ip\",\"here\":\"10.64.0.1/24\",\"there\":\"10.64.0.0\"}", "\"there\""},
        {"{\"kind\":\"ip\",\"here\":\"fd64::1/64\",\"there\":\"10.64.0.2\"}", "\"here\""},
        {"{\"kind\":\"ip\",\"here6\":\"fd64::1/56\",\"there6\":\"fd64::2\"}", "\"here6\""},
        {"{\"kind\":\"ip\",\"here6\":\"fd64::1/64\",\"there6\":\"fd65::2\"}", "\"there6\""},
        {"{\"kind\":\"ether\"," V4 "}", "\"mac\""},
        {"{\"kind\":\"ip\",\"name\":\"\"," V4 "}", "\"name\""},
        {"{\"kind\":\"ip\",\"name\":\"VM\"," V4 "}", "\"name\""},
        {"{\"kind\":\"ip\",\"name\":7," V4 "}", "\"name\""},
        {"{\"kind\":\"ip\",\"name\":\"a23456789b23456789c23456789d23456\"," V4 "}", "\"name\""},
        {"{\"kind\":\"ip\",\"dns\":1," V4 "}", "\"dns\""},
        {"{\"kind\":\"ip\",\"inward\":\"yes\"," V4 "}", "\"inward\""},
        {"{\"kind\":\"ip\",\"dhcp\":true," V4 "}", "\"dhcp\""},
        {"{\"kind\":\"ether\",\"mac\":\"52:54:00:00:00:02\",\"here6\":\"fd64::1/64\"}",
         "\"there6\""},
        {"{\"kind\":\"ether\",\"mac\":\"01:00:5e:00:00:01\"," V4 "}", "\"mac\""},
        {"{\"kind\":\"ether\",\"mac\":\"52:54:00:00:00:0g\"," V4 "}", "\"mac\""},
        {"{\"kind\":\"ether\",\"mac\":\"52-54-00-00-00-01\"," V4 "}", "\"mac\""},
    };
    struct link_config c;
    struct om_error err;

    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK(!reads(&c, bad[i].text, &err));
        CHECK(strstr(err.msg, bad[i].word));
    }
}

static const char *leads(const struct link_sides *s, const char *to, char host[static OM_IP_TEXT])
{
    struct om_addr a = ip(to);

    switch (link_route(s, &a, host)) {
    case LINK_NOWHERE:
        return "nowhere";
    case LINK_PEER:
        return "peer";
    case LINK_HOST:
        return host;
    }
    return "";
}

static struct link_sides sides(void)
{
    return (struct link_sides){.has_v4 = true,
                               .has_v6 = true,
                               .v4_prefix = 22,
                               .here = ip("10.64.0.1"),
                               .there = ip("10.64.0.2"),
                               .here6 = ip("fd64::1"),
                               .there6 = ip("fd64::2")};
}

OM_TEST(link_route_ours_is_the_peer)
{
    struct link_sides s = sides();
    char host[OM_IP_TEXT];

    CHECK_STR(leads(&s, "10.64.0.1", host), "peer");
    CHECK_STR(host, "");
    CHECK_STR(leads(&s, "fd64::1", host), "peer");
    s.has_v6 = false;
    CHECK_STR(leads(&s, "fd64::1", host), "fd64::1");
}

OM_TEST(link_route_any_other_is_a_host)
{
    const struct link_sides s = sides();
    char host[OM_IP_TEXT];

    CHECK_STR(leads(&s, "192.0.2.7", host), "192.0.2.7");
    CHECK_STR(leads(&s, "10.64.4.1", host), "10.64.4.1"); /* behind the prefix */
    CHECK_STR(leads(&s, "192.168.1.1", host), "192.168.1.1");
    CHECK_STR(leads(&s, "2001:db8::7", host), "2001:db8::7");
    CHECK_STR(leads(&s, "fd64:0:0:1::1", host), "fd64:0:0:1::1");
}

OM_TEST(link_route_nobody_on_the_link)
{
    const struct link_sides s = sides();
    char host[OM_IP_TEXT];

    CHECK_STR(leads(&s, "10.64.0.2", host), "nowhere");
    CHECK_STR(leads(&s, "10.64.3.255", host), "nowhere");
    CHECK_STR(leads(&s, "fd64::2", host), "nowhere");
    CHECK_STR(leads(&s, "fd64::ffff", host), "nowhere");
}

OM_TEST(link_route_never_a_host)
{
    static const char *const never[] = {
        "127.0.0.1", "0.0.0.0", "169.254.1.1", "169.254.169.254", "224.0.0.1",
        "::1",       "::",      "fe80::1",     "ff02::1",         "fd00:ec2::254"};
    const struct link_sides s = sides();
    char host[OM_IP_TEXT];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(never); i++)
        CHECK_STR(leads(&s, never[i], host), "nowhere");
    CHECK_STR(leads(&s, "198.51.100.1", host), "198.51.100.1");
}

/* UDP from @from to 192.0.2.7, without a checksum of its own; 4 bytes of it. */
static struct om_bytes packet(uint8_t out[static 32], const char *from)
{
    static const uint8_t usual[32] = {0x45, 0, 0, 32, 0, 1, 0, 0,  64, 17, 0, 0, 0, 0, 0, 0,
                                      192,  0, 2, 7,  4, 0, 0, 53, 0,  12, 0, 0, 1, 2, 3, 4};
    const struct om_addr a = ip(from);
    uint32_t sum = 0;

    memcpy(out, usual, sizeof usual);
    memcpy(out + 12, a.ip + 12, 4);
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)out[i] << 8 | out[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    out[10] = (uint8_t)(sum >> 8);
    out[11] = (uint8_t)sum;
    return om_bytes(out, sizeof usual);
}

static struct link_gate *open_gate(void)
{
    static const uint8_t key[OM_SIP_KEY] = {7};
    const struct link_config config = {.kind = OM_PORT_IP, .mtu = 1500, .sides = sides()};
    struct link_gate *g = NULL;

    return link_gate_new(&g, &config, 0, key) == OM_OK ? g : NULL;
}

OM_TEST(link_gate_lets_in_what_is_the_links)
{
    struct link_gate *g = open_gate();
    uint8_t p[32];

    OM_TRY(g);
    OM_TRY(link_gate_passes(g, 0, packet(p, "10.64.0.2")));
    CHECK_EQ(link_gate_score(g, 0), 0);
    CHECK(link_gate_deadline(g) != OM_NEVER);
    link_gate_tick(g, link_gate_deadline(g));
    CHECK_EQ(link_gate_deadline(g), OM_NEVER);
out:
    link_gate_free(g);
}

OM_TEST(link_gate_names_what_it_drops)
{
    struct link_gate *g = open_gate();
    json_t *dropped = NULL;
    uint8_t p[32];

    OM_TRY(g);
    CHECK(!link_gate_passes(g, 0, packet(p, "10.64.0.3")));
    CHECK(!link_gate_passes(g, 0, packet(p, "10.64.0.1"))); /* not even as us */
    CHECK(!link_gate_passes(g, 0, om_bytes(packet(p, "10.64.0.2").p, 19)));
    CHECK(link_gate_score(g, 0) > 0);
    CHECK_EQ(link_gate_alarm(g), OM_ROGUE_NONE);
    for (unsigned i = 0; i < 4; i++)
        CHECK(!link_gate_passes(g, 0, packet(p, "192.0.2.7")));
    CHECK_EQ(link_gate_alarm(g), OM_ROGUE_WARN);
    CHECK_EQ(link_gate_alarm(g), OM_ROGUE_NONE); /* told */
    dropped = link_gate_dropped(g);
    OM_TRY(dropped && json_object_size(dropped) == 2);
    CHECK_EQ(json_integer_value(json_object_get(dropped, "spoofed")), 6);
    CHECK_EQ(json_integer_value(json_object_get(dropped, "malformed")), 1);
out:
    json_decref(dropped);
    link_gate_free(g);
}

OM_TEST(link_ahead_keeps_until_released)
{
    static uint8_t in[3 * LINK_BLOCK];
    struct link_ahead a;
    size_t done = 0;

    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 7 + i / 256);
    link_ahead_init(&a);
    CHECK_EQ(link_ahead_copy(&a, om_bytes(in, 0)).n, 0);
    struct om_bytes first = link_ahead_copy(&a, om_bytes(in, 100));
    OM_TRY(first.n == 100);
    for (done = 100; done < sizeof in;) {
        struct om_bytes b = link_ahead_copy(&a, om_bytes(in + done, sizeof in - done));
        OM_TRY(b.n > 0);
        CHECK_MEM(b.p, in + done, b.n);
        done += b.n;
    }
    CHECK_MEM(first.p, in, 100);
    CHECK_EQ(link_ahead_bytes(&a), sizeof in);
    link_ahead_release(&a, 150);
    CHECK_EQ(link_ahead_bytes(&a), sizeof in - 150);
    link_ahead_release(&a, sizeof in);
    CHECK_EQ(link_ahead_bytes(&a), 0);
    CHECK(om_list_is_empty(&a.blocks));
out:
    link_ahead_fini(&a);
}

OM_TEST(link_ahead_takes_back_what_was_not_lent)
{
    struct link_ahead a;

    link_ahead_init(&a);
    OM_TRY(link_ahead_copy(&a, om_bytes("abcd", 4)).n == 4);
    OM_TRY(link_ahead_copy(&a, om_bytes("efgh", 4)).n == 4);
    link_ahead_undo(&a, 4);
    CHECK_EQ(link_ahead_bytes(&a), 4);
    struct om_bytes b = link_ahead_copy(&a, om_bytes("xy", 2));
    OM_TRY(b.n == 2);
    CHECK_MEM(b.p - 4, "abcdxy", 6);
    link_ahead_undo(&a, 2);
    link_ahead_undo(&a, 4);
    CHECK_EQ(link_ahead_bytes(&a), 0);
    CHECK(om_list_is_empty(&a.blocks));
out:
    link_ahead_fini(&a);
}
