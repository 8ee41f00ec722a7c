/*
 * ledger_wire.h - two ledgers brought together by question and answer
 *
 * What:  bodies of the call by which a member asks another for what its ledger lacks.
 * Why:   the one who answers remembers nothing of it: what was told and not yet taken is in the
 *        question, so a thousand askers cost it nothing, and one that went away leaves nothing.
 * Keeps: ledger_wire_questions_round_trip; ledger_wire_refuses_cut_and_long;
 *        ledger_wire_brings_all_in_small_pieces; ledger_wire_tells_one_thing;
 *        ledger_wire_stops_at_a_forged_entry; ledger_wire_epoch_comes_last.
 *
 *     question  u32 items to skip, u8 n <= 16, n x head (32 B owner, u32 number, 32 B sum), then
 *               nothing, or the 20 B id of the epoch that the asker goes by and has signed
 *     answer    u8 1 when there is more, then {u8 kind (0 entry, 1 admin certificate), 32 B owner,
 *               u16 length, bytes}..., and where there is no more, perhaps u8 2, u16 length, EPOCH
 *
 * While there is more, the asker repeats its question with as many more to skip as it was told:
 * its heads stay those it began with, for by them the other finds its place again. EPOCH comes
 * after all else: who has it has heard of everybody who must not.
 *
 * Source: plans/membership.md.
 */
#ifndef OM_NETWORK_LEDGER_WIRE_H
#define OM_NETWORK_LEDGER_WIRE_H

#include "network/epoch.h"
#include "network/epoch_message.h"
#include "network/ledger.h"

enum {
    OM_LEDGER_ASK_MAX = 4 + 1 + OM_LEDGER_LOGS_MAX * OM_LEDGER_HEAD_BYTES + OM_EPOCH_ID_BYTES,
    OM_LEDGER_EPOCH_MAX = 1 + 2 + OM_EPOCH_MESSAGE_MAX, /* bytes that EPOCH adds to an answer */
    OM_LEDGER_ITEM_MAX = 1 + 32 + 2 + OM_ADMIN_ENTRY_MAX,
    OM_LEDGER_ANSWER_LEAST = 1 + OM_LEDGER_ITEM_MAX, /* room that an answer needs */
    OM_LEDGER_ANSWER_MAX = 16384                     /* bytes of one that is heard */
};

/* A question. */
struct om_ledger_ask {
    uint32_t skip;
    unsigned count;
    struct om_ledger_head heads[OM_LEDGER_LOGS_MAX];
    bool has_epoch;
    uint8_t epoch[OM_EPOCH_ID_BYTES];
};

/* What an answer brought. */
struct om_ledger_heard {
    unsigned told;    /* items of it: so many more are to be skipped */
    unsigned entries; /* that were new */
    bool has_more;
    struct om_bytes epoch; /* EPOCH, of the answer's own bytes, not looked at; empty: none */
    size_t news;           /* bytes of what was new, told alone */
};

/** om_ledger_ask() - the first question of @l, to @out. */
void om_ledger_ask(struct om_ledger_ask *out, struct om_ledger *l);

/** om_ledger_ask_write() - @a to @out. Return: its bytes. */
size_t om_ledger_ask_write(uint8_t out[static OM_LEDGER_ASK_MAX], const struct om_ledger_ask *a);

/** om_ledger_ask_read() - read @in into @out, untouched on failure. Return: OM_OK or OM_E_PARSE. */
OM_MUST enum om_err om_ledger_ask_read(struct om_ledger_ask *out, struct om_bytes in);

/**
 * om_ledger_answer() - what @l has above the heads of a question
 * @l:    the ledger
 * @a:    the question
 * @out:  at least OM_LEDGER_ANSWER_LEAST bytes
 *
 * Return: bytes of the answer.
 */
size_t om_ledger_answer(struct om_ledger *l, const struct om_ledger_ask *a, struct om_mut out);

/** om_ledger_answer_epoch() - @epoch, an EPOCH, at the end of an answer of @n bytes that has no
 *  more, in @out, where there is room for OM_LEDGER_EPOCH_MAX. Return: bytes of the answer. */
size_t om_ledger_answer_epoch(struct om_mut out, size_t n, struct om_bytes epoch);

/** om_ledger_part() - @t alone as an answer that has no more, to @out. Return: its bytes. */
size_t om_ledger_part(uint8_t out[static OM_LEDGER_ANSWER_LEAST], const struct om_ledger_told *t);

/**
 * om_ledger_hear() - take what an answer brings
 * @l:    the ledger
 * @in:   as received
 * @out:  what it came to, also on failure
 *
 * Return: OM_OK; OM_E_PARSE for a malformed one or one over OM_LEDGER_ANSWER_MAX; OM_E_CRYPTO at
 * the first thing that was not signed by whom it should be: who tells that never checked it, and is
 * to be asked no more; OM_E_NO_MEM. What came before stays.
 */
OM_MUST enum om_err om_ledger_hear(struct om_ledger *l, struct om_bytes in,
                                   struct om_ledger_heard *out);

/**
 * om_ledger_hear_news() - as om_ledger_hear(), and what is to be kept of it
 * @l:     the ledger
 * @in:    as received
 * @news:  room for as much as @in has: receives an answer that has no more, of the entries and
 *         certificates that were new; out->news of its bytes
 * @out:   what it came to, also on failure
 *
 * Return: as om_ledger_hear().
 */
OM_MUST enum om_err om_ledger_hear_news(struct om_ledger *l, struct om_bytes in, struct om_mut news,
                                        struct om_ledger_heard *out);

#endif
