/* test_access.c - what machines that we asked for may reach, before and without any of them. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "service/wanted_parts.h"
#include "tunnels/dns.h"

/* Two machines, of which the second has a name and an id. */
static void set_up(struct wanted *w, struct wanted_vm v[static 2])
{
    om_list_init(&w->machines);
    for (unsigned i = 0; i < 2; i++) {
        v[i].hub = w;
        om_list_push_back(&w->machines, &v[i].link);
    }
    memcpy(v[1].vm, "vm-00aa00aa00", sizeof "vm-00aa00aa00");
    memcpy(v[1].name, "lab1", sizeof "lab1");
}

static bool reads(struct wanted_vm *v, const char *words, struct om_error *err)
{
    json_error_t at;
    json_t *o = json_loads(words, JSON_REJECT_DUPLICATES, &at);

    CHECK(o != NULL);
    bool is_read = access_read(v, o, err);
    json_decref(o);
    return is_read;
}

OM_TEST(access_reads_what_is_right)
{
    struct wanted w = {.count = 2};
    struct wanted_vm v[2] = {{.exposes = 3, .has_internet = true}};
    struct om_error err;

    set_up(&w, v);
    CHECK(reads(&v[0], "{}", &err));
    CHECK_EQ(v[0].exposes, 0);
    CHECK(!v[0].has_internet); /* nothing, unless it was asked for */
    CHECK(reads(&v[0],
                "{\"name\": \"lab2\", \"expose\": [80, 443], \"egress\": \"internet\","
                " \"identity\": \"/a b/id\"}",
                &err));
    CHECK_EQ(v[0].exposes, 2);
    CHECK_EQ(v[0].expose[1], 443);
    CHECK(v[0].has_internet);
    CHECK_STR(v[0].name, "lab2");
    json_t *shown = json_object();
    access_show(&v[0], shown);
    struct wanted_vm again = {.hub = &w};
    om_list_remove(&v[0].link);
    CHECK(access_read(&again, shown, &err)); /* as it is kept */
    json_decref(shown);
    CHECK_EQ(again.expose[0], 80);
    CHECK(again.has_internet);
    CHECK_STR(again.identity, "/a b/id");
}

OM_TEST(access_refuses_what_is_wrong)
{
    static const char *const bad[] = {"{\"name\": \"lab1\"}",
                                      "{\"name\": \"vm-1\"}",
                                      "{\"name\": \"a b\"}",
                                      "{\"name\": \"vm-00aa00aa00\"}",
                                      "{\"name\": \"*\"}",
                                      "{\"name\": \"abcdefghijabcdefghijabcdefghij123\"}",
                                      "{\"expose\": [0]}",
                                      "{\"expose\": [65536]}",
                                      "{\"expose\": [80, 80]}",
                                      "{\"expose\": 80}",
                                      "{\"egress\": \"everything\"}",
                                      "{\"identity\": \"relative\"}",
                                      "{\"identity\": \"/a\\nb\"}",
                                      "{\"identity\": \"/a%h\"}"};
    struct wanted w = {.count = 2};
    struct wanted_vm v[2] = {{.exposes = 0}};
    struct om_error err;

    set_up(&w, v);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++) {
        CHECK(!reads(&v[0], bad[i], &err));
        CHECK(*err.msg);
    }
    CHECK(reads(&v[0], "{\"name\": \"abcdefghijabcdefghijabcdefghij12\"}", &err));
}

OM_TEST(access_takes_only_ids_that_can_be_one)
{
    static const char *const bad[] = {"",
                                      "vm-",
                                      "vm-0123456",
                                      "vm-01234567890",
                                      "vm-0123456 89",
                                      "vm-ABCDEFABCD",
                                      "github.com",
                                      "vm-00aa00aa00"}; /* another machine's */
    struct wanted w = {.count = 2};
    struct wanted_vm v[2] = {{.exposes = 0}};

    set_up(&w, v);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++)
        CHECK(!access_is_id(&v[0], bad[i]));
    CHECK(access_is_id(&v[0], "vm-0123456789"));
    CHECK(access_is_id(&v[1], "vm-00aa00aa00"));
}

OM_TEST(access_of_a_machine_is_its_own)
{
    static const uint16_t ports[] = {80};
    const struct om_id net = {{1}}, provider = {{2}}, other = {{3}}, other_net = {{4}};
    struct tunnel_dns dns = {.ask_count = 0};
    static struct om_daemon d; /* in which nothing runs */
    struct tunnels t = {.d = &d, .dns = &dns};
    struct om_error err;
    struct tunnel_machine m = {
        .network = net, .provider = provider, .name = "vm-a", .ports = ports, .count = 1};
    om_list_init(&t.rules);
    om_list_init(&t.conns);
    om_list_init(&t.flows);
    om_list_init(&t.usages);
    om_list_init(&dns.clients);
    om_list_init(&dns.streams);
    OM_TRY(tunnels_grant(&t, &m, &err));
    CHECK(tunnel_exposed(&t, &net, &provider, "vm-a", 80, false, false));
    CHECK(tunnel_exposed(&t, &net, &provider, "vm-a", 80, false, true));
    CHECK(!tunnel_exposed(&t, &net, &provider, "vm-a", 81, false, false));
    CHECK(!tunnel_exposed(&t, &net, &provider, "vm-a", 0, true, false));
    CHECK(!tunnel_exposed(&t, &net, &provider, "vm-b", 80, false, false));
    CHECK(!tunnel_exposed(&t, &net, &provider, "", 80, false, false)); /* nor its provider */
    CHECK(!tunnel_exposed(&t, &net, &other, "vm-a", 80, false, false));
    CHECK(!tunnel_exposed(&t, &other_net, &provider, "vm-a", 80, false, false));
    m.has_internet = true;
    OM_TRY(tunnels_grant(&t, &m, &err)); /* instead of what it had */
    CHECK_EQ(t.machine_rules, 3);
    CHECK(tunnel_exposed(&t, &net, &provider, "vm-a", 0, true, false));
    CHECK(!tunnel_exposed(&t, &net, &provider, "", 0, true, false));
    m.name = "vm-abcdefghijabcdefghijabcdefghij1"; /* longer than a link's name */
    CHECK(!tunnels_grant(&t, &m, &err));
    tunnels_revoke(&t, &net, &other, "vm-a");
    CHECK_EQ(t.machine_rules, 3);
out:
    tunnels_revoke(&t, &net, &provider, "vm-a");
    CHECK_EQ(t.machine_rules, 0);
    CHECK(om_list_is_empty(&t.rules));
}
