/*
 * fuzz_agent.c - what a guest says in its agent's place: any bytes
 *
 * The first byte says in which pieces they come; the events must be those of the same bytes at
 * once. A job hears all of it, and gives no more than its limits.
 */
#include <omerta/text.h>

#include "fuzz.h"
#include "vm/core/job.h"

enum { LIMIT = 64 };

static const struct om_vm_job_spec spec = {.language = "sh",
                                           .script = 5,
                                           .timeout = OM_SEC(60),
                                           .output_max = LIMIT,
                                           .file_max = LIMIT,
                                           .inputs = 1,
                                           .artefacts = 1,
                                           .input = {{"in", 3, 0600}},
                                           .artefact = {{"out", 0, 0}}};

static void check_text(const char *s, size_t n)
{
    FUZZ_MUST(memchr(s, '\0', n) != NULL);
    FUZZ_MUST(om_text_is_utf8(om_bytes(s, strlen(s))));
    for (; *s; s++)
        FUZZ_MUST((unsigned char)*s >= ' ' && *s != 0x7f);
}

/* What the job asks for is done at once. */
static void drain(struct om_vm_job *j)
{
    struct om_vm_job_act a;
    uint64_t given = 0;

    while (om_vm_job_next(j, &a)) {
        given += a.kind == OM_VM_JOB_OUTPUT || a.kind == OM_VM_JOB_FILE ? a.bytes.n : 0;
        if (a.kind == OM_VM_JOB_ORDER)
            FUZZ_MUST(a.bytes.n > 0 &&
                      memchr(a.bytes.p, '\n', a.bytes.n) == a.bytes.p + a.bytes.n - 1);
        if (a.kind == OM_VM_JOB_BODY)
            om_vm_job_sent(j, 0);
    }
    FUZZ_MUST(given <= LIMIT && j->output <= LIMIT && j->got <= LIMIT);
    check_text(j->text, sizeof j->text);
    check_text(j->filed, sizeof j->filed);
}

/* Feeds @in in pieces of @piece bytes; the sum over its events tells two cuts apart. */
static uint64_t feed(struct om_bytes in, size_t piece)
{
    struct om_vm_agent_event e;
    struct om_vm_agent a;
    struct om_vm_job j;
    uint64_t sum = 0;

    om_vm_agent_init(&a, 0, "me");
    om_vm_job_start(&j, 0, &spec, 1);
    drain(&j);
    for (size_t used = 0, n; used < in.n; used += n) {
        n = in.n - used < piece ? in.n - used : piece;
        FUZZ_MUST(om_vm_agent_input(&a, om_bytes(in.p + used, n)) == OM_OK);
        while (om_vm_agent_next(&a, &e)) {
            check_text(e.text, sizeof e.text);
            check_text(e.languages, sizeof e.languages);
            FUZZ_MUST(memchr(e.id, '\0', sizeof e.id) != NULL);
            sum = sum * 31 + (uint64_t)e.kind + e.status + 1;
            for (size_t i = 0; i < e.bytes.n; i++)
                sum = sum * 31 + e.bytes.p[i];
            om_vm_job_heard(&j, 0, &e);
            drain(&j);
        }
        FUZZ_MUST(om_vm_agent_room(&a) >= OM_VM_AGENT_BUFFER - OM_VM_AGENT_LINE_MAX - 1);
    }
    om_vm_agent_fini(&a);
    return sum * 31 + (uint64_t)j.end;
}

int fuzz_one(const uint8_t *data, size_t size)
{
    if (size == 0 || size > OM_VM_AGENT_LINE_MAX)
        return 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    struct om_bytes in = om_bytes(copy, size - 1 + (FUZZ_SLACK > 0 && size > 20));
    FUZZ_MUST(feed(in, 1 + data[0]) == feed(in, OM_VM_AGENT_LINE_MAX));
    free(copy);
    return 0;
}
