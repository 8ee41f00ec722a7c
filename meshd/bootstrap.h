/*
 * bootstrap.h - the text that names a first peer and where it is
 *
 * What:  "[NETWORK/]PEER@HOST:PORT": parse it, or say what is wrong with it.
 * Why:   it is typed by people and passed on in chats; a slip must be found when it is read, not as
 *        a peer that never answers.
 * Keeps: bootstrap_reads_names_and_addresses; bootstrap_says_what_is_wrong.
 *
 * Source: PROTOCOL section 8; RFC 1123 section 2.1 (host names).
 */
#ifndef OM_MESHD_BOOTSTRAP_H
#define OM_MESHD_BOOTSTRAP_H

#include <stdint.h>

#include <omerta/err.h>
#include <omerta/id.h>

enum { OM_HOST_TEXT = 254 /* RFC 1035: 253 characters */ };

struct om_bootstrap {
    char network[OM_ID_TEXT]; /* name or id; "": the only one there is, else "default" */
    struct om_id peer;
    char host[OM_HOST_TEXT]; /* an IP without brackets, or a name */
    uint16_t port;
};

/**
 * om_bootstrap_parse() - read one
 * @out:   untouched on failure
 * @text:  terminated
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err om_bootstrap_parse(struct om_bootstrap *out, const char *text,
                                       struct om_error *err);

#endif
