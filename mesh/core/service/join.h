/*
 * join.h - the words by which one becomes a member of a closed network, and remains one
 *
 * What:  writes and reads questions and answers of the calls "join" and "renew".
 * Why:   who asks is no member yet, and who answers may be none: both are read as hostile.
 * Keeps: join_words_round_trip; join_words_refuse_what_is_none; join_words_name_admins.
 *
 *     join {name}  renew {} -> {certificate, admin, epoch, secret, network}   by an admin
 *                           -> {admins: [key, ...]}            by any other member: ask them
 *
 * "network" is what the admin calls the network, if anything: a wish, which proves nothing.
 * "admin" is the certificate of who signed; who becomes an admin gets its own in that place, and
 * the authority signed the other.
 *
 * Bytes are base64url without padding, keys as people write them.
 *
 * Source: PROTOCOL section 7; RFC 4648 section 5.
 */
#ifndef OM_SERVICE_JOIN_H
#define OM_SERVICE_JOIN_H

#include <jansson.h>

#include <omerta/gossip.h>

#include "network/cert.h"

enum { OM_JOIN_ADMINS_MAX = 8 /* that an answer names */ };

#define OM_METHOD_JOIN  "join"
#define OM_METHOD_RENEW "renew"

/* Holds a secret: whoever has one wipes it. */
struct om_join_answer {
    bool is_made; /* else admins are named */
    uint32_t epoch;
    uint8_t secret[32];
    uint8_t node[OM_NODE_CERT_MAX];
    size_t node_len;
    uint8_t admin[OM_ADMIN_CERT_BYTES];
    struct om_id admins[OM_JOIN_ADMINS_MAX];
    unsigned admin_count;
    char called[OM_NAME_MAX + 1]; /* the network; "": not said */
};

/** om_join_words_ask() - the question of who wishes for @name; NULL when memory is out. */
json_t *om_join_words_ask(const char *name);

/** om_join_words_name() - the name that @args wish for, lent, "" for none; NULL for no name. */
const char *om_join_words_name(const json_t *args);

/** om_join_words_answer() - @a as an answer; NULL when memory is out. */
json_t *om_join_words_answer(const struct om_join_answer *a);

/** om_join_words_read() - the answer @ok into @out, untouched unless it is one. Return: OM_OK or
 *  OM_E_PARSE. */
OM_MUST enum om_err om_join_words_read(struct om_join_answer *out, const json_t *ok);

#endif
