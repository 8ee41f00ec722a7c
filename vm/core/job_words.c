/* job_words.c - a job as JSON: from who wants it to the provider's node. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <omerta/text.h>

#include "vm/core/fields.h"
#include "vm/core/job.h"
#include "vm/core/spec.h"

enum { MODE_MAX = 07777, WHERE = 40 };

static const uint64_t mib = 1 << 20;

static enum om_err check_path(const char *path)
{
    size_t n = strnlen(path, OM_VM_JOB_PATH);
    bool is_good =
        n > 0 && n < OM_VM_JOB_PATH && path[n - 1] != '/' && om_vm_text_is_plain(path, n);

    return is_good ? OM_OK : OM_E_PARSE;
}

static enum om_err read_input(struct om_vm_job_file *to, const json_t *o, size_t i,
                              struct om_error *err)
{
    struct om_vm_fields f;
    char where[WHERE];
    uint64_t mode = 0644;

    (void)snprintf(where, sizeof where, "job.inputs[%zu]", i);
    om_vm_fields_open(&f, o, where, err);
    if (!om_vm_fields_text(&f, "path", to->path, sizeof to->path) || check_path(to->path) != OM_OK)
        om_vm_fields_fail(&f, "path", "want a file's name");
    if (!om_vm_fields_number(&f, "size", 0, OM_VM_AGENT_PUT_MAX, &to->size))
        om_vm_fields_fail(&f, "size", "want one");
    (void)om_vm_fields_number(&f, "mode", 0, MODE_MAX, &mode);
    to->mode = (unsigned)mode;
    return om_vm_fields_done(&f);
}

static enum om_err read_files(struct om_vm_job_spec *s, const json_t *inputs,
                              const json_t *artefacts, struct om_error *err)
{
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        enum om_err e = read_input(&s->input[s->inputs++], json_array_get(inputs, i), i, err);
        if (e != OM_OK)
            return e;
    }
    for (size_t i = 0; i < json_array_size(artefacts); i++) {
        const char *path = json_string_value(json_array_get(artefacts, i));
        if (!path || check_path(path) != OM_OK)
            return om_fail(err, OM_E_PARSE, "job.artefacts[%zu]: want a file's name", i);
        (void)snprintf(s->artefact[s->artefacts++].path, OM_VM_JOB_PATH, "%s", path);
    }
    return OM_OK;
}

enum om_err om_vm_job_read(struct om_vm_job_spec *out, const json_t *o, struct om_error *err)
{
    struct om_vm_job_spec s = {
        .timeout = OM_SEC(3600), .output_max = 16 * mib, .file_max = OM_VM_AGENT_PUT_MAX};
    struct om_vm_fields f;
    enum om_err e;

    om_vm_fields_open(&f, o, "job", err);
    if (!om_vm_fields_text(&f, "language", s.language, sizeof s.language) ||
        !om_vm_name_is_plain(s.language, sizeof s.language - 1))
        om_vm_fields_fail(&f, "language", "want a word, \"sh\" or \"python\"");
    if (!om_vm_fields_number(&f, "script", 0, OM_VM_JOB_SCRIPT_MAX, &s.script))
        om_vm_fields_fail(&f, "script", "want the program's size");
    (void)om_vm_fields_duration(&f, "timeout", OM_SEC(1), OM_SEC(30 * 86400), &s.timeout);
    (void)om_vm_fields_number(&f, "output_max", 0, 1024 * mib, &s.output_max);
    (void)om_vm_fields_number(&f, "file_max", 0, OM_VM_AGENT_PUT_MAX, &s.file_max);
    const json_t *inputs = om_vm_fields_list(&f, "inputs", OM_VM_JOB_FILES);
    const json_t *artefacts = om_vm_fields_list(&f, "artefacts", OM_VM_JOB_FILES);
    e = om_vm_fields_done(&f);
    if (e == OM_OK)
        e = read_files(&s, inputs, artefacts, err);
    if (e == OM_OK)
        *out = s;
    return e;
}

static bool write_files(const struct om_vm_job_spec *s, json_t *o)
{
    json_t *inputs = json_array(), *artefacts = json_array();
    bool is_good = json_object_set_new(o, "inputs", inputs) == 0;

    is_good &= json_object_set_new(o, "artefacts", artefacts) == 0;
    for (unsigned i = 0; is_good && i < s->inputs; i++) {
        const struct om_vm_job_file *f = &s->input[i];
        is_good = json_array_append_new(inputs,
                                        json_pack("{s:s, s:I, s:i}", "path", f->path, "size",
                                                  (json_int_t)f->size, "mode", (int)f->mode)) == 0;
    }
    for (unsigned i = 0; is_good && i < s->artefacts; i++)
        is_good = json_array_append_new(artefacts, json_string(s->artefact[i].path)) == 0;
    return is_good;
}

json_t *om_vm_job_write(const struct om_vm_job_spec *s)
{
    char timeout[OM_DURATION_TEXT];
    json_t *o = json_pack("{s:s, s:I, s:s, s:I, s:I}", "language", s->language, "script",
                          (json_int_t)s->script, "timeout",
                          om_duration_print(s->timeout, timeout, sizeof timeout), "output_max",
                          (json_int_t)s->output_max, "file_max", (json_int_t)s->file_max);

    if (o && write_files(s, o))
        return o;
    json_decref(o);
    return NULL;
}
