/*
 * call.h - calls between peers, and the byte streams they become
 *
 * What:  a program asks a peer for something by a method's name; the peer's program accepts or
 *        refuses; then the stream on which that travelled belongs to the two programs, bytes
 *        both ways, reliable, in order, each direction closed on its own.
 * Why:   every stream says first what it is for, so a node can refuse before any cost, and a
 *        tunnel, a job or a message need no multiplexing of their own.
 * Keeps: call_is_accepted_and_carries_both_ways; call_refusal_says_why; call_to_nobody_times_out;
 *        call_borrows_until_released; call_survives_rekey_and_move; call_survives_an_outage;
 *        call_reader_holds_back_writer;
 *        call_restart_resets; call_hung_up_is_told;
 *        call_ends_with_the_association; call_ends_when_the_peer_is_gone;
 *        call_at_rest_stands; call_outlives_our_own_sleep;
 *        call_reset_does_not_overtake_the_answer.
 *
 * A call is named by a number that its node never uses again. Its life at either end:
 *
 *   om_node_call() ----> OM_ACT_REPLY ok ----> bytes both ways ----> om_node_hang_up()
 *                            | or an error: nothing follows but om_node_hang_up()
 *   OM_ACT_CALL ----> om_node_accept() ----> bytes both ways ----> om_node_hang_up()
 *                        or om_node_refuse() ----> (the number is gone)
 *
 * Full: OM_CALLS_MAX calls of a node and OM_STREAMS_MAX streams of a peer; then new ones are
 * refused with OM_E_FULL here, and to a peer by a reset with OM_CLOSE_LIMIT.
 */
#ifndef OMERTA_CALL_H
#define OMERTA_CALL_H

#include <omerta/bytes.h>
#include <omerta/close.h>
#include <omerta/err.h>
#include <omerta/id.h>
#include <omerta/time.h>

struct om_node;

enum { OM_CALLS_MAX = 65536, OM_METHOD_MAX = 32 };

/* Who goes first when the path does not take everything at once. */
enum om_priority { OM_INTERACTIVE, OM_NORMAL, OM_BULK, OM_PRIORITIES };

/* What happened on a call; bits. */
enum om_call_news {
    OM_CALL_READABLE = 1, /* om_node_read() has bytes, or the end */
    OM_CALL_RELEASED = 2, /* released grew: those bytes are the program's again */
    OM_CALL_RESET = 4,    /* the peer gave up sending: code */
    OM_CALL_STOPPED = 8,  /* the peer wants no more: code; writing is over */
    OM_CALL_DONE = 16     /* everything was sent, acknowledged, received and read, or given up */
};

struct om_call_config {
    const char *method;   /* 1 to OM_METHOD_MAX bytes */
    struct om_bytes args; /* a JSON object, or empty for {}; copied */
    enum om_priority priority;
    om_time timeout; /* until the answer; 0: 30 s */
};

/* For OM_ACT_CALL: a peer asks. Everything is lent until the next om_node_*(). */
struct om_act_call {
    uint64_t call;
    struct om_id network;
    struct om_id peer; /* authenticated */
    const char *method;
    struct om_bytes args; /* a JSON object */
};

/* For OM_ACT_REPLY: the answer, lent until the next om_node_*(). */
struct om_act_reply {
    uint64_t call;
    bool is_ok;
    struct om_bytes body; /* a JSON object when ok, else a sentence of the peer's: escape it */
    const char *error;    /* name of the error (plans/services.md), "" when ok */
};

/* For OM_ACT_STREAM: something happened to the bytes of a call. */
struct om_act_stream {
    uint64_t call;
    unsigned news;     /* enum om_call_news */
    uint64_t released; /* bytes from the start that are the program's again */
    uint64_t left;     /* bytes from the start that left at least once: what waits lies behind */
    uint32_t code;     /* with RESET or STOPPED (PROTOCOL 4, Codes) */
};

/**
 * om_node_call() - ask a peer
 * @n:        the node
 * @now:      time
 * @network:  one that was joined
 * @peer:     a known peer, with or without a session (without, one is made first), or the node
 *            itself: then the call arrives here too, as from any peer, and nothing is sent
 * @config:   what; copied
 * @call:     receives the call's number
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_NO_ROUTE, OM_E_RANGE or OM_E_PARSE for a method or arguments
 * that cannot be sent, OM_E_FULL, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_call(struct om_node *n, om_time now, const struct om_id *network,
                                 const struct om_id *peer, const struct om_call_config *config,
                                 uint64_t *call);

/**
 * om_node_accept() - say yes to an OM_ACT_CALL; bytes may follow at once
 * @n:     the node
 * @now:   time
 * @call:  its number
 * @body:  a JSON object, or empty for {}; copied
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_STATE when it was answered or has ended, OM_E_PARSE,
 * OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_accept(struct om_node *n, om_time now, uint64_t call,
                                   struct om_bytes body);

/**
 * om_node_refuse() - say no to an OM_ACT_CALL, whose number is gone then
 * @n:      the node
 * @now:    time
 * @call:   its number
 * @error:  name of the error
 * @text:   a sentence for the other side; may be NULL
 *
 * Return: as om_node_accept().
 */
OM_MUST enum om_err om_node_refuse(struct om_node *n, om_time now, uint64_t call, const char *error,
                                   const char *text);

/**
 * om_node_limit() - wait no longer than limits.call_patience for an answer of the peer
 * @n:     the node
 * @now:   time
 * @call:  an accepted one; others are left as they are
 *
 * Then the call ends as if the peer had reset it. Without, it stands for as long as the
 * association, which outlives a night's sleep, but also a peer that is gone for good.
 *
 * Source: PROTOCOL section 4 ("a stream may set a shorter limit"); RFC 9293 section 3.8.3 (TCP's
 * own limit), RFC 1122 section 4.2.3.6 (asking a peer at rest).
 */
void om_node_limit(struct om_node *n, om_time now, uint64_t call);

/**
 * om_node_write() - send bytes
 * @n:     the node
 * @now:   time
 * @call:  an accepted one
 * @data:  borrowed until an OM_ACT_STREAM says that it is released, or om_node_hang_up()
 *
 * Return: OM_OK, OM_E_MISSING, OM_E_STATE before the answer, after the end or when the peer wants
 * no more, OM_E_BUSY while too many writes wait for their acknowledgement, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_node_write(struct om_node *n, om_time now, uint64_t call,
                                  struct om_bytes data);

/** om_node_finish() - nothing follows on @call of @n at @now. Return: as om_node_write(). */
OM_MUST enum om_err om_node_finish(struct om_node *n, om_time now, uint64_t call);

/**
 * om_node_read() - what arrived and was not consumed
 * @n:       the node
 * @call:    a call
 * @is_end:  receives true when the peer finished and everything was consumed; may be NULL
 *
 * Return: bytes, lent until om_node_consume(); there may be more behind them. Empty when there is
 * nothing yet.
 */
struct om_bytes om_node_read(const struct om_node *n, uint64_t call, bool *is_end);

/**
 * om_node_read_pieces() - as om_node_read(), for writev()
 * @n:       the node
 * @call:    a call
 * @out:     receives pieces that follow one another, lent until om_node_consume()
 * @max:     room in @out
 * @is_end:  as om_node_read()
 *
 * Return: how many pieces; 0 when there is nothing yet.
 */
unsigned om_node_read_pieces(const struct om_node *n, uint64_t call, struct om_bytes *out,
                             unsigned max, bool *is_end);

/** om_node_is_loop() - is the peer of @call of @n this node itself? Then what om_node_read() lent
 *  is gone as soon as the other end hangs up, before OM_CALL_RESET tells of it. */
bool om_node_is_loop(const struct om_node *n, uint64_t call);

/** om_node_consume() - the first @bytes that could be read of @call of @n are done with at @now. */
void om_node_consume(struct om_node *n, om_time now, uint64_t call, size_t bytes);

/**
 * om_node_hang_up() - be done with a call, whatever became of it; its number is gone then
 * @n:     the node
 * @now:   time
 * @call:  its number
 * @code:  what the other side is told if anything was left to send or receive (PROTOCOL 4, Codes)
 *
 * Written bytes that are not released yet are given up: who wants them to arrive waits for
 * OM_CALL_DONE first.
 */
void om_node_hang_up(struct om_node *n, om_time now, uint64_t call, uint32_t code);

#endif
