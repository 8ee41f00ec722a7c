/* test_why.c - advice follows from what happened. */
#include "harness.h"

#include "path/why.h"

/* A session, and one way that carries: direct, or over a lane. */
static struct om_path_why reached(uint32_t lane)
{
    struct om_path_why w = {
        .has_session = true, .path_count = 1, .again = OM_NEVER, .has_v6 = true, .relays = 1};

    w.is_mapped = true;
    w.knows_address = true;
    w.paths[0].via.lane = lane;
    return w;
}

static void punched(struct om_path_why *w, enum om_attempt_saw saw, const char *reason)
{
    w->attempts[w->attempt_count++] =
        (struct om_attempt){.what = OM_ATTEMPT_PUNCH, .saw = saw, .reason = reason};
}

static bool has(const struct om_path_why *w, enum om_hint_kind kind)
{
    for (unsigned i = 0; i < w->hint_count; i++)
        if (w->hints[i].kind == kind)
            return true;
    return false;
}

OM_TEST(why_says_blocked_before_all_else)
{
    struct om_path_why w = {.active = -1, .is_blocked = true, .asked = 9};

    om_why_judge(&w);
    CHECK_EQ(w.hint_count, 1); /* nothing else helps before that is mended */
    CHECK_EQ(w.hints[0].kind, OM_HINT_UDP_BLOCKED);
    CHECK_EQ(w.hints[0].n, 9);
    w.is_blocked = false; /* the control */
    om_why_judge(&w);
    CHECK(has(&w, OM_HINT_NO_RELAY) && has(&w, OM_HINT_NO_ADDRESS));
}

OM_TEST(why_knows_silence_from_ignorance)
{
    struct om_path_why w = {.active = -1, .relays = 1};

    om_why_judge(&w); /* nothing was tried: nobody says where it is */
    CHECK_EQ(w.hint_count, 1);
    CHECK_EQ(w.hints[0].kind, OM_HINT_NO_ADDRESS);
    w.knows_address = true;
    w.attempt_count = 1;
    w.attempts[0] = (struct om_attempt){.saw = OM_SAW_UNASKED};
    om_why_judge(&w);
    CHECK_EQ(w.hint_count, 0);
    w.attempts[0].saw = OM_SAW_SILENCE;
    om_why_judge(&w);
    CHECK_EQ(w.hint_count, 1);
    CHECK_EQ(w.hints[0].kind, OM_HINT_SILENT);
}

OM_TEST(why_of_a_direct_pair_wants_nothing)
{
    struct om_path_why w = reached(0);

    w.is_mapped = w.has_v6 = false;
    punched(&w, OM_SAW_REFUSAL, "hard"); /* before: of no interest now */
    om_why_judge(&w);
    CHECK_EQ(w.hint_count, 0);
    w.paths[0].via.lane = 5; /* the control */
    om_why_judge(&w);
    CHECK(w.hint_count > 0);
}

OM_TEST(why_of_a_relayed_pair_names_the_remedy)
{
    struct om_path_why w = reached(5);

    punched(&w, OM_SAW_REFUSAL, "hard");
    w.is_mapped = w.has_v6 = false;
    om_why_judge(&w);
    CHECK_EQ(w.hints[0].kind, OM_HINT_OPEN_PORT);
    CHECK(has(&w, OM_HINT_MAP_PORT));
    CHECK(has(&w, OM_HINT_IPV6));
    CHECK(!has(&w, OM_HINT_HAIRPIN));
    w.attempts[0].reason = "hairpin";
    om_why_judge(&w);
    CHECK_EQ(w.hints[0].kind, OM_HINT_HAIRPIN);
    CHECK(!has(&w, OM_HINT_OPEN_PORT));
}

OM_TEST(why_waits_while_it_is_tried)
{
    struct om_path_why w = reached(5);

    w.again = OM_MS(1500);
    om_why_judge(&w);
    CHECK_EQ(w.hint_count, 1);
    CHECK_EQ(w.hints[0].kind, OM_HINT_WAIT);
    CHECK_EQ(w.hints[0].n, 1500);
    punched(&w, OM_SAW_SILENCE, ""); /* it was tried: that it is tried again is no remedy */
    om_why_judge(&w);
    CHECK_EQ(w.hints[0].kind, OM_HINT_OPEN_PORT);
    CHECK(!has(&w, OM_HINT_WAIT));
    w.is_punching = true;
    om_why_judge(&w);
    CHECK(has(&w, OM_HINT_WAIT));
}

OM_TEST(why_tells_of_a_nearer_relay)
{
    struct om_path_why w = reached(5);

    w.gain = OM_MS(OM_WHY_NEARER_MS) - 1;
    om_why_judge(&w);
    CHECK_EQ(w.hint_count, 0);
    w.gain = OM_MS(80);
    w.nearer.b[0] = 7;
    w.is_mapped = w.has_v6 = false;
    w.is_punching = true;
    punched(&w, OM_SAW_SILENCE, ""); /* more than there is room for: this is told all the same */
    om_why_judge(&w);
    CHECK_EQ(w.hint_count, OM_WHY_HINTS_MAX);
    const struct om_hint *last = &w.hints[w.hint_count - 1];
    CHECK_EQ(last->kind, OM_HINT_NEARER_RELAY);
    CHECK_EQ(last->n, 80);
    CHECK_EQ(last->relay.b[0], 7);
    for (unsigned i = 0; i < OM_HINT_KINDS; i++)
        CHECK(om_hint_name((enum om_hint_kind)i)[0]);
    CHECK_STR(om_hint_name(OM_HINT_KINDS), "unknown");
}
