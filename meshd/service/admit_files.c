/* admit_files.c - filters.json and reputation.json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/secret_file.h"
#include "service/parts.h"

#define FILTERS    "filters.json"
#define REPUTATION "reputation.json"

enum {
    FILTERS_BYTES = 1024 * 1024, /* 64 rules of 16 elements of every kind have 200 KiB */
    REPUTATION_BYTES = 128 * 1024
};

/* The JSON of @name of the home; NULL when there is none, or with @err. */
static json_t *load(const struct vms *s, const char *name, size_t most, struct om_error *err)
{
    char *text = calloc(1, most);
    json_error_t at;
    json_t *o = NULL;
    size_t n = 0;

    if (!text) {
        (void)om_fail(err, OM_E_NO_MEM, "no memory for %s", name);
        return NULL;
    }
    enum om_err e = om_secret_read(s->d->place.home, name, text, most, &n, err);
    if (e == OM_OK) {
        o = json_loadb(text, n, JSON_REJECT_DUPLICATES, &at);
        if (!o)
            (void)om_fail(err, OM_E_PARSE, "line %d: %.120s", at.line, at.text);
    }
    free(text);
    return o;
}

void admit_load_filter(struct vms *s)
{
    struct admit *a = s->admit;
    struct om_error err = {.code = OM_OK, .msg = ""};
    json_t *o = load(s, FILTERS, FILTERS_BYTES, &err);

    a->bad[0] = 0;
    a->has_file = o != NULL;
    om_vm_filter_init(&a->filter);
    if (o && om_vm_filter_read(&a->filter, o, &err) != OM_OK)
        a->has_file = false;
    if (err.code == OM_OK || err.code == OM_E_MISSING) {
        if (!a->has_file) /* who may ask at all was said by "omerta provide on --to" */
            a->filter.otherwise = OM_VM_ALLOW;
    } else {
        a->filter.otherwise = OM_VM_DENY;
        (void)snprintf(a->bad, sizeof a->bad, FILTERS ": %.170s", err.msg);
        vms_complain(s, "", a->bad);
    }
    json_decref(o);
}

void admit_load_reputation(struct vms *s)
{
    struct admit *a = s->admit;
    struct om_error err = {.code = OM_OK, .msg = ""};
    json_t *o = load(s, REPUTATION, REPUTATION_BYTES, &err);

    a->unknown[0] = 0;
    if (o)
        (void)!om_vm_reputation_read(&a->reputation, o, &err);
    if (err.code != OM_OK && err.code != OM_E_MISSING) {
        (void)snprintf(a->unknown, sizeof a->unknown, REPUTATION ": %.170s", err.msg);
        vms_complain(s, "", a->unknown);
    }
    json_decref(o);
}

/* @o is taken. */
static bool save(const struct vms *s, const char *name, json_t *o, struct om_error *err)
{
    char *text = o ? json_dumps(o, JSON_INDENT(2)) : NULL;
    bool is_kept =
        text && om_secret_write(s->d->place.home, name, text, strlen(text), true, err) == OM_OK;

    if (!text)
        (void)om_fail(err, OM_E_NO_MEM, "no memory for %s", name);
    json_decref(o);
    free(text);
    return is_kept;
}

bool admit_save_filter(struct vms *s, const struct om_vm_filter *f, struct om_error *err)
{
    struct admit *a = s->admit;

    if (*a->bad) /* somebody's work, which must not be written over */
        return om_fail(err, OM_E_STATE, "%s", a->bad) == OM_OK;
    if (!save(s, FILTERS, om_vm_filter_write(f), err))
        return false;
    a->filter = *f;
    a->has_file = true;
    return true;
}

void admit_save_reputation(struct vms *s)
{
    struct om_error err = {.msg = ""};

    if (*s->admit->unknown)
        return;
    if (!save(s, REPUTATION, om_vm_reputation_write(&s->admit->reputation), &err))
        vms_complain(s, "", err.msg);
}
