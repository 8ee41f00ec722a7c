/* test_admission.c - one test for each kind of condition, with who is met by it and who is not. */
#include "harness.h"

#include <stdio.h>

#include "json_hook.h"
#include "vm/core/admission.h"

#define PEER  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER "eaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct om_vm_filter f;
static struct om_vm_spec spec;
static struct om_vm_ask ask;

/* Reads one rule called "r" with these members; what is asked for is the default. */
static bool rule(const char *members)
{
    char text[400];

    (void)snprintf(text, sizeof text, "{\"name\": \"r\", \"then\": \"deny\"%s%s}",
                   members[0] ? ", " : "", members);
    json_t *o = json_hook_loads(text);
    om_vm_filter_init(&f);
    f.otherwise = OM_VM_ALLOW;
    bool is_read = o && om_vm_filter_add(&f, o, 0, NULL) == OM_OK;
    json_decref(o);
    om_vm_spec_default(&spec);
    ask = (struct om_vm_ask){.spec = &spec, .minute = 12 * 60, .reputation = 50};
    return is_read;
}

static bool is_denied(void)
{
    struct om_vm_ruling r = om_vm_admission_test(&f, &ask);

    CHECK((r.verdict == OM_VM_DENY) == (r.rule == 0));
    CHECK(r.verdict == OM_VM_DENY || r.verdict == OM_VM_ALLOW);
    return r.verdict == OM_VM_DENY;
}

static const char *reason(void)
{
    static struct om_vm_ruling r;

    r = om_vm_admission_test(&f, &ask);
    return r.text;
}

OM_TEST(admission_by_peer)
{
    OM_TRY(rule("\"peer\": [\"" PEER "\"]"));
    CHECK(is_denied());
    CHECK_STR(reason(), "rule \"r\" (peer)");
    OM_TRY(om_id_parse(&ask.peer, OTHER, NULL) == OM_OK);
    CHECK(!is_denied());
    CHECK_STR(reason(), "no rule holds");
out:
    return;
}

OM_TEST(admission_by_network)
{
    OM_TRY(rule("\"network\": [\"" OTHER "\", \"" PEER "\"]"));
    CHECK(is_denied());
    ask.network.b[3] = 7;
    CHECK(!is_denied());
out:
    return;
}

OM_TEST(admission_by_address)
{
    OM_TRY(rule("\"address\": [\"192.0.2.0/24\", \"2001:db8::/32\"]"));
    CHECK(!is_denied()); /* no address known */
    OM_TRY(om_addr_parse(&ask.address, "192.0.2.77:5", 0, NULL) == OM_OK);
    CHECK(is_denied());
    OM_TRY(om_addr_parse(&ask.address, "[2001:db8:1::1]:5", 0, NULL) == OM_OK);
    CHECK(is_denied());
    OM_TRY(om_addr_parse(&ask.address, "192.0.3.1:5", 0, NULL) == OM_OK);
    CHECK(!is_denied());
    OM_TRY(rule("\"address\": [\"::/0\"]"));
    CHECK(!is_denied());
out:
    return;
}

OM_TEST(admission_by_resources)
{
    OM_TRY(rule("\"resources\": {\"cpus_over\": 2, \"memory_over\": \"1G\", \"disk_over\": \"5G\","
                " \"ttl_over\": \"2h\", \"egress\": \"internet\"}"));
    CHECK(!is_denied());
    spec.cpus = 2;
    spec.memory_mib = 1024;
    spec.ttl = OM_SEC(7200);
    CHECK(!is_denied());
    spec.cpus = 3;
    CHECK(is_denied());
    CHECK_STR(reason(), "rule \"r\" (resources)");
    spec.cpus = 2;
    spec.memory_mib = 1025;
    CHECK(is_denied());
    spec.memory_mib = 1024;
    spec.disk_mib = 5 * 1024 + 1;
    CHECK(is_denied());
    spec.disk_mib = 0;
    spec.ttl = OM_SEC(7201);
    CHECK(is_denied());
    spec.ttl = OM_SEC(60);
    spec.egress = OM_VM_EGRESS_INTERNET;
    CHECK(is_denied());
out:
    return;
}

OM_TEST(admission_by_description)
{
    OM_TRY(rule("\"description\": {\"words\": [\"Mining\", \"crack\"]}"));
    CHECK(!is_denied());
    (void)snprintf(spec.description, sizeof spec.description, "bitMINING for fun");
    CHECK(is_denied());
    (void)snprintf(spec.description, sizeof spec.description, "minin");
    CHECK(!is_denied());
    OM_TRY(rule("\"description\": {\"missing\": true}"));
    CHECK(is_denied());
    (void)snprintf(spec.description, sizeof spec.description, "a test");
    CHECK(!is_denied());
out:
    return;
}

OM_TEST(admission_by_quiet_hours)
{
    OM_TRY(rule("\"note\": \"the fan\\u202e is loud\","
                " \"hours\": {\"from\": \"22:00\", \"to\": \"08:00\"}"));
    CHECK(!is_denied());
    ask.minute = 22 * 60;
    CHECK(is_denied());
    CHECK_STR(reason(), "rule \"r\" (hours): the fan\\xe2\\x80\\xae is loud");
    ask.minute = 8 * 60 - 1;
    CHECK(is_denied());
    ask.minute = 8 * 60;
    CHECK(!is_denied());
    ask.minute = 22 * 60 - 1;
    CHECK(!is_denied());
    OM_TRY(rule("\"hours\": {\"from\": \"11:30\", \"to\": \"12:30\"}"));
    CHECK(is_denied());
    ask.minute = 12 * 60 + 30;
    CHECK(!is_denied());
out:
    return;
}

OM_TEST(admission_by_reputation)
{
    OM_TRY(rule("\"reputation\": {\"below\": 30}"));
    CHECK(!is_denied());
    ask.reputation = 30;
    CHECK(!is_denied());
    ask.reputation = 29;
    CHECK(is_denied());
    OM_TRY(rule("\"reputation\": {\"above\": 80}"));
    CHECK(!is_denied());
    ask.reputation = 81;
    CHECK(is_denied());
out:
    return;
}

OM_TEST(admission_needs_every_condition)
{
    OM_TRY(rule("\"peer\": [\"" PEER "\"], \"hours\": {\"from\": \"22:00\", \"to\": \"08:00\"}"));
    CHECK(!is_denied());
    ask.minute = 0;
    CHECK(is_denied());
    CHECK_STR(reason(), "rule \"r\" (peer, hours)");
    ask.peer.b[0] = 1;
    CHECK(!is_denied());
    OM_TRY(rule(""));
    CHECK(is_denied());
    CHECK_STR(reason(), "rule \"r\" (everybody)");
out:
    return;
}

OM_TEST(admission_first_match_wins)
{
    json_t *o = json_hook_loads("{\"name\": \"friend\", \"then\": \"allow\"}");

    OM_TRY(o && rule("") && om_vm_filter_add(&f, o, 1, NULL) == OM_OK);
    CHECK(om_vm_admission_test(&f, &ask).verdict == OM_VM_DENY);
    CHECK(om_vm_filter_remove(&f, "friend"));
    OM_TRY(om_vm_filter_add(&f, o, 0, NULL) == OM_OK);
    CHECK(om_vm_admission_test(&f, &ask).verdict == OM_VM_ALLOW);
    CHECK_STR(reason(), "rule \"friend\" (everybody)");
    om_vm_filter_init(&f);
    CHECK(om_vm_admission_test(&f, &ask).verdict == OM_VM_ASK);
out:
    json_decref(o);
}

OM_TEST(admission_owner_is_let_in)
{
    OM_TRY(rule(""));
    ask.is_owner = true;
    CHECK(om_vm_admission_test(&f, &ask).verdict == OM_VM_ALLOW);
    CHECK_STR(reason(), "it is the owner's own");
out:
    return;
}
