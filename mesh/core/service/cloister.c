/* cloister.c - commit, answer, reveal; then two who say yes. */
#include <omerta/cloister.h>

#include <string.h>

#include <sodium.h>

#include <omerta/attr.h>
#include <omerta/text.h>

#include "crypto/kdf.h"

enum { MAC = 16, CODE_BYTES = 4 /* of which the last two bits are not shown */ };

static_assert((int)OM_CLOISTER_BODY_MAX >= (int)OM_CLOISTER_REVEAL, "a message does not fit");
static_assert((int)OM_CLOISTER_BODY_MAX >= (int)OM_CLOISTER_AGREE, "a message does not fit");
static_assert((int)OM_CLOISTER_POINT == (int)crypto_scalarmult_BYTES, "X25519 has 32 bytes");
static_assert(OM_BASE32_LEN(CODE_BYTES) >= OM_CLOISTER_CODE, "a code of too few bytes");

static const char *const whys[][2] = {
#define X(symbol, name, help) {name, help},
    OM_CLOISTER_WHYS(X)
#undef X
};

const char *om_cloister_why_name(enum om_cloister_why why)
{
    return (unsigned)why < OM_CLOISTER_WHY_COUNT ? whys[why][0] : "unknown";
}

const char *om_cloister_why_text(enum om_cloister_why why)
{
    return (unsigned)why < OM_CLOISTER_WHY_COUNT ? whys[why][1] : "";
}

bool om_cloister_yields(const struct om_id *self, const struct om_id *peer)
{
    return memcmp(self->b, peer->b, sizeof self->b) > 0;
}

static void say(struct om_cloister *c, struct om_bytes a, struct om_bytes b)
{
    OM_BUG_IF(c->out_count == OM_ARRAY_SIZE(c->out) || a.n + b.n > OM_CLOISTER_BODY_MAX);
    struct om_cloister_message *m = &c->out[c->out_count++];
    memcpy(m->body, a.p, a.n);
    if (b.n > 0)
        memcpy(m->body + a.n, b.p, b.n);
    m->len = (uint8_t)(a.n + b.n);
}

static void begin(struct om_cloister *c, om_time now, const struct om_id *self,
                  const struct om_id *peer, const struct om_rng *rng)
{
    *c = (struct om_cloister){
        .self = *self, .peer = *peer, .until = now + OM_SEC(OM_CLOISTER_HANDS_S)};
    om_rng_fill(rng, c->secret, sizeof c->secret);
    (void)crypto_scalarmult_base(c->point, c->secret);
}

void om_cloister_ask(struct om_cloister *c, om_time now, const struct om_id *self,
                     const struct om_id *peer, const struct om_rng *rng)
{
    begin(c, now, self, peer, rng);
    c->step = OM_CLOISTER_ASKED;
    c->is_asker = true;
    om_rng_fill(rng, c->nonce, sizeof c->nonce);
    om_hash(c->commit, om_bytes(c->point, sizeof c->point), om_bytes(c->nonce, sizeof c->nonce));
    say(c, om_bytes(c->commit, sizeof c->commit), om_bytes(NULL, 0));
}

enum om_err om_cloister_answer(struct om_cloister *c, om_time now, const struct om_id *self,
                               const struct om_id *peer, struct om_bytes offer,
                               const struct om_rng *rng)
{
    if (offer.n != OM_CLOISTER_COMMIT)
        return OM_E_PARSE;
    begin(c, now, self, peer, rng);
    c->step = OM_CLOISTER_ANSWERED;
    memcpy(c->commit, offer.p, sizeof c->commit);
    say(c, om_bytes(c->point, sizeof c->point), om_bytes(NULL, 0));
    return OM_OK;
}

size_t om_cloister_wants(const struct om_cloister *c)
{
    switch (c->step) {
    case OM_CLOISTER_ASKED:
        return OM_CLOISTER_POINT;
    case OM_CLOISTER_ANSWERED:
        return OM_CLOISTER_REVEAL;
    case OM_CLOISTER_COMPARING:
        return c->they_agree ? 0 : OM_CLOISTER_AGREE;
    case OM_CLOISTER_NONE:
    case OM_CLOISTER_DONE:
    case OM_CLOISTER_FAILED:
        break;
    }
    return 0;
}

/* @a and @b, 32 bytes each, the lesser first. */
static void put_sorted(uint8_t out[static 64], const uint8_t *a, const uint8_t *b)
{
    bool is_first = memcmp(a, b, 32) < 0;

    memcpy(out, is_first ? a : b, 32);
    memcpy(out + 32, is_first ? b : a, 32);
}

/* What the two have in common, now that each has the point of the other. */
static enum om_err derive(struct om_cloister *c, om_time now, const uint8_t *theirs)
{
    uint8_t x[32], code[32], context[128];
    char text[OM_BASE32_LEN(CODE_BYTES) + 1];
    const struct om_bytes all = om_bytes(context, sizeof context);

    if (crypto_scalarmult(x, c->secret, theirs) != 0) {
        sodium_memzero(x, sizeof x);
        return OM_E_CRYPTO;
    }
    put_sorted(context, c->self.b, c->peer.b);
    put_sorted(context + 64, c->point, theirs);
    om_kdf(c->key, x, "cloister", all);
    om_kdf(c->proof, x, "cloister proof", all);
    om_kdf(code, x, "code", all);
    om_base32_encode(text, om_bytes(code, CODE_BYTES));
    memcpy(c->code, text, OM_CLOISTER_CODE);
    om_kdf(c->network.b, c->key, "direct", om_bytes(NULL, 0));
    sodium_memzero(x, sizeof x);
    sodium_memzero(code, sizeof code);
    sodium_memzero(text, sizeof text);
    sodium_memzero(c->secret, sizeof c->secret);
    c->step = OM_CLOISTER_COMPARING;
    c->until = now + OM_SEC(OM_CLOISTER_PEOPLE_S);
    return OM_OK;
}

static enum om_err take_reveal(struct om_cloister *c, om_time now, struct om_bytes in)
{
    uint8_t commit[OM_CLOISTER_COMMIT];

    om_hash(commit, in, om_bytes(NULL, 0));
    if (sodium_memcmp(commit, c->commit, sizeof commit) != 0)
        return OM_E_CRYPTO;
    return derive(c, now, in.p);
}

static enum om_err take_answer(struct om_cloister *c, om_time now, struct om_bytes in)
{
    enum om_err e = derive(c, now, in.p);

    if (e == OM_OK)
        say(c, om_bytes(c->point, sizeof c->point), om_bytes(c->nonce, sizeof c->nonce));
    return e;
}

/* That @who, by its key in the network that there is, will be @key in the new one. */
static void prove(uint8_t mac[static MAC], const struct om_cloister *c, const struct om_id *who,
                  const struct om_id *key)
{
    om_mac128(mac, c->proof, sizeof c->proof, om_bytes(who->b, sizeof who->b),
              om_bytes(key->b, sizeof key->b));
}

/* Both said yes: there is a network. */
static void settle(struct om_cloister *c)
{
    if (!c->we_agree || !c->they_agree)
        return;
    c->step = OM_CLOISTER_DONE;
    sodium_memzero(c->proof, sizeof c->proof);
}

static enum om_err take_agree(struct om_cloister *c, struct om_bytes in)
{
    struct om_id key;
    uint8_t mac[MAC];

    memcpy(key.b, in.p, sizeof key.b);
    prove(mac, c, &c->peer, &key);
    if (sodium_memcmp(mac, in.p + sizeof key.b, sizeof mac) != 0)
        return OM_E_CRYPTO;
    c->their_key = key;
    c->they_agree = true;
    settle(c);
    return OM_OK;
}

enum om_err om_cloister_input(struct om_cloister *c, om_time now, struct om_bytes in)
{
    size_t wanted = om_cloister_wants(c);
    enum om_err e = OM_E_PARSE;

    om_cloister_tick(c, now);
    if (wanted > 0 && in.n == wanted && c->step == OM_CLOISTER_ASKED)
        e = take_answer(c, now, in);
    else if (wanted > 0 && in.n == wanted && c->step == OM_CLOISTER_ANSWERED)
        e = take_reveal(c, now, in);
    else if (wanted > 0 && in.n == wanted && c->step == OM_CLOISTER_COMPARING)
        e = take_agree(c, in);
    if (e != OM_OK && c->step != OM_CLOISTER_DONE)
        om_cloister_fail(c, OM_CLOISTER_GARBAGE);
    return e;
}

enum om_err om_cloister_agree(struct om_cloister *c, const struct om_id *own)
{
    uint8_t mac[MAC];

    if (c->step != OM_CLOISTER_COMPARING || c->we_agree)
        return OM_E_STATE;
    prove(mac, c, &c->self, own);
    say(c, om_bytes(own->b, sizeof own->b), om_bytes(mac, sizeof mac));
    c->we_agree = true;
    settle(c);
    return OM_OK;
}

static void forget(struct om_cloister *c)
{
    sodium_memzero(c->key, sizeof c->key);
    sodium_memzero(c->proof, sizeof c->proof);
    sodium_memzero(c->secret, sizeof c->secret);
    sodium_memzero(c->nonce, sizeof c->nonce);
    sodium_memzero(c->code, sizeof c->code);
    sodium_memzero(c->out, sizeof c->out);
    c->out_count = 0;
}

void om_cloister_fail(struct om_cloister *c, enum om_cloister_why why)
{
    if (c->step == OM_CLOISTER_NONE || c->step == OM_CLOISTER_FAILED)
        return;
    c->step = OM_CLOISTER_FAILED;
    c->why = why;
    forget(c);
}

void om_cloister_tick(struct om_cloister *c, om_time now)
{
    if (now >= om_cloister_deadline(c))
        om_cloister_fail(c,
                         c->step == OM_CLOISTER_COMPARING ? OM_CLOISTER_EXPIRED : OM_CLOISTER_GONE);
}

om_time om_cloister_deadline(const struct om_cloister *c)
{
    bool is_open = c->step != OM_CLOISTER_NONE && c->step < OM_CLOISTER_DONE;

    return is_open ? c->until : OM_NEVER;
}

bool om_cloister_next(struct om_cloister *c, struct om_cloister_message *out)
{
    if (c->out_count == 0)
        return false;
    *out = c->out[0];
    c->out[0] = c->out[1];
    sodium_memzero(&c->out[1], sizeof c->out[1]);
    if (--c->out_count == 0)
        sodium_memzero(c->out, sizeof c->out);
    return true;
}

void om_cloister_wipe(struct om_cloister *c)
{
    sodium_memzero(c, sizeof *c);
}
