/* test_provide.c - what the owner lets others have. */
#include "harness.h"

#include <stdio.h>

#include "folder.h"
#include "service/provide.h"

static const char limits[] =
    "{\"all\": {\"vms\": 2, \"cpus\": 4, \"memory\": \"2G\", \"disk\": \"10G\"}}";

static json_t *words(const char *on, const char *to)
{
    char text[512];

    (void)snprintf(text, sizeof text,
                   "{\"on\": %s, \"to\": %s, \"owner_first\": false, \"limits\": %s}", on, to,
                   limits);
    return json_loads(text, 0, NULL);
}

OM_TEST(provide_is_off_at_first)
{
    char top[FOLDER_MAX];
    struct om_error err;
    struct provide p = {.is_on = true};
    json_t *bare = json_pack("{s:b}", "on", 1);

    CHECK(folder_make(top));
    CHECK(!bare || (provide_load(&p, top, &err) && !p.is_on && p.is_owner_first) ||
          err.code == OM_E_NO_MEM);
    CHECK(!provide_read(&p, bare, &err)); /* on, but how much? */
    CHECK(!p.is_on);
    json_decref(bare);
    folder_remove(top);
}

OM_TEST(provide_remembers_what_was_set)
{
    char top[FOLDER_MAX], id[OM_ID_TEXT], to[128];
    struct om_error err;
    struct provide p = {.is_on = false}, back;
    const struct om_id friend = {{1}}, stranger = {{2}};

    (void)snprintf(to, sizeof to, "[\"%s\"]", om_id_print(&friend, id));
    json_t *o = words("true", to);
    CHECK(folder_make(top));
    if (o && provide_read(&p, o, &err) && provide_save(&p, top, &err) &&
        provide_load(&back, top, &err)) {
        CHECK(back.is_on && back.peers == 1 && !back.is_owner_first);
        CHECK_EQ(back.limits.most[OM_VM_SCOPE_ALL].memory_mib, 2048);
        CHECK(provide_allows(&back, &friend, true) && !provide_allows(&back, &stranger, true));
    } else {
        CHECK(!o || err.code == OM_E_NO_MEM || err.code == OM_E_PARSE);
    }
    json_decref(o);
    folder_remove(top);
}

OM_TEST(provide_refuses_nonsense)
{
    struct om_error err;
    struct provide p = {.is_on = false};
    json_t *bad = words("true", "[\"somebody\"]"), *all = words("true", "[\"*\"]");
    const struct om_id anybody = {{3}};

    CHECK(!provide_read(&p, bad, &err) && !p.is_on);
    json_t *first = json_pack("{s:s}", "owner_first", "yes");
    CHECK(!provide_read(&p, first, &err) && !p.is_owner_first);
    json_decref(first);
    if (all && provide_read(&p, all, &err)) {
        CHECK(provide_allows(&p, &anybody, false));
        CHECK(!provide_allows(&p, &anybody, true)); /* anybody can be in an open network */
    }
    json_decref(bad);
    json_decref(all);
}

static bool reads(struct provide *p, const char *text)
{
    struct om_error err;
    json_t *o = json_loads(text, 0, NULL);
    bool is_read = o && provide_read(p, o, &err);

    json_decref(o);
    return is_read;
}

OM_TEST(provide_has_settings_of_the_gate)
{
    static const char *const bad[] = {"{\"violations\": \"nothing\"}",
                                      "{\"violations\": 1}",
                                      "{\"gate\": \"direct\"}",
                                      "{\"rate\": -1}",
                                      "{\"rate\": 100}",
                                      "{\"rate\": 99999999999}",
                                      "{\"rate\": \"10M\"}",
                                      "{\"pause\": \"0s\"}",
                                      "{\"max_lease\": \"900d\"}",
                                      "{\"max_lease\": 5}"};
    struct provide p, back;
    struct om_error err;

    provide_init(&p);
    CHECK_EQ(p.policy, GATE_PAUSE);
    CHECK_EQ(p.lease, OM_SEC(PROVIDE_LEASE_S));
    CHECK(!p.is_on);
    for (unsigned i = 0; i < OM_ARRAY_SIZE(bad); i++)
        CHECK(!reads(&p, bad[i]));
    CHECK_EQ(p.rate, 0);
    OM_TRY(reads(&p, "{\"violations\": \"kill\", \"gate\": \"sampled\", \"rate\": 1000000,"
                     " \"pause\": \"10s\", \"max_lease\": \"2h\"}"));
    CHECK_EQ(p.policy, GATE_KILL);
    CHECK_EQ(p.gate, LINK_GATE_SAMPLED);
    CHECK_EQ(p.pause, OM_SEC(10));
    json_t *words = provide_write(&p);
    provide_init(&back);
    if (words && provide_read(&back, words, &err)) {
        CHECK_EQ(back.rate, 1000000);
        CHECK_EQ(back.lease, OM_SEC(7200));
        CHECK_EQ(back.policy, GATE_KILL);
    }
    json_decref(words);
out:
    return;
}

OM_TEST(provide_has_a_word_about_kvm)
{
    struct provide p, back;
    struct om_error err;

    provide_init(&p);
    CHECK_EQ(p.accel, OM_VM_ACCEL_WANT_AUTO);
    CHECK(!reads(&p, "{\"accel\": \"xen\"}"));
    CHECK(!reads(&p, "{\"accel\": true}"));
    OM_TRY(reads(&p, "{\"accel\": \"tcg\"}"));
    CHECK_EQ(p.accel, OM_VM_ACCEL_WANT_TCG);
    OM_TRY(reads(&p, "{\"accel\": \"kvm\"}"));
    json_t *words = provide_write(&p);
    provide_init(&back);
    if (words && provide_read(&back, words, &err))
        CHECK_EQ(back.accel, OM_VM_ACCEL_WANT_KVM);
    json_decref(words);
out:
    return;
}

OM_TEST(gate_policy_answers_each_level)
{
    enum gate_policy p = GATE_LOG;

    for (unsigned i = 0; i < GATE_POLICY_COUNT; i++) {
        CHECK(gate_policy_read(&p, gate_policy_name((enum gate_policy)i)));
        CHECK_EQ(p, i);
        CHECK_EQ(gate_policy_does(p, OM_ROGUE_PAUSE), p);
        CHECK_EQ(gate_policy_does(p, OM_ROGUE_KILL), p);
        CHECK_EQ(gate_policy_does(p, OM_ROGUE_WARN), i > GATE_WARN ? GATE_WARN : p);
    }
    CHECK(!gate_policy_read(&p, "forgive"));
}
