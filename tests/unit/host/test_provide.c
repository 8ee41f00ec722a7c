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
