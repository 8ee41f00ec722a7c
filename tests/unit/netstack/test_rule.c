/* test_rule.c - the words of a filter, and which of its rules speaks first. */
#include "harness.h"

#include "craft.h"
#include "guard/match.h"

#define VM     "10.0.0.2"
#define VM6    "fd00::2"
#define SERVER "192.0.2.9"

static struct craft c;

static struct om_rule rule(const char *text)
{
    struct om_rule r;

    CHECK_OK(om_rule_parse(&r, text, NULL));
    return r;
}

OM_TEST(rule_text_round_trips)
{
    static const char *const texts[][2] = {
        {"allow out any", "allow out any any"},
        {"deny both 10.0.0.0/8 any", "deny both 10.0.0.0/8 any"},
        {"allow in 2001:db8::/32 tcp", "allow in 2001:db8::/32 tcp"},
        {"allow out 0.0.0.0/0 tcp 80-443", "allow out 0.0.0.0/0 tcp 80-443"},
        {"allow out 192.0.2.9 udp 53", "allow out 192.0.2.9/32 udp 53"},
        {"deny out any icmp", "deny out any icmp"},
        {"allow out any tcp 1-65535", "allow out any tcp 1-65535"},
    };
    char text[OM_RULE_TEXT];

    for (size_t i = 0; i < OM_ARRAY_SIZE(texts); i++) {
        struct om_rule r = rule(texts[i][0]);

        CHECK_STR(om_rule_print(&r, text), texts[i][1]);
        r = rule(text);
        CHECK_STR(om_rule_print(&r, text), texts[i][1]);
    }
}

OM_TEST(rule_refuses_bad_text)
{
    static const char *const bad[] = {"",
                                      "allow",
                                      "allow out",
                                      "permit out any",
                                      "allow up any",
                                      "allow  out any",
                                      "allow out any ",
                                      "allow out 10.0.0.1/8",
                                      "allow out any gre",
                                      "allow out any icmp 8",
                                      "allow out any any 80",
                                      "allow out any tcp 0",
                                      "allow out any tcp 443-80",
                                      "allow out any tcp 80-",
                                      "allow out any tcp 65536",
                                      "allow out any tcp 80 x"};
    struct om_rule r = {.port_first = 77};
    struct om_error err;

    for (size_t i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK_ERR(om_rule_parse(&r, bad[i], &err), OM_E_PARSE);
        CHECK(strstr(err.msg, "want ") != NULL);
        CHECK_EQ(r.port_first, 77);
    }
}

static struct om_packet parsed(void)
{
    struct om_packet p;

    CHECK_STR(om_bad_name(om_packet_parse(&p, craft_bytes(&c))), "none");
    return p;
}

/* The number of the rule that decides about what craft made; -1 without one. */
static int decides(const struct om_rules *rules, enum om_direction d)
{
    struct om_packet p = parsed();
    const struct om_rule *r = om_rules_match(rules, d, &p);

    return r ? (int)(r - rules->at) : -1;
}

static void add(struct om_rules *rules, const char *text)
{
    struct om_rule r = rule(text);

    CHECK_OK(om_rules_add(rules, &r));
}

OM_TEST(match_first_rule_wins)
{
    static struct om_rules rules;
    struct om_rule last = rule("allow out any");

    rules.n = 0;
    add(&rules, "deny out 192.0.2.9");
    add(&rules, "allow out 192.0.2.0/24");
    craft_udp(&c, VM, 1, SERVER, 53, 0);
    CHECK_EQ(decides(&rules, OM_OUT), 0);
    craft_udp(&c, VM, 1, "192.0.2.10", 53, 0);
    CHECK_EQ(decides(&rules, OM_OUT), 1);
    while (rules.n < OM_RULES_MAX)
        CHECK_OK(om_rules_add(&rules, &last));
    CHECK_ERR(om_rules_add(&rules, &last), OM_E_FULL);
}

OM_TEST(match_denies_by_default)
{
    static struct om_rules rules;

    rules.n = 0;
    craft_udp(&c, VM, 1, SERVER, 53, 0);
    CHECK_EQ(decides(&rules, OM_OUT), -1);
    add(&rules, "allow in any");
    CHECK_EQ(decides(&rules, OM_OUT), -1);
    add(&rules, "allow both any");
    CHECK_EQ(decides(&rules, OM_OUT), 1);
}

OM_TEST(match_counts_ports_and_protocols)
{
    static struct om_rules rules;

    rules.n = 0;
    add(&rules, "allow out any tcp 80-90");
    add(&rules, "allow out any icmp");
    for (uint16_t port = 78; port < 93; port++) {
        (void)craft_tcp(&c, VM, 85, SERVER, port, OM_TCP_SYN, 0);
        CHECK_EQ(decides(&rules, OM_OUT), port >= 80 && port <= 90 ? 0 : -1);
        craft_udp(&c, VM, 85, SERVER, port, 0);
        CHECK_EQ(decides(&rules, OM_OUT), -1);
    }
    (void)craft_icmp(&c, VM6, "2001:db8::9", 128, 7, NULL, 0);
    CHECK_EQ(decides(&rules, OM_OUT), 1);
}

OM_TEST(match_looks_at_the_far_end)
{
    static struct om_rules rules;

    rules.n = 0;
    add(&rules, "allow both 192.0.2.0/24");
    craft_udp(&c, VM, 1, SERVER, 53, 0);
    CHECK_EQ(decides(&rules, OM_OUT), 0);
    CHECK_EQ(decides(&rules, OM_IN), -1);
    craft_udp(&c, SERVER, 1, VM, 53, 0);
    CHECK_EQ(decides(&rules, OM_IN), 0);
    CHECK_EQ(decides(&rules, OM_OUT), -1);
}
