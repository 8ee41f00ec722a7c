/*
 * words.h - the JSON that travels in calls: envelopes, and the bounds of everything inside
 *
 * What:  a question {"method": NAME, "args": {...}} and its answer {"ok": {...}} or {"error":
 *        {"code": NAME, "text": SENTENCE}}, as text and back; members it does not know are kept.
 * Why:   a peer's JSON is hostile input: size, depth and form are checked here, once, before
 *        anything is built of it.
 * Keeps: words_round_trip; words_keep_unknown_members; words_refuse_what_is_too_deep;
 *        words_refuse_what_is_no_object; words_bound_their_size; words_bound_their_values;
 *        words_bound_their_memory; words_seed_changes_no_text; words_name_every_error.
 *
 * Memory: parsed, a text takes up to 80 times its size (of "{}," at 3 bytes each); bounded by
 * OM_WORDS_VALUES, which no text passes, to OM_WORDS_MEMORY at a time. Text is compact and its
 * members are in the order in which they were set or came: never sorted, never that of a hash.
 *
 * Source: RFC 8259; PROTOCOL section 4.
 */
#ifndef OM_SERVICE_WORDS_H
#define OM_SERVICE_WORDS_H

#include <jansson.h>

#include <omerta/bytes.h>
#include <omerta/call.h>
#include <omerta/err.h>

enum {
    OM_WORDS_MAX = 64 * 1024, /* bytes of a question or an answer */
    OM_WORDS_DEPTH = 16,      /* arrays and objects inside each other */
    OM_WORDS_VALUES = 8192,   /* strings, numbers, arrays, objects ... in one text */
    OM_WORDS_NAME_MAX = 32,   /* of a method or an error */
    OM_WORDS_MEMORY = 3 << 20 /* bytes that a parsed text takes at most */
};

#define OM_CALL_ERRORS(X)                                                                          \
    X(REFUSED, "refused", "not allowed")                                                           \
    X(UNKNOWN_METHOD, "unknown_method", "nobody answers to that")                                  \
    X(BAD_ARGS, "bad_args", "the arguments are not what the method takes")                         \
    X(TOO_LARGE, "too_large", "over the size that is taken")                                       \
    X(GARBAGE, "garbage", "not the JSON that was expected")                                        \
    X(TIMEOUT, "timeout", "no answer in time")                                                     \
    X(CANCELLED, "cancelled", "given up by the other side")                                        \
    X(BUSY, "busy", "too many calls at a time")                                                    \
    X(NOT_FOUND, "not_found", "no such thing")                                                     \
    X(GONE, "gone", "the peer went away or started anew")                                          \
    X(INTERNAL, "internal", "the other side failed")

enum om_call_error {
#define X(code, name, help) OM_CALL_##code##_ERROR,
    OM_CALL_ERRORS(X)
#undef X
        OM_CALL_ERROR_COUNT
};

/** om_call_error_name() - how @e is written in an answer. */
const char *om_call_error_name(enum om_call_error e);

/** om_call_error_text() - the general sentence of @e. */
const char *om_call_error_text(enum om_call_error e);

/**
 * om_words_load() - text to an object, within the bounds
 * @text:  JSON; empty stands for {}
 * @out:   receives the object, owned by the caller (json_decref())
 *
 * Return: OM_OK, OM_E_RANGE for too long, too deep or too many values, OM_E_PARSE for what is no
 * object, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_words_load(struct om_bytes text, json_t **out);

/**
 * om_words_dump() - an object to compact text
 * @o:    the object; borrowed
 * @out:  receives bytes owned by the caller (free())
 *
 * Return: OM_OK, OM_E_RANGE over OM_WORDS_MAX, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_words_dump(const json_t *o, struct om_mut *out);

/**
 * om_words_seed() - the key of the hash by which members are found, once for the process
 * @seed:  a draw of the node's rng: who knows it can make names that collide. Later calls, and
 *         those after the first object was made, change nothing.
 *
 * Without it jansson asks the machine for one. Nothing that is sent depends on it.
 */
void om_words_seed(uint32_t seed);

/** om_words_is_name() - 1 to OM_WORDS_NAME_MAX of a-z, 0-9, "_", "." and "-" at @s? */
bool om_words_is_name(const char *s);

#endif
