/*
 * fuzz_qmp.c - what a QEMU that a guest broke into says: any bytes
 *
 * The first byte says in which pieces they come; the events must be those of the same bytes in
 * whole lines. Each READY and each answer is followed by another command.
 */
#include <omerta/text.h>

#include "fuzz.h"
#include "vm/core/qmp.h"

static void check(const struct om_vm_qmp_event *e)
{
    FUZZ_MUST(memchr(e->text, '\0', sizeof e->text) != NULL);
    FUZZ_MUST(om_text_is_utf8(om_bytes(e->text, strlen(e->text))));
    for (const char *p = e->text; *p; p++)
        FUZZ_MUST((unsigned char)*p >= ' ' && *p != 0x7f);
    FUZZ_MUST((unsigned)e->command < OM_VM_QMP_COMMAND_COUNT);
}

/* Feeds @in in pieces of @piece bytes; the sum over its events tells two cuts apart. */
static uint64_t feed(struct om_bytes in, size_t piece)
{
    struct om_vm_qmp_event e;
    struct om_vm_qmp q;
    uint64_t sum = 0;

    om_vm_qmp_init(&q, 0);
    for (size_t used = 0, n; used < in.n; used += n) {
        n = in.n - used < piece ? in.n - used : piece;
        om_vm_qmp_input(&q, om_bytes(in.p + used, n));
        while (om_vm_qmp_next(&q, &e)) {
            check(&e);
            sum = sum * 31 + (uint64_t)e.kind + 1;
            for (const char *p = e.text; *p; p++)
                sum = sum * 31 + (uint8_t)*p;
            enum om_err err = om_vm_qmp_give(&q, 0, OM_VM_QMP_STATUS);
            FUZZ_MUST((err == OM_E_STATE) == (q.state != OM_VM_QMP_AT_READY));
        }
        om_vm_qmp_sent(&q, om_vm_qmp_out(&q).n);
    }
    if (q.state != OM_VM_QMP_AT_BROKEN)
        FUZZ_MUST(q.in_n - q.in_at <= OM_VM_QMP_LINE_MAX);
    om_vm_qmp_fini(&q);
    return sum;
}

int fuzz_one(const uint8_t *data, size_t size)
{
    if (size == 0 || size > OM_VM_QMP_LINE_MAX)
        return 0;
    uint8_t *copy = fuzz_copy(data + 1, size - 1);
    struct om_bytes in = om_bytes(copy, size - 1 + (FUZZ_SLACK > 0 && size > 100));
    FUZZ_MUST(feed(in, 1 + data[0]) == feed(in, OM_VM_QMP_LINE_MAX));
    free(copy);
    return 0;
}
