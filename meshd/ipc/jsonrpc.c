/* jsonrpc.c - on jansson. */
#include "ipc/jsonrpc.h"

#include <string.h>

#include <omerta/text.h>

/* jansson would follow 2,048 levels. */
static bool is_too_deep(struct om_bytes text)
{
    unsigned depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > OM_IPC_DEPTH_MAX)
                return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static bool is_id(const json_t *id)
{
    return json_is_string(id) || json_is_integer(id) || json_is_null(id);
}

static bool refuse(int *to, int code, struct om_error *err, const char *sentence)
{
    *to = code;
    (void)om_fail(err, OM_E_PARSE, "%s", sentence);
    return false;
}

static json_t *load(struct om_bytes text, struct om_error *err)
{
    json_error_t at;

    if (is_too_deep(text)) {
        (void)om_fail(err, OM_E_PARSE, "nested deeper than %d levels", OM_IPC_DEPTH_MAX);
        return NULL;
    }
    json_t *j =
        json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);
    if (!j)
        (void)om_fail(err, OM_E_PARSE, "no JSON at byte %d: %.100s", at.position, at.text);
    return j;
}

bool om_request_parse(struct om_request *out, struct om_bytes text, int *code, const json_t **id,
                      struct om_error *err)
{
    *out = (struct om_request){.root = load(text, err)};
    *id = NULL;
    *code = OM_JSONRPC_PARSE;
    if (!out->root)
        return false;
    if (json_is_array(out->root))
        return refuse(code, OM_JSONRPC_REQUEST, err, "batches are not supported");
    if (!json_is_object(out->root))
        return refuse(code, OM_JSONRPC_REQUEST, err, "want an object");
    const json_t *given = json_object_get(out->root, "id");
    if (given && !is_id(given))
        return refuse(code, OM_JSONRPC_REQUEST, err, "\"id\": want a string or an integer");
    *id = out->id = given;
    const char *version = json_string_value(json_object_get(out->root, "jsonrpc"));
    if (!version || strcmp(version, "2.0") != 0)
        return refuse(code, OM_JSONRPC_REQUEST, err, "\"jsonrpc\": want \"2.0\"");
    out->method = json_string_value(json_object_get(out->root, "method"));
    if (!out->method)
        return refuse(code, OM_JSONRPC_REQUEST, err, "\"method\": want a string");
    out->params = json_object_get(out->root, "params");
    if (!out->params && json_object_set_new(out->root, "params", json_object()) == 0)
        out->params = json_object_get(out->root, "params");
    if (!json_is_object(out->params))
        return refuse(code, OM_JSONRPC_PARAMS, err, "\"params\": want an object");
    return true;
}

void om_request_fini(struct om_request *r)
{
    json_decref(r->root);
    *r = (struct om_request){0};
}

static char *dump(json_t *j)
{
    char *line = j ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;

    json_decref(j);
    return line;
}

char *om_jsonrpc_result(const json_t *id, json_t *result)
{
    return dump(json_pack("{s:s, s:o*, s:O}", "jsonrpc", "2.0", "id", json_deep_copy(id), "result",
                          result));
}

char *om_jsonrpc_error(const json_t *id, int code, const struct om_error *err)
{
    char shown[2 * OM_ERROR_MSG_MAX];
    const char *text = err->msg[0] ? err->msg : om_err_text(err->code);

    if (!om_text_is_utf8(om_bytes(text, strlen(text)))) {
        (void)om_text_escape(shown, sizeof shown, om_bytes(text, strlen(text)));
        text = shown;
    }
    json_t *e = json_pack("{s:i, s:s}", "code", code, "message", text);
    if (e && code <= OM_IPC_OURS && code > OM_IPC_OURS - OM_ERR_COUNT)
        (void)json_object_set_new(e, "data", json_pack("{s:s}", "name", om_err_name(err->code)));
    json_t *answer_to = id ? json_deep_copy(id) : json_null();
    return dump(json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "id", answer_to, "error", e));
}

char *om_jsonrpc_notification(const char *method, json_t *params)
{
    return dump(json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0", "method", method, "params", params));
}
