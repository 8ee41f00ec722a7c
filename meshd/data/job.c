/* job.c - a connection that becomes the stream of a job in a virtual machine. */
#include "data/parts.h"
#include "service/jobs.h"
#include "service/wanted.h"

void data_job(struct data_conn *c, json_t *words)
{
    const char *vm = json_string_value(json_object_get(words, "vm"));
    json_t *job = json_object_get(words, "job"), *args;
    struct om_error err = {.msg = ""};
    struct wanted_place place;

    if (!json_is_object(job)) {
        data_refuse(c, "parse", "\"job\": want an object; see omerta-data(7)");
        return;
    }
    if (!wanted_where(c->data->d->wanted, vm, &place, &err)) {
        data_fail(c, &err);
        return;
    }
    c->network = place.network;
    c->peer = place.provider;
    args = json_pack("{s:s, s:O}", "vm", place.vm, "job", job);
    data_open_call(c, JOB_METHOD, args, OM_NORMAL);
}
