/* spec.c - ten words, each with its bounds. */
#include "vm/core/spec.h"

#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

#include "vm/core/fields.h"

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

enum { KEY_BASE64_MIN = 68 /* an Ed25519 key, the shortest there is */ };

static const char *const egresses[] = {"none", "internet"};

static const char *const key_types[] = {
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
};

void om_vm_spec_default(struct om_vm_spec *s)
{
    *s = (struct om_vm_spec){
        .cpus = 1,
        .memory_mib = 256,
        .ttl = OM_SEC(3600),
        .timeout = OM_SEC(120),
        .image = "mini",
    };
}

bool om_vm_name_is_plain(const char *s, size_t max)
{
    size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    return n > 0 && n <= max && s[n] == '\0' && s[0] != '.' && s[0] != '-';
}

/* The type's length when @key begins with one that is known and a space, else 0. */
static size_t key_type(const char *key)
{
    size_t n = strcspn(key, " ");

    for (unsigned i = 0; key[n] == ' ' && i < OM_ARRAY_SIZE(key_types); i++)
        if (strlen(key_types[i]) == n && memcmp(key_types[i], key, n) == 0)
            return n;
    return 0;
}

enum om_err om_vm_ssh_key_check(const char *key, struct om_error *err)
{
    size_t len = strnlen(key, OM_VM_SSH_KEY), type = key_type(key);

    if (len == OM_VM_SSH_KEY || !om_vm_text_is_plain(key, len))
        return om_fail(err, OM_E_PARSE, "want one line of at most %d bytes", OM_VM_SSH_KEY - 1);
    if (type == 0)
        return om_fail(err, OM_E_PARSE,
                       "want \"ssh-ed25519 AAAA... comment\" or another type of "
                       "public key, without options before it");
    const char *body = key + type + 1;
    size_t n = strspn(body, BASE64), pad = strspn(body + n, "=");
    const char *end = body + n + pad;
    if ((n + pad) % 4 != 0 || pad > 2 || n < KEY_BASE64_MIN || (*end != '\0' && *end != ' '))
        return om_fail(err, OM_E_PARSE, "the part behind the type is no whole key in base64");
    return OM_OK;
}

static void read_expose(struct om_vm_spec *s, struct om_vm_fields *f)
{
    const json_t *list = om_vm_fields_list(f, "expose", OM_VM_EXPOSES_MAX);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        json_int_t port = json_integer_value(v);
        if (!json_is_integer(v) || port < 1 || port > UINT16_MAX) {
            om_vm_fields_fail(f, "expose", "element %zu: want a port, 1 to 65535", i);
            return;
        }
        for (unsigned k = 0; k < s->exposes; k++)
            if (s->expose[k] == port) {
                om_vm_fields_fail(f, "expose", "port %u is there twice", (unsigned)port);
                return;
            }
        s->expose[s->exposes++] = (uint16_t)port;
    }
}

static void read_texts(struct om_vm_spec *s, struct om_vm_fields *f)
{
    struct om_error why = {0};
    char shown[OM_SHOW_TEXT];

    if (om_vm_fields_text(f, "image", s->image, sizeof s->image) &&
        !om_vm_name_is_plain(s->image, sizeof s->image - 1))
        om_vm_fields_fail(f, "image", "\"%s\": want a name of letters, digits, . _ -",
                          om_text_show(shown, s->image));
    if (om_vm_fields_text(f, "language", s->language, sizeof s->language) &&
        !om_vm_name_is_plain(s->language, sizeof s->language - 1))
        om_vm_fields_fail(f, "language", "want a word, \"sh\" or \"python\"");
    (void)om_vm_fields_text(f, "description", s->description, sizeof s->description);
    if (om_vm_fields_text(f, "ssh_key", s->ssh_key, sizeof s->ssh_key) && s->ssh_key[0] &&
        om_vm_ssh_key_check(s->ssh_key, &why) != OM_OK)
        om_vm_fields_fail(f, "ssh_key", "%.150s", why.msg);
}

enum om_err om_vm_spec_read(struct om_vm_spec *out, const json_t *o, struct om_error *err)
{
    unsigned egress = OM_VM_EGRESS_NONE;
    struct om_vm_fields f;
    struct om_vm_spec s;
    uint64_t n;

    om_vm_spec_default(&s);
    om_vm_fields_open(&f, o, "spec", err);
    if (om_vm_fields_number(&f, "cpus", 1, OM_VM_CPUS_MAX, &n))
        s.cpus = (uint32_t)n;
    (void)om_vm_fields_mib(&f, "memory", OM_VM_MEMORY_MIN_MIB, OM_VM_MEMORY_MAX_MIB, &s.memory_mib);
    (void)om_vm_fields_mib(&f, "disk", 0, OM_VM_DISK_MAX_MIB, &s.disk_mib);
    (void)om_vm_fields_duration(&f, "ttl", OM_SEC(10), OM_SEC(30 * 86400), &s.ttl);
    (void)om_vm_fields_duration(&f, "timeout", OM_SEC(1), OM_SEC(3600), &s.timeout);
    (void)om_vm_fields_word(&f, "egress", egresses, OM_ARRAY_SIZE(egresses), &egress);
    read_expose(&s, &f);
    read_texts(&s, &f);
    s.egress = (enum om_vm_egress)egress;
    if (om_vm_fields_done(&f) == OM_OK)
        *out = s;
    return f.bad;
}

static bool write_expose(const struct om_vm_spec *s, json_t *o)
{
    json_t *list = json_array();
    bool is_done = json_object_set_new(o, "expose", list) == 0;

    for (unsigned i = 0; is_done && i < s->exposes; i++)
        is_done = json_array_append_new(list, json_integer(s->expose[i])) == 0;
    return is_done;
}

json_t *om_vm_spec_write(const struct om_vm_spec *s)
{
    char ttl[OM_DURATION_TEXT], timeout[OM_DURATION_TEXT];

    (void)om_duration_print(s->ttl, ttl, sizeof ttl);
    (void)om_duration_print(s->timeout, timeout, sizeof timeout);
    json_t *o =
        json_pack("{s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "cpus", (json_int_t)s->cpus,
                  "memory", (json_int_t)s->memory_mib, "disk", (json_int_t)s->disk_mib, "image",
                  s->image, "ttl", ttl, "timeout", timeout, "description", s->description, "egress",
                  egresses[s->egress], "ssh_key", s->ssh_key);
    bool is_whole = o && write_expose(s, o);
    if (is_whole && s->language[0])
        is_whole = json_object_set_new(o, "language", json_string(s->language)) == 0;
    if (is_whole)
        return o;
    json_decref(o);
    return NULL;
}

struct om_vm_amount om_vm_spec_amount(const struct om_vm_spec *s)
{
    return (struct om_vm_amount){1, s->cpus, s->memory_mib, s->disk_mib};
}

enum om_err om_vm_spec_fits(const struct om_vm_spec *s, const struct om_vm_limits *limits,
                            struct om_error *err)
{
    const struct om_vm_amount none = {0}, more = om_vm_spec_amount(s);

    return om_vm_amount_fits(&limits->most[OM_VM_SCOPE_VM], &none, &more, OM_VM_SCOPE_VM, err);
}
