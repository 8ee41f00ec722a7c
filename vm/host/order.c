/* order.c - one table of words, used both ways. */
#include "order.h"

#include <string.h>

#include <omerta/attr.h>

static const char *const ops[OM_VM_ORDER_COUNT] = {"spawn", "adopt",  "signal",
                                                   "close", "answer", "exit"};

static json_t *ident_to(const struct om_vm_ident *w)
{
    return json_pack("[i,I,s]", (int)w->pid, (json_int_t)w->start, w->boot);
}

static bool ident_from(struct om_vm_ident *w, json_t *j)
{
    int pid = 0;
    json_int_t start = 0;
    const char *boot = NULL;

    if (json_unpack(j, "[i,I,s!]", &pid, &start, &boot) != 0 || strlen(boot) >= sizeof w->boot ||
        start < 0)
        return false;
    *w = (struct om_vm_ident){.pid = pid, .start = (uint64_t)start};
    memcpy(w->boot, boot, strlen(boot));
    return true;
}

static json_t *words_to(const char *const *argv)
{
    json_t *all = json_array();

    for (; all && *argv; argv++)
        if (json_array_append_new(all, json_string(*argv)) != 0) {
            json_decref(all);
            return NULL;
        }
    return all;
}

static bool words_from(struct om_vm_order *o, json_t *j)
{
    size_t n = json_array_size(j);

    if (n == 0 || n > OM_VM_ARGS_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!(o->argv[i] = json_string_value(json_array_get(j, i))))
            return false;
    o->argv[n] = NULL;
    return true;
}

static json_t *pack(const struct om_vm_order *o)
{
    const struct om_vm_rlimits *l = &o->limits;
    const char *op = ops[o->op];
    int id = (int)o->id;

    switch (o->op) {
    case OM_VM_ORDER_SPAWN:
        return json_pack("{s:s,s:i,s:o,s:s,s:s*,s:[I,I,i,i,i],s:[b,b,b]}", "op", op, "id", id,
                         "argv", words_to(o->argv), "folder", o->folder, "log", o->log, "limits",
                         (json_int_t)l->memory_bytes, (json_int_t)l->file_bytes, (int)l->files,
                         (int)l->cpu_s, l->nice, "fds", o->has_fd[0], o->has_fd[1], o->has_fd[2]);
    case OM_VM_ORDER_ADOPT:
        return json_pack("{s:s,s:i,s:o,s:s*}", "op", op, "id", id, "who", ident_to(&o->who), "log",
                         o->log);
    case OM_VM_ORDER_SIGNAL:
        return json_pack("{s:s,s:i,s:i}", "op", op, "id", id, "signal", o->signal);
    case OM_VM_ORDER_CLOSE:
        return json_pack("{s:s,s:i}", "op", op, "id", id);
    case OM_VM_ORDER_ANSWER:
        return json_pack("{s:s,s:i,s:i,s:s,s:o}", "op", op, "id", id, "error", (int)o->error,
                         "text", o->text ? o->text : "", "who", ident_to(&o->who));
    case OM_VM_ORDER_EXIT:
        return json_pack("{s:s,s:i,s:b,s:i,s:i}", "op", op, "id", id, "known", o->how.is_known,
                         "code", o->how.code, "signal", o->how.signal);
    case OM_VM_ORDER_COUNT:
        break;
    }
    return NULL;
}

size_t om_vm_order_encode(const struct om_vm_order *o, char *out)
{
    json_t *j = pack(o);
    size_t n = j ? json_dumpb(j, out, OM_VM_ORDER_MAX, JSON_COMPACT) : 0;

    json_decref(j);
    return n <= OM_VM_ORDER_MAX ? n : 0;
}

static bool limits_from(struct om_vm_rlimits *l, const json_int_t memory, const json_int_t file,
                        int files, int cpu)
{
    if (memory < 0 || file < 0 || files < 0 || cpu < 0)
        return false;
    l->memory_bytes = (uint64_t)memory;
    l->file_bytes = (uint64_t)file;
    l->files = (unsigned)files;
    l->cpu_s = (unsigned)cpu;
    return true;
}

static bool spawn_from(struct om_vm_order *o, json_t *j)
{
    json_t *argv = NULL;
    json_int_t memory = 0, file = 0;
    int files = 0, cpu = 0, fd[OM_VM_ORDER_FDS] = {0};

    if (json_unpack(j, "{s:o,s:s,s?s,s:[I,I,i,i,i!],s:[b,b,b!]}", "argv", &argv, "folder",
                    &o->folder, "log", &o->log, "limits", &memory, &file, &files, &cpu,
                    &o->limits.nice, "fds", &fd[0], &fd[1], &fd[2]) != 0)
        return false;
    for (int i = 0; i < OM_VM_ORDER_FDS; i++)
        o->has_fd[i] = fd[i] != 0;
    return words_from(o, argv) && limits_from(&o->limits, memory, file, files, cpu);
}

static bool unpack(struct om_vm_order *o, json_t *j)
{
    json_t *who = NULL;
    int error = 0, is_known = 0;

    switch (o->op) {
    case OM_VM_ORDER_SPAWN:
        return spawn_from(o, j);
    case OM_VM_ORDER_ADOPT:
        return json_unpack(j, "{s:o,s?s}", "who", &who, "log", &o->log) == 0 &&
               ident_from(&o->who, who);
    case OM_VM_ORDER_SIGNAL:
        return json_unpack(j, "{s:i}", "signal", &o->signal) == 0;
    case OM_VM_ORDER_CLOSE:
        return true;
    case OM_VM_ORDER_ANSWER:
        if (json_unpack(j, "{s:i,s:s,s:o}", "error", &error, "text", &o->text, "who", &who) != 0 ||
            error < 0 || error >= (int)OM_ERR_COUNT)
            return false;
        o->error = (enum om_err)error;
        return ident_from(&o->who, who);
    case OM_VM_ORDER_EXIT:
        if (json_unpack(j, "{s:b,s:i,s:i}", "known", &is_known, "code", &o->how.code, "signal",
                        &o->how.signal) != 0)
            return false;
        o->how.is_known = is_known != 0;
        return true;
    case OM_VM_ORDER_COUNT:
        break;
    }
    return false;
}

enum om_err om_vm_order_decode(struct om_vm_order *o, const char *in, size_t n, json_t **keep)
{
    json_t *j = json_loadb(in, n, JSON_REJECT_DUPLICATES, NULL);
    struct om_vm_order got = {.op = OM_VM_ORDER_COUNT};
    const char *op = NULL;
    int id = 0;

    if (json_unpack(j, "{s:s,s:i}", "op", &op, "id", &id) == 0 && id >= 0) {
        got.id = (uint32_t)id;
        for (unsigned i = 0; i < OM_VM_ORDER_COUNT; i++)
            if (strcmp(op, ops[i]) == 0)
                got.op = (enum om_vm_order_op)i;
    }
    if (got.op == OM_VM_ORDER_COUNT || !unpack(&got, j)) {
        json_decref(j);
        return OM_E_PARSE;
    }
    *o = got;
    *keep = j;
    return OM_OK;
}
