/*
 * fuzz_scenario.c - scenario texts: any bytes, and any schedule they make
 *
 * What can be read is played as far as it is small: whatever the order of deeds, no datagram is
 * delivered twice or altered, and no node works without end.
 */
#include "fuzz.h"
#include "play.h"

enum { ACTORS_MAX = 8, DEEDS_MAX = 40, COUNT_MAX = 50, STEPS_MAX = 3000 };

static bool is_small(const struct sim_script *s)
{
    if (s->actor_count > ACTORS_MAX || s->deed_count > DEEDS_MAX)
        return false;
    for (unsigned i = 0; i < s->deed_count; i++)
        if (s->deeds[i].verb != SIM_EPOCH && s->deeds[i].number > COUNT_MAX)
            return false;
    return true;
}

static void play(const struct sim_script *s)
{
    const struct sim_play_options o = {.steps_max = STEPS_MAX};
    struct sim_result r;

    sim_play(s, &o, &r);
    FUZZ_MUST(!strstr(r.broken, "twice"));
    FUZZ_MUST(!strstr(r.broken, "nobody sent"));
    FUZZ_MUST(!strstr(r.broken, "in one instant"));
}

int fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *copy = fuzz_copy(data, size);
    struct sim_script *s;
    struct om_error err;

    if (sim_script_parse(&s, "fuzz", om_bytes(copy, size), &err) == OM_OK) {
        if (is_small(s))
            play(s);
        sim_script_free(s);
    } else {
        FUZZ_MUST(strncmp(err.msg, "fuzz:", 5) == 0);
    }
    free(copy);
    return 0;
}
