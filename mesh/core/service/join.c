/* join.c - becoming a member, as JSON. */
#include "service/join.h"

#include <sodium.h>
#include <string.h>

enum { VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING, TEXT_MAX = 256 };

static bool put_bytes(json_t *o, const char *name, struct om_bytes b)
{
    char text[TEXT_MAX];

    if (sodium_base64_encoded_len(b.n, VARIANT) > sizeof text)
        return false;
    sodium_bin2base64(text, sizeof text, b.p, b.n, VARIANT);
    bool is_put = json_object_set_new(o, name, json_string(text)) == 0;
    sodium_memzero(text, sizeof text);
    return is_put;
}

/* At most @out.n bytes; 0 for what is none. */
static size_t get_bytes(const json_t *o, const char *name, struct om_mut out)
{
    const json_t *v = json_object_get(o, name);
    const char *text = json_string_value(v);
    size_t n = 0;

    if (!text ||
        sodium_base642bin(out.p, out.n, text, json_string_length(v), NULL, &n, NULL, VARIANT) != 0)
        return 0;
    return n;
}

json_t *om_join_words_ask(const char *name)
{
    json_t *o = json_object();

    if (o && *name && json_object_set_new(o, "name", json_string(name)) != 0) {
        json_decref(o);
        return NULL;
    }
    return o;
}

const char *om_join_words_name(const json_t *args)
{
    const json_t *v = json_object_get(args, "name");
    const char *name = json_string_value(v);

    if (!v)
        return "";
    return name && om_cert_is_name(name, json_string_length(v)) ? name : NULL;
}

static bool put_admins(json_t *o, const struct om_join_answer *a)
{
    json_t *list = json_array();
    char text[OM_ID_TEXT];

    for (unsigned i = 0; list && i < a->admin_count; i++)
        if (json_array_append_new(list, json_string(om_id_print(&a->admins[i], text))) != 0) {
            json_decref(list);
            return false;
        }
    return list && json_object_set_new(o, "admins", list) == 0;
}

json_t *om_join_words_answer(const struct om_join_answer *a)
{
    json_t *o = json_object();
    bool is_done = o != NULL;

    if (is_done && !a->is_made)
        is_done = put_admins(o, a);
    else if (is_done)
        is_done = put_bytes(o, "certificate", om_bytes(a->node, a->node_len)) &&
                  put_bytes(o, "admin", om_bytes(a->admin, sizeof a->admin)) &&
                  put_bytes(o, "secret", om_bytes(a->secret, sizeof a->secret)) &&
                  json_object_set_new(o, "epoch", json_integer(a->epoch)) == 0 &&
                  (!*a->called || json_object_set_new(o, "network", json_string(a->called)) == 0);
    if (is_done)
        return o;
    json_decref(o);
    return NULL;
}

static bool get_admins(struct om_join_answer *a, const json_t *list)
{
    size_t n = json_array_size(list);

    if (!json_is_array(list) || n > OM_JOIN_ADMINS_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || om_id_parse(&a->admins[i], text, NULL) != OM_OK)
            return false;
    }
    a->admin_count = (unsigned)n;
    return true;
}

/* One that is too long, or no text, is not one that was said. */
static void get_called(char out[static OM_NAME_MAX + 1], const json_t *v)
{
    size_t n = json_string_length(v);

    if (n <= OM_NAME_MAX)
        memcpy(out, n ? json_string_value(v) : "", n + 1);
}

enum om_err om_join_words_read(struct om_join_answer *out, const json_t *ok)
{
    struct om_join_answer a = {.is_made = json_object_get(ok, "certificate") != NULL};
    const json_t *epoch = json_object_get(ok, "epoch");
    json_int_t number = json_integer_value(epoch);
    bool is_read;

    if (!a.is_made) {
        is_read = get_admins(&a, json_object_get(ok, "admins"));
    } else {
        a.node_len = get_bytes(ok, "certificate", om_mut(a.node, sizeof a.node));
        a.epoch = (uint32_t)number;
        get_called(a.called, json_object_get(ok, "network"));
        is_read = a.node_len >= OM_NODE_CERT_LEAST && json_is_integer(epoch) && number >= 0 &&
                  number <= UINT32_MAX &&
                  get_bytes(ok, "admin", om_mut(a.admin, sizeof a.admin)) == sizeof a.admin &&
                  get_bytes(ok, "secret", om_mut(a.secret, sizeof a.secret)) == sizeof a.secret;
    }
    if (is_read)
        *out = a;
    sodium_memzero(&a, sizeof a);
    return is_read ? OM_OK : OM_E_PARSE;
}
