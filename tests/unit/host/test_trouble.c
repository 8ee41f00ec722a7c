/* test_trouble.c - what is said of a network whose members do not answer. */
#include "harness.h"

#include "trouble.h"

static const struct daemon_network lab = {.self = {.b = {1}}, .name = "lab", .is_closed = true};
static const struct om_id ann = {.b = {2}};

static bool says(const struct daemon_network *net, const char *word)
{
    char text[200] = "";

    return trouble_text(net, text, sizeof text) && strlen(text) < sizeof text - 1 &&
           strstr(text, "network lab") && strstr(text, word) && *trouble_mend(net);
}

OM_TEST(trouble_is_the_last_that_was_told)
{
    struct daemon_network net = lab;

    CHECK(!says(&net, "") && !*trouble_mend(&net));
    trouble_event(&net, &(struct om_event){.kind = OM_EVENT_OUTDATED, .peer = lab.self}, false);
    CHECK(says(&net, "new invitation"));
    trouble_event(&net, &(struct om_event){.kind = OM_EVENT_WRONG_CLOCK, .peer = ann, .a = 1},
                  true);
    CHECK(says(&net, "slow"));
    trouble_event(&net, &(struct om_event){.kind = OM_EVENT_WRONG_CLOCK, .peer = ann}, true);
    CHECK(says(&net, "fast"));
}

OM_TEST(trouble_is_over_with_a_session)
{
    struct daemon_network net = lab;

    trouble_event(&net, &(struct om_event){.kind = OM_EVENT_OUTDATED, .peer = lab.self}, false);
    trouble_event(&net, &(struct om_event){.kind = OM_EVENT_SESSION_UP, .peer = ann}, false);
    CHECK(says(&net, "new invitation")); /* that was in another network */
    trouble_event(&net, &(struct om_event){.kind = OM_EVENT_SESSION_UP, .peer = ann}, true);
    CHECK(!says(&net, ""));
}

OM_TEST(trouble_of_others_is_not_ours)
{
    struct daemon_network net = lab;

    trouble_event(&net, &(struct om_event){.kind = OM_EVENT_OUTDATED, .peer = ann}, false);
    trouble_event(&net, &(struct om_event){.kind = OM_EVENT_WRONG_CLOCK, .peer = ann}, false);
    CHECK(!says(&net, ""));
    trouble_event(&net, &(struct om_event){.kind = OM_EVENT_OUTDATED, .peer = lab.self}, false);
    CHECK(says(&net, ""));
}

OM_TEST(trouble_is_no_reason_to_leave_what_is_ours)
{
    struct daemon_network net = lab;

    trouble_event(&net, &(struct om_event){.kind = OM_EVENT_OUTDATED, .peer = lab.self}, false);
    CHECK(strstr(trouble_mend(&net), "network leave")); /* control */
    net.is_ours = true;
    CHECK(!strstr(trouble_mend(&net), "network leave"));
    CHECK(strstr(trouble_mend(&net), "authority's key"));
}
