/* test_questions.c - questions that wait, and whose there is room for. */
#include "harness.h"

#include "questions.h"

static struct question places[QUESTIONS_MAX];
static struct questions all;

static void begin(void)
{
    memset(places, 0, sizeof places);
    all = (struct questions){.of = {NULL}};
    for (unsigned i = 0; i < QUESTIONS_MAX; i++)
        all.of[i] = &places[i];
}

/* Question @number, with the peer of that number; NULL: refused. */
static struct question *ask(uint8_t network, unsigned number, bool is_ours, unsigned networks)
{
    return questions_take(&all,
                          &(struct question){.network = {{network}},
                                             .peer = {{(uint8_t)number}},
                                             .number = number,
                                             .is_ours = is_ours},
                          networks);
}

OM_TEST(questions_are_found)
{
    const struct om_id network = {{1}}, other = {{2}}, peer = {{7}};

    begin();
    CHECK(ask(1, 6, false, 2) && ask(1, 7, true, 2));
    CHECK_EQ(questions_find(&all, 7)->peer.b[0], 7);
    CHECK(!questions_find(&all, 8) && !questions_find(&all, 0));
    CHECK(questions_with(&all, &network, &peer) == questions_find(&all, 7));
    CHECK(!questions_with(&all, &other, &peer)); /* the same key is somebody else there */
    memset(questions_find(&all, 7), 0, sizeof(struct question));
    CHECK(!questions_find(&all, 7) && !questions_with(&all, &network, &peer));
}

OM_TEST(questions_of_peers_are_bounded)
{
    unsigned n = 1;

    begin();
    for (; n <= QUESTIONS_IN_MAX; n++)
        CHECK(ask(1, n, false, 1)); /* of one network alone */
    CHECK(!ask(1, n, false, 1));
    for (; n <= QUESTIONS_MAX; n++)
        CHECK(ask(1, n, true, 1)); /* the user's own */
    CHECK(!ask(1, n, true, 1));
}

/* Keys are free to make, and each may ask once. */
OM_TEST(questions_keep_room_for_another_network)
{
    unsigned n = 1;

    begin();
    for (; n < QUESTIONS_IN_MAX; n++)
        CHECK(ask(1, n, false, 2));
    CHECK(!ask(1, n, false, 2));
    CHECK(ask(2, n, false, 2));
    n++;
    CHECK(!ask(2, n, false, 2));
}
