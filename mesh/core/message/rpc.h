/*
 * rpc.h - one call as a machine: a question, an answer, and then the method's own bytes
 *
 * What:  frames the question and the answer, bounds them in size, depth and time, and says when
 *        the bytes begin that belong to the method. Bytes go in and out; it knows no stream.
 * Why:   every stream begins this way, so a node can refuse before any cost.
 * Keeps: rpc_asks_and_answers; rpc_refusal_carries_name_and_sentence;
 *        rpc_takes_bytes_one_at_a_time; rpc_refuses_what_is_too_large;
 *        rpc_memory_follows_what_came; rpc_numbers_may_grow;
 *        rpc_refuses_what_is_no_question; rpc_garbage_for_an_answer_fails; rpc_times_out;
 *        rpc_leaves_what_follows_alone; rpc_peer_that_ends_early_is_gone;
 *        test_no_secret_outside_locked_memory.
 *
 *   asking:     ASKING ----> ACCEPTED, or REFUSED with the peer's error, or with one of ours:
 *                            garbage, too_large, timeout, gone
 *   answering:  HEARING ---> ASKED ---om_call_accept()---> ACCEPTED
 *                  |           +------om_call_refuse()---> REFUSED
 *                  +-- garbage, too large, time over ----> REFUSED
 *
 * Source: PROTOCOL section 4 (RPC).
 */
#ifndef OM_MESSAGE_RPC_H
#define OM_MESSAGE_RPC_H

#include <omerta/call.h>

enum {
    OM_CALL_HEAD = 4,       /* u32 length before the JSON */
    OM_CALL_ROOM = 512,     /* bytes first set aside for a frame that arrives */
    OM_CALL_TIMEOUT_S = 30, /* for an answer, unless the caller says another */
    OM_CALL_HEARING_S = 10, /* for a question to arrive whole */
    OM_CALL_TEXT_MAX = 200  /* bytes of an error's sentence; more is cut */
};

enum om_call_state {
    OM_CALL_ASKING,
    OM_CALL_HEARING,
    OM_CALL_ASKED,
    OM_CALL_ACCEPTED,
    OM_CALL_REFUSED
};

/* Read freely; write only through om_call_*(). */
struct om_call {
    enum om_call_state state;
    bool asks;
    uint8_t *out; /* frame to send; owned until om_call_fini(), so streams may borrow it */
    size_t out_len;
    bool is_taken;   /* by om_call_output() */
    uint8_t *in;     /* frame that arrives; owned */
    size_t in_size;  /* bytes there is room for */
    size_t in_len;   /* of it so far, head included */
    size_t in_whole; /* 0: the head is not whole yet */
    uint8_t head[OM_CALL_HEAD];
    om_time deadline;
    char method[OM_METHOD_MAX + 1]; /* ASKED */
    char *body;                    /* ASKED: arguments; ACCEPTED, asking: the result; JSON, owned */
    char error[OM_METHOD_MAX + 1]; /* REFUSED: name */
    char text[OM_CALL_TEXT_MAX + 1];
};

/**
 * om_call_ask() - begin as the one who asks
 * @c:        zeroed storage
 * @now:      time
 * @method:   a name
 * @args:     JSON object, or empty
 * @timeout:  until the answer; 0: OM_CALL_TIMEOUT_S
 *
 * Return: OM_OK; OM_E_RANGE for a bad name, or arguments too large or too deep; OM_E_PARSE for
 * arguments that are no object; OM_E_NO_MEM.
 */
OM_MUST enum om_err om_call_ask(struct om_call *c, om_time now, const char *method,
                                struct om_bytes args, om_time timeout);

/** om_call_hear() - begin @c at @now, zeroed, as the one who is asked. */
void om_call_hear(struct om_call *c, om_time now);

/** om_call_fini() - release @c; no stream may refer to its bytes any more. */
void om_call_fini(struct om_call *c);

/** om_call_output() - bytes of @c to send now, lent until om_call_fini(); once. Empty: none. */
struct om_bytes om_call_output(struct om_call *c);

/**
 * om_call_input() - bytes arrived
 * @c:    the call
 * @now:  time
 * @in:   what is next on the stream
 *
 * Return: how many of them belonged to the question or answer; what follows is the method's.
 */
size_t om_call_input(struct om_call *c, om_time now, struct om_bytes in);

/** om_call_ended() - the stream of @c ended, or was reset, before the question or answer did. */
void om_call_ended(struct om_call *c);

/** om_call_tick() - at @now, is the patience of @c over? */
void om_call_tick(struct om_call *c, om_time now);

/** om_call_deadline() - when om_call_tick() of @c is due; OM_NEVER when it waits for nothing. */
om_time om_call_deadline(const struct om_call *c);

/**
 * om_call_accept() - answer yes
 * @c:     an ASKED call
 * @body:  JSON object, or empty
 *
 * Return: OM_OK, OM_E_STATE, and as om_call_ask() for the body.
 */
OM_MUST enum om_err om_call_accept(struct om_call *c, struct om_bytes body);

/**
 * om_call_refuse() - answer no
 * @c:      an ASKED or HEARING call
 * @error:  a name
 * @text:   a sentence; NULL for the general one
 *
 * Return: OM_OK, OM_E_STATE, OM_E_RANGE for a bad name, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_call_refuse(struct om_call *c, const char *error, const char *text);

#endif
