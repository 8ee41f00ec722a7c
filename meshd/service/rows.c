/* rows.c - machines to rows of the ledger, and back after a restart. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "service/parts.h"
#include "vm/host/wipe.h"

enum { US_PER_MS = 1000 };

static struct om_wall wall_at(om_time at)
{
    struct om_wall w = om_clock_wall();

    w.unix_ms += (at - om_clock_now()) / US_PER_MS;
    return w;
}

bool rows_put(struct service_vm *v, struct om_error *err)
{
    const struct om_vm *m = &v->vm;
    om_time now = om_clock_now();

    if (v->hold != ADMIT_GO) /* nothing of it is there that anybody would have to find again */
        return true;
    /* Before it runs its lease has not begun: what it may take to start counts too. */
    om_time until = m->has_lease ? m->lease.until : now + v->spec.timeout + v->spec.ttl;
    om_time limit = m->has_lease ? m->lease.most : now + m->config.most;
    json_t *o = json_pack("{s:o, s:I, s:s, s:s, s:b}", "spec", om_vm_spec_write(&v->spec), "slot",
                          (json_int_t)v->slot, "host_key", v->host_key, "engine",
                          om_vm_engine_name(m->engine), "own", v->is_own ? 1 : 0);
    char *words = o ? json_dumps(o, JSON_COMPACT) : NULL;

    json_decref(o);
    if (!words)
        return om_fail(err, OM_E_NO_MEM, "no memory for a row of the ledger") == OM_OK;
    const struct om_vm_row row = {.id = v->id,
                                  .consumer = v->consumer,
                                  .network = v->network,
                                  .request = v->key,
                                  .folder = v->folder,
                                  .state = om_vm_state_name(m->state),
                                  .process = v->ident,
                                  .begun = v->begun,
                                  .until = wall_at(until),
                                  .limit = wall_at(limit),
                                  .words = words};
    enum om_err e = om_vm_ledger_put(v->hub->ledger, &row, err);
    free(words);
    return e == OM_OK;
}

void rows_forget(struct service_vm *v)
{
    struct om_error err = {.msg = ""};

    if (om_vm_ledger_forget(v->hub->ledger, v->id, &err) != OM_OK)
        vms_complain(v->hub, v->id, err.msg);
}

static bool read_words(struct service_vm *v, const char *words, enum om_vm_engine *engine)
{
    json_error_t at;
    json_t *o = json_loads(words, JSON_REJECT_DUPLICATES, &at);
    const char *key = json_string_value(json_object_get(o, "host_key"));
    const char *name = json_string_value(json_object_get(o, "engine"));
    json_int_t slot = json_integer_value(json_object_get(o, "slot"));
    bool ok = o && key && name && slot > 0 && slot <= OM_VM_COUNT_MAX &&
              om_vm_spec_read(&v->spec, json_object_get(o, "spec"), NULL) == OM_OK;

    if (ok) {
        (void)snprintf(v->host_key, sizeof v->host_key, "%s", key);
        *engine = strcmp(name, om_vm_engine_name(OM_VM_KVM)) == 0 ? OM_VM_KVM : OM_VM_TCG;
        v->slot = (unsigned)slot;
        v->is_own = json_is_true(json_object_get(o, "own"));
    }
    json_decref(o);
    return ok;
}

static void on_found(void *self, const struct om_vm_ident *who)
{
    struct service_vm *v = self;

    v->ident = *who;
}

static void take_up(void *self, const struct om_vm_row *row)
{
    struct vms *s = self;
    enum om_vm_engine engine = OM_VM_TCG;
    struct om_error err = {.msg = ""};
    om_time now = om_clock_now();
    int64_t wall = om_clock_wall().unix_ms;
    struct service_vm *v = strlen(row->id) < VM_ID_TEXT ? vms_new(s, row->id) : NULL;

    if (!v) {
        vms_complain(s, row->id, "a row of the ledger cannot be taken up");
        s->is_recall_short = true;
        return;
    }
    v->consumer = row->consumer;
    v->network = row->network;
    v->ident = row->process;
    v->begun = row->begun;
    v->is_reached = true;  /* nobody knows */
    if (v->ident.pid == 0) /* killed between its start and the row: what runs there is it */
        (void)!om_vm_ident_in(v->folder, on_found, v, NULL);
    (void)snprintf(v->key, sizeof v->key, "%s", row->request);
    om_vm_spec_default(&v->spec);
    if (!read_words(v, row->words, &engine))
        vms_complain(s, v->id, "its row of the ledger makes no sense");
    if (!vms_image(s, v->spec.image, &v->image, &err))
        vms_complain(s, v->id, err.msg);
    const struct om_vm_config config = {.engine = engine,
                                        .wait = OM_SEC(VM_WAIT_S),
                                        .timeout = v->spec.timeout,
                                        .ttl = v->spec.ttl,
                                        .most = s->provide.lease};
    const struct om_vm_share share = {.vm = v->number,
                                      .peer = v->consumer,
                                      .network = v->network,
                                      .is_owner = v->is_own,
                                      .amount = om_vm_spec_amount(&v->spec)};
    if (om_vm_quota_recover(&s->quota, &share) != OM_OK)
        vms_complain(s, v->id, "its reservation cannot be taken up");
    /* That no daemon listened to its consumer is not the consumer's fault: a whole ttl, again. */
    om_time left = (row->until.unix_ms - wall) * US_PER_MS;
    om_vm_recover(&v->vm, now, &config, left > v->spec.ttl ? left : v->spec.ttl,
                  (row->limit.unix_ms - wall) * US_PER_MS);
}

/* Folders without a row are nobody's: what a power cut left. Of one whose row was not taken up,
 * nobody knows; then all are left. */
static void sweep(struct vms *s)
{
    char path[OM_PATH_MAX];
    struct om_error err = {.msg = ""};
    struct dirent *e;

    DIR *d = vms_folder(s, "", path) ? opendir(path) : NULL;
    if (!d)
        return;
    while ((e = readdir(d))) {
        bool is_known = e->d_name[0] == '.';
        for (struct om_link *l = om_list_first(&s->machines); l && !is_known;
             l = om_list_next(&s->machines, l))
            is_known = strcmp(OM_CONTAINER_OF(l, struct service_vm, link)->id, e->d_name) == 0;
        if (!is_known && vms_folder(s, e->d_name, path) && om_vm_wipe(path, &err) != OM_OK)
            vms_complain(s, "", err.msg);
    }
    (void)closedir(d);
}

bool rows_recall(struct vms *s, struct om_error *err)
{
    enum om_err e = om_vm_ledger_each(s->ledger, take_up, s, err);

    if (e != OM_OK && e != OM_E_PARSE)
        return false;
    if (e == OM_E_PARSE)
        vms_complain(s, "", err->msg);
    else if (!s->is_recall_short)
        sweep(s);
    return true;
}
