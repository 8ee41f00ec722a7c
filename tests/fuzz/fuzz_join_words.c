/*
 * fuzz_join_words.c - what is said in JSON by who joins, renews or agrees a cloister, and to it
 *
 * The first byte says as what it is read: an answer to a joining or renewal, the question, a word
 * of a cloister, or one of a network that is handed over. What is refused changes nothing; what is
 * accepted reads the same again.
 */
#include <omerta/text.h>

#include "cloister_words.h"
#include "fuzz.h"
#include "handover_words.h"
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

static void check_offer(struct om_bytes text)
{
    struct handover_offer offer = {.what = "before"}, back = {.what = ""};
    char safe[OM_ESCAPE_LEN(OM_NAME_MAX)];

    if (!handover_words_read(&offer, text)) {
        FUZZ_MUST(strcmp(offer.what, "before") == 0 && !offer.is_closed);
        return;
    }
    const struct om_bytes name = om_bytes(offer.what, strnlen(offer.what, sizeof offer.what));
    FUZZ_MUST(name.n > 0 && name.n <= OM_NAME_MAX);
    FUZZ_MUST(om_text_escape(safe, sizeof safe, name) == name.n); /* for a person's eyes */
    char *again = handover_words_write(&offer);
    FUZZ_MUST(again && handover_words_read(&back, om_bytes(again, strlen(again))));
    FUZZ_MUST(strcmp(offer.what, back.what) == 0 && offer.is_closed == back.is_closed);
    free(again);
}

static void check_at(struct om_bytes text)
{
    struct om_addr at = {.port = 0};

    FUZZ_MUST(handover_words_at(&at, text) == (at.port != 0));
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
    const unsigned as = data[0] % 6;
    if (is_text && as >= 4)
        (as == 4 ? check_offer : check_at)(om_bytes(copy, n));
    else if (is_text && as >= 2)
        check_cloister(om_bytes(copy, n), as == 2 ? CLOISTER_COMMIT : CLOISTER_POINT);
    else if (is_text && om_words_load(om_bytes(copy, n), &o) == OM_OK && as == 0)
        check_answer(o);
    else if (o)
        check_question(o);
    json_decref(o);
    free(copy);
    return 0;
}
