/*
 * fuzz_rpc.c - a call's frame: any bytes, as a question and as an answer
 *
 * The first byte says in which pieces they come. The same bytes at once must come to the same end.
 */
#include <omerta/wire.h>

#include "fuzz.h"
#include "message/rpc.h"
#include "service/words.h"

static size_t feed(struct om_call *c, const uint8_t *data, size_t size, size_t piece)
{
    size_t used = 0;

    while (used < size) {
        size_t n = size - used < piece ? size - used : piece;
        size_t took = om_call_input(c, 0, om_bytes(data + used, n));
        FUZZ_MUST(took <= n);
        used += took;
        if (took < n)
            break;
    }
    return used;
}

static void begin(struct om_call *c, bool asks)
{
    *c = (struct om_call){.state = OM_CALL_REFUSED};
    if (asks)
        FUZZ_MUST(om_call_ask(c, 0, "m", om_bytes(NULL, 0), 0) == OM_OK);
    else
        om_call_hear(c, 0);
}

/* What was accepted is good enough to be sent on: to us it is a body again. */
static void check(struct om_call *c)
{
    if (c->body && strlen(c->body) <= OM_WORDS_MAX) {
        json_t *o;
        FUZZ_MUST(om_words_load(om_bytes(c->body, strlen(c->body)), &o) == OM_OK);
        json_decref(o);
    }
    if (c->state == OM_CALL_ASKED) {
        FUZZ_MUST(om_words_is_name(c->method));
        FUZZ_MUST(om_call_accept(c, om_bytes(NULL, 0)) == OM_OK);
    }
    if (c->asks && c->state == OM_CALL_REFUSED)
        FUZZ_MUST(om_words_is_name(c->error) && c->text[OM_CALL_TEXT_MAX] == '\0');
    if (!c->asks && c->state != OM_CALL_HEARING)
        FUZZ_MUST(om_call_output(c).n > OM_CALL_HEAD);
}

/* Read by another hand: the call has decided if and only if a whole frame came, or one that is no
 * good by its length; and then it took that and no more. */
static void compare(const struct om_call *c, struct om_bytes in, size_t used)
{
    struct om_rd r = om_rd(in);
    uint32_t n = om_rd_u32(&r);
    bool is_bad = !r.bad && (n == 0 || n > OM_WORDS_MAX);
    struct om_bytes text = om_rd_bytes(&r, is_bad ? 0 : n);

    FUZZ_MUST((c->state == OM_CALL_ASKING || c->state == OM_CALL_HEARING) == r.bad);
    FUZZ_MUST(used == (r.bad ? in.n : OM_CALL_HEAD + text.n));
}

int fuzz_one(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    size_t piece = 1 + data[0];

    om_words_seed(1);
    for (unsigned asks = 0; asks < 2; asks++) {
        struct om_call pieces, whole;
        begin(&pieces, asks);
        begin(&whole, asks);
        size_t used = feed(&pieces, copy, size - 1, piece);
        FUZZ_MUST(used == feed(&whole, copy, size - 1, SIZE_MAX));
        compare(&whole, om_bytes(copy, size - 1), used);
        FUZZ_MUST(pieces.state == whole.state && strcmp(pieces.error, whole.error) == 0);
        FUZZ_MUST((pieces.body == NULL) == (whole.body == NULL));
        FUZZ_MUST(!whole.body || strcmp(pieces.body, whole.body) == 0);
        check(&pieces);
        check(&whole);
        om_call_fini(&pieces);
        om_call_fini(&whole);
    }
    free(copy);
    return 0;
}
