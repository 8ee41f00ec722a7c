/* test_health.c - a peer's figures, and those that cannot be. */
#include "harness.h"

#include <omerta/attr.h>

#include "json_hook.h"
#include "service/health.h"
#include "service/words.h"

static bool decode(const char *text, struct om_health_status *s)
{
    json_t *o;

    if (om_words_load(om_bytes(text, strlen(text)), &o) != OM_OK)
        return false;
    om_health_decode(o, s);
    json_decref(o);
    return true;
}

OM_TEST(health_round_trips)
{
    struct om_health_status s = {
        .uptime_s = 9007199254740992.0, .peers = 0, .sessions = -1, .version = "0.1.0"};
    json_t *metrics = json_pack("{s:i}", "load", 7), *o = NULL;

    o = om_health_encode(&s, metrics); /* taken */
    OM_TRY(o);
    OM_TRY(json_object_get(o, "metrics"));
    CHECK(json_object_get(o, "sessions") == NULL);
    s = (struct om_health_status){0};
    om_health_decode(o, &s);
    CHECK(s.uptime_s == 9007199254740992.0 && s.peers == 0 && s.sessions == -1);
    CHECK_STR(s.version, "0.1.0");
    CHECK_EQ(s.refused, 0);
out:
    json_decref(o);
}

OM_TEST(health_absurd_figures_are_unknown)
{
    static const char *const absurd[] = {
        "-1", "0.5", "9007199254740993", "1e300", "-0.25", "\"7\"", "[7]", "{}", "null", "true"};
    struct om_health_status s;
    char text[800], version[OM_HEALTH_TEXT_MAX + 2];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(absurd); i++) {
        snprintf(text, sizeof text, "{\"peers\":%s,\"sessions\":3,\"version\":\"v\"}", absurd[i]);
        OM_TRY(decode(text, &s));
        CHECK(s.peers == -1 && s.sessions == 3 && s.uptime_s == -1); /* the others still count */
        CHECK_EQ(s.refused, 1); /* what is left out was not refused */
        CHECK_STR(s.version, "v");
    }
    OM_TRY(decode("{\"peers\":4e2}", &s));
    CHECK(s.peers == 400 && s.refused == 0);
    memset(version, 'x', sizeof version);
    for (unsigned over = 0; over < 2; over++) {
        snprintf(text, sizeof text, "{\"version\":\"%.*s\"}", OM_HEALTH_TEXT_MAX + (int)over,
                 version);
        OM_TRY(decode(text, &s));
        CHECK_EQ(strlen(s.version), over ? 0 : OM_HEALTH_TEXT_MAX);
        CHECK_EQ(s.refused, over);
    }
    OM_TRY(decode("{\"version\":2}", &s));
    CHECK_EQ(s.refused, 1);
out:;
}

OM_TEST(health_keeps_unknown_members)
{
    static const char text[] = "{\"peers\":1,\"of later\":[2],\"metrics\":{\"a\":{\"b\":3}}}";
    struct om_health_status s;
    struct om_mut out = om_mut(NULL, 0);
    json_t *o = NULL;

    OM_TRY(om_words_load(om_bytes(text, strlen(text)), &o) == OM_OK);
    om_health_decode(o, &s);
    OM_TRY(om_words_dump(o, &out) == OM_OK);
    CHECK_EQ(out.n, strlen(text));
    CHECK_MEM(out.p, text, out.n);
out:
    free(out.p);
    json_decref(o);
}
