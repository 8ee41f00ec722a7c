/*
 * jsonrpc.h - requests and answers of JSON-RPC 2.0, as text
 *
 * What:  reads a request, writes results, errors and notifications.
 * Why:   a protocol that every language has a client for, and people can type.
 * Keeps: jsonrpc_reads_requests; jsonrpc_refuses_with_its_code; jsonrpc_depth_is_bounded;
 *        jsonrpc_writes_one_line; jsonrpc_errors_carry_their_name.
 *
 * Codes: -32700 no JSON, -32600 no request, -32601 unknown method, -32602 wrong parameters; ours
 * are -32000 less enum om_err, with its name in data.name. A batch is refused.
 *
 * Source: jsonrpc.org/specification.
 */
#ifndef OM_IPC_JSONRPC_H
#define OM_IPC_JSONRPC_H

#include <jansson.h>
#include <stdbool.h>

#include <omerta/bytes.h>
#include <omerta/err.h>

enum { OM_IPC_DEPTH_MAX = 16, OM_IPC_OURS = -32000 };

enum om_jsonrpc_code {
    OM_JSONRPC_PARSE = -32700,
    OM_JSONRPC_REQUEST = -32600,
    OM_JSONRPC_METHOD = -32601,
    OM_JSONRPC_PARAMS = -32602
};

/* Everything is lent by root. */
struct om_request {
    json_t *root;     /* owned */
    const json_t *id; /* NULL: a notification, which is not answered */
    const char *method;
    json_t *params; /* an object; empty when there were none */
};

/**
 * om_request_parse() - read one line
 * @out:   filled on success; om_request_fini() releases it
 * @text:  one JSON text
 * @code:  receives the code of the refusal
 * @id:    receives the id to answer with on a refusal, lent by @out->root; NULL: null
 * @err:   sentence, with the position where the text is no JSON
 *
 * Return: false when it is no request; om_request_fini() even then.
 */
bool om_request_parse(struct om_request *out, struct om_bytes text, int *code, const json_t **id,
                      struct om_error *err);

/** om_request_fini() - release @r. */
void om_request_fini(struct om_request *r);

/** om_jsonrpc_result() - a line: the answer @result to @id. Both borrowed; the caller frees the
 *  line; NULL without memory. */
char *om_jsonrpc_result(const json_t *id, json_t *result);

/** om_jsonrpc_error() - a line: the error @code with the sentence of @err to @id (NULL: null), and
 *  the name of its code when @code is one of ours. The caller frees it; NULL without memory. */
char *om_jsonrpc_error(const json_t *id, int code, const struct om_error *err);

/** om_jsonrpc_notification() - a line: @method with @params, borrowed. The caller frees it; NULL
 *  without memory. */
char *om_jsonrpc_notification(const char *method, json_t *params);

#endif
