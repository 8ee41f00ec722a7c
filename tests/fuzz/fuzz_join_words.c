/*
 * fuzz_join_words.c - what is said in JSON by who joins, renews or agrees a cloister, and to it
 *
 * The first byte says as what it is read: an answer to a joining or renewal, the question, or a
 * word of a cloister. What is refused changes nothing; what is accepted reads the same again.
 */
#include <omerta/text.h>

#include "cloister_words.h"
#include "fuzz.h"
#include "service/join.h"
#include "service/words.h"

static bool is_same(const struct om_join_answer *a, const struct om_join_answer *b)
{
    return a->is_made == b->is_made && a->epoch == b->epoch && a->node_len == b->node_len &&
           a->admin_count == b->admin_count &&
           memcmp(a->secret, b->secret, sizeof a->secret) == 0 &&
           memcmp(a->node, b->node, a->node_len) == 0 &&
           memcmp(a->admin, b->admin, sizeof a->admin) == 0 &&
           memcmp(a->admins, b->admins, sizeof a->admins) == 0;
}

static void check_answer(const json_t *o)
{
    struct om_join_answer a = {.epoch = 99}, back = {.epoch = 0};

    if (om_join_words_read(&a, o) != OM_OK) {
        FUZZ_MUST(a.epoch == 99 && !a.is_made && a.admin_count == 0);
        return;
    }
    FUZZ_MUST(a.admin_count <= OM_JOIN_ADMINS_MAX && a.node_len <= sizeof a.node);
    FUZZ_MUST(!a.is_made || (a.node_len >= OM_NODE_CERT_LEAST && a.admin_count == 0));
    json_t *again = om_join_words_answer(&a);
    FUZZ_MUST(again && om_join_words_read(&back, again) == OM_OK && is_same(&a, &back));
    json_decref(again);
}

static void check_question(const json_t *o)
{
    const char *name = om_join_words_name(o);

    if (!name)
        return;
    json_t *again = om_join_words_ask(name);
    const char *back = om_join_words_name(again);
    FUZZ_MUST(again && back && strcmp(name, back) == 0);
    json_decref(again);
}

static void check_cloister(struct om_bytes text, const char *name)
{
    static const uint8_t before[CLOISTER_WORD] = {0x63};
    uint8_t word[CLOISTER_WORD] = {0x63};

    if (!cloister_words_read(word, text, name))
        FUZZ_MUST(memcmp(word, before, sizeof word) == 0);
}

int fuzz_one(const uint8_t *data, size_t size)
{
    if (size == 0 || size > OM_WORDS_MAX)
        return 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    size_t n = size - 1 + (FUZZ_SLACK > 0 && size > 20);
    json_t *o = NULL;
    /* jansson would refuse it too, but is not built with the sanitizers: this read is seen */
    bool is_text = om_text_is_utf8(om_bytes(copy, n));
    if (is_text && data[0] % 4 >= 2)
        check_cloister(om_bytes(copy, n), data[0] % 4 == 2 ? CLOISTER_COMMIT : CLOISTER_POINT);
    else if (is_text && om_words_load(om_bytes(copy, n), &o) == OM_OK && data[0] % 4 == 0)
        check_answer(o);
    else if (o)
        check_question(o);
    json_decref(o);
    free(copy);
    return 0;
}
