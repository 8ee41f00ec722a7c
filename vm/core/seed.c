/* seed.c - three JSON objects; jansson does the quoting, all of it. */
#include "vm/core/seed.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omerta/text.h>

#include "vm/core/base64.h"
#include "vm/core/fields.h"

static const char hello[] = "#cloud-config\n";

/* Takes @v, also when @o is NULL or memory is out: then @o is released and NULL. */
static json_t *with(json_t *o, const char *key, json_t *v)
{
    if (!o || json_object_set_new(o, key, v) == 0) {
        if (!o)
            json_decref(v);
        return o;
    }
    json_decref(o);
    return NULL;
}

static json_t *append(json_t *list, json_t *v)
{
    if (!list || json_array_append_new(list, v) == 0) {
        if (!list)
            json_decref(v);
        return list;
    }
    json_decref(list);
    return NULL;
}

/* A list of one text. */
static json_t *one_text(const char *s)
{
    return append(json_array(), json_string(s));
}

/* Content in base64: it may be any bytes, and a reader of lines does not cut it. */
static json_t *base64(struct om_bytes in)
{
    char *text = malloc(OM_VM_BASE64_LEN(in.n) + 1);

    if (!text)
        return NULL;
    om_vm_base64_encode(text, in);
    json_t *o = json_string(text);
    free(text);
    return o;
}

static json_t *files_of(const struct om_vm_seed *s)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < s->files; i++) {
        char mode[8];
        (void)snprintf(mode, sizeof mode, "%04o", s->file[i].mode);
        json_t *o = with(json_object(), "path", json_string(s->file[i].path));
        o = with(o, "permissions", json_string(mode));
        o = with(o, "encoding", json_string("b64"));
        list = append(list, with(o, "content", base64(s->file[i].content)));
    }
    return list;
}

static json_t *commands_of(const struct om_vm_seed *s)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < s->commands; i++)
        list = append(list, json_string(s->command[i]));
    return list;
}

/* Keys for whoever logs in: root by itself, or a user that may become root. */
static json_t *with_keys(json_t *o, const struct om_vm_seed *s)
{
    if (!s->user || strcmp(s->user, "root") == 0) {
        o = with(o, "disable_root", json_false());
        return s->ssh_key ? with(o, "ssh_authorized_keys", one_text(s->ssh_key)) : o;
    }
    json_t *u = with(json_object(), "name", json_string(s->user));
    u = with(u, "shell", json_string("/bin/bash"));
    u = with(u, "sudo", json_string("ALL=(ALL) NOPASSWD:ALL"));
    u = with(u, "lock_passwd", json_true());
    if (s->ssh_key)
        u = with(u, "ssh_authorized_keys", one_text(s->ssh_key));
    return with(o, "users", append(json_array(), u));
}

static json_t *user_data(const struct om_vm_seed *s)
{
    json_t *o = with(json_object(), "hostname", json_string(s->hostname));

    o = with(o, "ssh_pwauth", json_false());
    o = with(o, "locale", json_false()); /* making one takes a minute under TCG */
    o = with(o, "package_update", json_false());
    o = with_keys(o, s);
    if (s->host_key_private) {
        json_t *keys = with(json_object(), "ed25519_private", json_string(s->host_key_private));
        if (s->host_key_public)
            keys = with(keys, "ed25519_public", json_string(s->host_key_public));
        o = with(o, "ssh_deletekeys", json_true());
        o = with(o, "ssh_keys", keys);
    } else {
        o = with(o, "ssh_genkeytypes", one_text("ed25519"));
    }
    if (s->files)
        o = with(o, "write_files", files_of(s));
    if (s->commands)
        o = with(o, "runcmd", commands_of(s));
    return o;
}

static json_t *meta_data(const struct om_vm_seed *s)
{
    json_t *o = with(json_object(), "instance-id", json_string(s->instance_id));

    return with(o, "local-hostname", json_string(s->hostname));
}

/* The card is found by its address: by a pattern of names systemd-networkd would not find it. */
static json_t *network_config(const struct om_vm_seed *s)
{
    char mac[18];

    (void)snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", s->mac[0], s->mac[1],
                   s->mac[2], s->mac[3], s->mac[4], s->mac[5]);
    json_t *match = with(json_object(), "macaddress", json_string(mac));
    json_t *card = with(json_object(), "match", match);
    card = with(card, "dhcp4", json_true());
    card = with(card, "dhcp6", json_false());
    card = with(card, "accept-ra", json_true());
    card = with(card, "ipv6-privacy", json_false()); /* the card has the one address of its MAC */
    json_t *o = with(json_object(), "version", json_integer(2));
    return with(o, "ethernets", with(json_object(), "nic", card));
}

/* @o as text behind @first; takes @o. NULL without memory. */
static char *text_of(const char *first, json_t *o)
{
    /* JSON_ENSURE_ASCII: nothing that a reader could take for a line's end or a byte order mark */
    size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII, before = strlen(first);
    size_t n = o ? json_dumpb(o, NULL, 0, flags) : 0;
    char *text = n > 0 ? malloc(before + n + 2) : NULL;

    if (text) {
        memcpy(text, first, before);
        n = json_dumpb(o, text + before, n, flags);
        memcpy(text + before + n, "\n", 2);
    }
    json_decref(o);
    return text;
}

static enum om_err check_text(const char *what, const char *s, struct om_error *err)
{
    size_t n = s ? strnlen(s, OM_VM_SEED_MAX) : 0;

    if (n == OM_VM_SEED_MAX)
        return om_fail(err, OM_E_RANGE, "%s: want less than %d bytes", what, OM_VM_SEED_MAX);
    if (s && !om_text_is_utf8(om_bytes(s, n)))
        return om_fail(err, OM_E_PARSE, "%s: is not UTF-8", what);
    return OM_OK;
}

static enum om_err check_hostname(const char *s, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    if (n > 0 && n <= OM_VM_HOSTNAME_MAX && s[n] == '\0' && s[0] != '-' && s[n - 1] != '-')
        return OM_OK;
    return om_fail(err, OM_E_PARSE, "hostname \"%s\": want 1 to %d letters, digits and minus",
                   om_text_show(shown, s), OM_VM_HOSTNAME_MAX);
}

static enum om_err check_user(const char *s, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];

    if (!s || (strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(s) && s[0] >= 'a' &&
               s[0] <= 'z' && strlen(s) <= 32))
        return OM_OK;
    return om_fail(err, OM_E_PARSE, "user \"%s\": want a to z first, then those, digits, _ and -",
                   om_text_show(shown, s));
}

static enum om_err check_files(const struct om_vm_seed *s, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];

    for (unsigned i = 0; i < s->files; i++) {
        const struct om_vm_seed_file *f = &s->file[i];
        size_t n = strnlen(f->path, 1024);
        if (f->path[0] != '/' || f->path[n - 1] == '/' || n == 1024 ||
            !om_vm_text_is_plain(f->path, n))
            return om_fail(err, OM_E_PARSE, "file \"%s\": want an absolute path",
                           om_text_show(shown, f->path));
        if (f->mode > 07777)
            return om_fail(err, OM_E_RANGE, "file \"%s\": mode %o", om_text_show(shown, f->path),
                           f->mode);
        if (f->content.n > OM_VM_SEED_MAX)
            return om_fail(err, OM_E_RANGE, "file \"%s\": over %d bytes",
                           om_text_show(shown, f->path), OM_VM_SEED_MAX);
    }
    return OM_OK;
}

static enum om_err check(const struct om_vm_seed *s, struct om_error *err)
{
    enum om_err e = check_hostname(s->hostname, err);

    OM_BUG_IF(s->files > OM_VM_SEED_FILES || s->commands > OM_VM_SEED_COMMANDS || !s->mac);
    if (e == OM_OK)
        e = check_user(s->user, err);
    if (e == OM_OK)
        e = check_text("instance id", s->instance_id, err);
    if (e == OM_OK)
        e = check_text("SSH key", s->ssh_key, err);
    if (e == OM_OK)
        e = check_text("host key", s->host_key_private, err);
    if (e == OM_OK)
        e = check_text("host key", s->host_key_public, err);
    for (unsigned i = 0; e == OM_OK && i < s->commands; i++)
        e = check_text("command", s->command[i], err);
    return e == OM_OK ? check_files(s, err) : e;
}

static void wipe(char *text)
{
    volatile char *p = text;

    while (p && *p)
        *p++ = '\0';
    free(text);
}

void om_vm_seed_texts_fini(struct om_vm_seed_texts *t)
{
    wipe(t->user_data);
    wipe(t->meta_data);
    wipe(t->network_config);
    *t = (struct om_vm_seed_texts){0};
}

enum om_err om_vm_seed_build(struct om_vm_seed_texts *out, const struct om_vm_seed *s,
                             struct om_error *err)
{
    enum om_err e = check(s, err);
    struct om_vm_seed_texts t = {0};

    if (e != OM_OK)
        return e;
    t.user_data = text_of(hello, user_data(s));
    t.meta_data = text_of("", meta_data(s));
    t.network_config = text_of("", network_config(s));
    if (!t.user_data || !t.meta_data || !t.network_config)
        e = om_fail(err, OM_E_NO_MEM, "no memory for the seed");
    else if (strlen(t.user_data) >= OM_VM_SEED_MAX)
        e = om_fail(err, OM_E_RANGE, "user-data has %zu bytes: want less than %d",
                    strlen(t.user_data), OM_VM_SEED_MAX);
    if (e == OM_OK)
        *out = t;
    else
        om_vm_seed_texts_fini(&t);
    return e;
}
