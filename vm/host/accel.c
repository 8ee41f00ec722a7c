/* accel.c - from the cheap signs to the sure one. */
#include "accel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

enum { CPUINFO_MAX = 32768 }; /* the flags are in the first processor's paragraph */

struct om_vm_accel {
    uv_timer_t later; /* an answer that needs no guest still comes after the start returned */
    uv_loop_t *loop;
    struct om_vm_spawner *via;
    struct om_vm_probe *probe;
    struct om_vm_accel_found found;
    enum om_vm_accel_want want;
    bool is_tcg_good;
    char no_kvm[OM_ERROR_MSG_MAX]; /* why KVM is out of the question; "" while it is not */
    bool is_closing;
    void (*on_found)(void *self, const struct om_vm_accel_found *found);
    void *self;
};

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

static void end(struct om_vm_accel *a)
{
    a->is_closing = true;
    uv_close((uv_handle_t *)&a->later, on_closed);
}

static void tell(struct om_vm_accel *a, enum om_vm_accel_kind kind)
{
    a->found.kind = kind;
    a->on_found(a->self, &a->found);
    end(a);
}

/* Has the machine's first processor a flag of that name? */
static bool has_flag(const char *text, const char *flag)
{
    const char *line = strstr(text, "\nflags");
    size_t n = strlen(flag);

    if (!line)
        return false;
    const char *stop = line + 1 + strcspn(line + 1, "\n");
    for (const char *p = strstr(line, flag); p && p < stop; p = strstr(p + n, flag))
        if (p[-1] == ' ' && (p[n] == ' ' || p[n] == '\n' || p[n] == 0))
            return true;
    return false;
}

static bool has_hardware(const char *path)
{
    char text[CPUINFO_MAX];
    size_t n = 0;
    FILE *f = fopen(path, "re");

    if (f) {
        n = fread(text, 1, sizeof text - 1, f);
        (void)fclose(f);
    }
    text[n] = 0;
    return has_flag(text, "vmx") || has_flag(text, "svm");
}

/* What rules KVM out without a guest, as a clause, or "". */
static void look(struct om_vm_accel *a, const char *cpuinfo, const char *kvm)
{
    if (a->want == OM_VM_ACCEL_WANT_TCG) {
        a->found.no_kvm = OM_VM_NO_KVM_UNWANTED;
        (void)snprintf(a->no_kvm, sizeof a->no_kvm, "the owner wants no KVM (--accel tcg)");
        return;
    }
    int fd = open(kvm, O_RDWR | O_CLOEXEC);
    int cause = errno;

    if (fd >= 0)
        (void)close(fd);
    if (fd < 0)
        a->found.no_kvm = cause == EACCES ? OM_VM_NO_KVM_CLOSED : OM_VM_NO_KVM_MISSING;
    else if (a->want == OM_VM_ACCEL_WANT_AUTO && !has_hardware(cpuinfo))
        a->found.no_kvm = OM_VM_NO_KVM_FLAGS;
    if (fd < 0 && cause == EACCES)
        (void)snprintf(a->no_kvm, sizeof a->no_kvm,
                       "%.60s may not be opened (be in the group that owns it)", kvm);
    else if (fd < 0)
        (void)snprintf(a->no_kvm, sizeof a->no_kvm, "%.60s: %s", kvm, strerror(cause));
    else if (a->found.no_kvm)
        (void)snprintf(a->no_kvm, sizeof a->no_kvm,
                       "%.60s opens but the processor shows neither vmx nor svm", kvm);
}

static bool probe(struct om_vm_accel *a, const char *accel, unsigned ms,
                  void (*on_done)(void *, bool, const char *), struct om_error *err)
{
    struct om_vm_probe_config c = {a->loop, a->via, a->found.qemu, accel, ms, on_done, a};

    return om_vm_probe_start(&a->probe, &c, err) == OM_OK;
}

static void on_tcg(void *self, bool is_usable, const char *why)
{
    struct om_vm_accel *a = self;

    a->probe = NULL;
    if (is_usable)
        (void)snprintf(a->found.reason, sizeof a->found.reason, "%.160s: using TCG", a->no_kvm);
    else
        (void)snprintf(a->found.reason, sizeof a->found.reason,
                       "no virtual machines: under TCG %.150s", why);
    tell(a, is_usable ? OM_VM_ACCEL_TCG : OM_VM_ACCEL_NONE);
}

static void try_tcg(struct om_vm_accel *a)
{
    struct om_error err = {0};

    if (a->is_tcg_good) {
        on_tcg(a, true, "");
        return;
    }
    if (probe(a, "tcg,tb-size=16", OM_VM_ACCEL_TCG_MS, on_tcg, &err))
        return;
    (void)snprintf(a->found.reason, sizeof a->found.reason, "no virtual machines: %.150s", err.msg);
    tell(a, OM_VM_ACCEL_NONE);
}

static void on_kvm(void *self, bool is_usable, const char *why)
{
    struct om_vm_accel *a = self;

    a->probe = NULL;
    if (is_usable) {
        (void)snprintf(a->found.reason, sizeof a->found.reason, "KVM: %.150s", why);
        tell(a, OM_VM_ACCEL_KVM);
        return;
    }
    a->found.no_kvm = OM_VM_NO_KVM_TEST;
    (void)snprintf(a->no_kvm, sizeof a->no_kvm, "/dev/kvm opens but %.150s", why);
    try_tcg(a);
}

static void on_later(uv_timer_t *t)
{
    struct om_vm_accel *a = t->data;
    struct om_error err = {0};

    if (!a->found.qemu[0])
        tell(a, OM_VM_ACCEL_NONE);
    else if (a->no_kvm[0])
        try_tcg(a);
    else if (a->want == OM_VM_ACCEL_WANT_KVM)
        on_kvm(a, true, "the owner says that it works (--accel kvm), so no test guest was run");
    else if (!probe(a, "kvm", OM_VM_ACCEL_KVM_MS, on_kvm, &err)) {
        a->found.no_kvm = OM_VM_NO_KVM_TEST;
        (void)snprintf(a->no_kvm, sizeof a->no_kvm, "%.150s", err.msg);
        try_tcg(a);
    }
}

enum om_err om_vm_accel_start(struct om_vm_accel **out, const struct om_vm_accel_config *config,
                              struct om_error *err)
{
    const char *name = config->qemu ? config->qemu : "qemu-system-x86_64";
    struct om_vm_accel *a = calloc(1, sizeof *a);

    if (!a)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    a->loop = config->loop;
    a->via = config->via;
    a->on_found = config->on_found;
    a->self = config->self;
    a->want = config->want;
    a->is_tcg_good = config->is_tcg_good;
    if (om_vm_process_find(a->found.qemu, sizeof a->found.qemu, name, NULL) != OM_OK)
        (void)snprintf(a->found.reason, sizeof a->found.reason,
                       "no virtual machines: %.60s is not installed (Debian: qemu-system-x86)",
                       name);
    look(a, config->cpuinfo ? config->cpuinfo : "/proc/cpuinfo",
         config->kvm ? config->kvm : "/dev/kvm");
    a->later.data = a;
    (void)uv_timer_init(config->loop, &a->later);
    (void)uv_timer_start(&a->later, on_later, 0, 0);
    *out = a;
    return OM_OK;
}

void om_vm_accel_cancel(struct om_vm_accel *a)
{
    if (a->is_closing)
        return;
    if (a->probe)
        om_vm_probe_cancel(a->probe);
    a->probe = NULL;
    end(a);
}

const char *om_vm_accel_name(enum om_vm_accel_kind kind)
{
    switch (kind) {
    case OM_VM_ACCEL_NONE:
        return "none";
    case OM_VM_ACCEL_TCG:
        return "tcg";
    case OM_VM_ACCEL_KVM:
        return "kvm";
    }
    return "none";
}

static const char *const wants[OM_VM_ACCEL_WANT_COUNT] = {
#define X(code, name) name,
    OM_VM_ACCEL_WANTS(X)
#undef X
};

const char *om_vm_accel_want_name(enum om_vm_accel_want want)
{
    return (unsigned)want < OM_VM_ACCEL_WANT_COUNT ? wants[want] : "auto";
}

bool om_vm_accel_want_read(enum om_vm_accel_want *out, const char *name)
{
    for (unsigned i = 0; i < OM_VM_ACCEL_WANT_COUNT; i++)
        if (strcmp(wants[i], name) == 0) {
            *out = (enum om_vm_accel_want)i;
            return true;
        }
    return false;
}
