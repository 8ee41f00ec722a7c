/* spawner_serve.c - the spawner's end: orders in, answers and exits out. */
#include "spawner.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/attr.h>

#include "parcel.h"

struct ward {
    struct om_vm_process *process; /* NULL: free */
    uint32_t id;
    struct server *server;
};

struct server {
    uv_loop_t loop;
    uv_poll_t poll;
    int socket;
    bool is_over;
    const char *const *programs;
    struct ward wards[OM_VM_PROCESSES_MAX];
    char message[OM_VM_ORDER_MAX];
};

static void send_order(struct server *s, const struct om_vm_order *o)
{
    size_t n = om_vm_order_encode(o, s->message);

    if (n == 0 || !om_vm_parcel_send(s->socket, s->message, n, NULL, 0))
        s->is_over = true; /* a daemon that takes no answer is none */
}

static struct ward *find(struct server *s, uint32_t id)
{
    for (unsigned i = 0; i < OM_VM_PROCESSES_MAX; i++)
        if (s->wards[i].process && s->wards[i].id == id)
            return &s->wards[i];
    return NULL;
}

static struct ward *find_free(struct server *s)
{
    for (unsigned i = 0; i < OM_VM_PROCESSES_MAX; i++)
        if (!s->wards[i].process)
            return &s->wards[i];
    return NULL;
}

static void let_go(struct ward *w)
{
    om_vm_process_close(w->process);
    w->process = NULL;
}

static void on_exit_of(void *self, const struct om_vm_exit *how)
{
    struct ward *w = self;
    struct om_vm_order o = {.op = OM_VM_ORDER_EXIT, .id = w->id, .how = *how};

    send_order(w->server, &o);
    let_go(w);
}

static bool is_allowed(const struct server *s, const char *program)
{
    for (const char *const *p = s->programs; *p; p++)
        if (strcmp(*p, program) == 0)
            return true;
    return false;
}

static bool is_qemu(const char *program)
{
    const char *name = strrchr(program, '/');

    return strncmp(name ? name + 1 : program, "qemu-system-", strlen("qemu-system-")) == 0;
}

/* QEMU takes its options with one dash or two, and those of a file (-readconfig) as if they were
 * written here. */
static bool is_sandboxed(const char *const *argv)
{
    unsigned count = 0;

    for (unsigned i = 1; argv[i]; i++) {
        const char *word = argv[i];
        word += strncmp(word, "--", 2) == 0;
        if (strcmp(word, "-readconfig") == 0)
            return false;
        if (strcmp(word, "-sandbox") == 0) {
            if (!argv[i + 1] || strcmp(argv[i + 1], OM_VM_SANDBOX) != 0)
                return false;
            count++;
        }
    }
    return count == 1;
}

static enum om_err judge(const struct server *s, const char *const *argv, struct om_error *err)
{
    if (!is_allowed(s, argv[0]))
        return om_fail(err, OM_E_UNSUPPORTED, "%.120s is none of the programs to be run", argv[0]);
    if (is_qemu(argv[0]) && !is_sandboxed(argv))
        return om_fail(err, OM_E_UNSUPPORTED, "QEMU is run only with -sandbox " OM_VM_SANDBOX);
    return OM_OK;
}

static enum om_err start(struct server *s, const struct om_vm_order *o, const int *fds,
                         struct om_vm_order *answer, struct om_error *err)
{
    struct ward *w = find_free(s);
    int given[OM_VM_ORDER_FDS] = {0};
    enum om_err e = OM_OK;

    if (!w || find(s, o->id))
        return om_fail(err, OM_E_FULL, "want at most %d processes, each with a number of its own",
                       OM_VM_PROCESSES_MAX);
    if (o->op == OM_VM_ORDER_SPAWN && (e = judge(s, o->argv, err)) != OM_OK)
        return e;
    for (int i = 0, next = 0; i < OM_VM_ORDER_FDS; i++)
        if (o->has_fd[i] && (given[i] = fds[next++]) < 0)
            return om_fail(err, OM_E_PARSE, "a descriptor is missing");
    struct om_vm_process_config c = {.loop = &s->loop,
                                     .argv = o->argv,
                                     .folder = o->folder,
                                     .log = o->log,
                                     .in = given[0],
                                     .out = given[1],
                                     .err = given[2],
                                     .limits = o->limits,
                                     .on_exit = on_exit_of,
                                     .self = w};
    if (o->op == OM_VM_ORDER_SPAWN)
        e = om_vm_process_spawn(&w->process, &c, err);
    else
        e = om_vm_process_adopt(&w->process, &c, &o->who, err);
    if (e != OM_OK)
        return e;
    w->id = o->id;
    w->server = s;
    answer->who = *om_vm_process_ident(w->process);
    return OM_OK;
}

static void obey(struct server *s, const struct om_vm_order *o, const int *fds)
{
    struct om_vm_order answer = {.op = OM_VM_ORDER_ANSWER, .id = o->id, .error = OM_OK};
    struct ward *w = find(s, o->id);
    struct om_error err = {.code = OM_OK};

    if (o->op == OM_VM_ORDER_SPAWN || o->op == OM_VM_ORDER_ADOPT)
        answer.error = start(s, o, fds, &answer, &err);
    else if (o->op == OM_VM_ORDER_SIGNAL)
        answer.error = w ? om_vm_process_signal(w->process, o->signal) : OM_E_MISSING;
    else {
        if (o->op == OM_VM_ORDER_CLOSE && w)
            let_go(w);
        return;
    }
    answer.text = err.msg;
    send_order(s, &answer);
}

/* What is no order is passed over: the daemon waits in vain and takes us for dead. */
static void on_readable(uv_poll_t *h, int status, int events OM_UNUSED)
{
    struct server *s = h->data;
    int fds[OM_VM_ORDER_FDS];
    ssize_t n = status < 0 ? 0 : -1;

    while (status >= 0 && (n = om_vm_parcel_receive(s->socket, s->message, fds)) > 0) {
        json_t *keep = NULL;
        struct om_vm_order o;
        if (om_vm_order_decode(&o, s->message, (size_t)n, &keep) == OM_OK) {
            obey(s, &o, fds);
            json_decref(keep);
        }
        om_vm_parcel_drop(fds);
    }
    if (n == 0)
        s->is_over = true;
}

int om_vm_spawner_serve(int socket, const char *const *programs)
{
    struct server *s = calloc(1, sizeof *s);

    if (!s || uv_loop_init(&s->loop) != 0 || uv_poll_init(&s->loop, &s->poll, socket) != 0) {
        free(s);
        return EXIT_FAILURE;
    }
    s->socket = socket;
    s->programs = programs;
    s->poll.data = s;
    (void)uv_poll_start(&s->poll, UV_READABLE, on_readable);
    while (!s->is_over)
        (void)uv_run(&s->loop, UV_RUN_ONCE);
    for (unsigned i = 0; i < OM_VM_PROCESSES_MAX; i++)
        if (s->wards[i].process)
            let_go(&s->wards[i]);
    uv_close((uv_handle_t *)&s->poll, NULL);
    (void)uv_run(&s->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&s->loop);
    free(s);
    return EXIT_SUCCESS;
}
