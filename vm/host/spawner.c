/* spawner.c - the daemon's end: requests wait for their answer, exits come by themselves. */
#include "spawner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parcel.h"
#include "process_state.h"

struct om_vm_spawner {
    uv_poll_t poll;
    uv_timer_t later; /* exits that came while an answer was waited for */
    uv_loop_t *loop;
    struct om_vm_process *child; /* the spawner itself */
    struct om_list processes;
    unsigned count;
    uint32_t next_id;
    int socket;
    unsigned handles;
    bool is_lost, is_closed;
    void (*on_lost)(void *self);
    void *self;
    struct {
        uint32_t id;
        struct om_vm_exit how;
    } early[OM_VM_PROCESSES_MAX];
    unsigned early_count;
    char message[OM_VM_ORDER_MAX]; /* sent and received in turn */
};

static struct om_vm_process *find(const struct om_vm_spawner *s, uint32_t id)
{
    for (struct om_link *l = om_list_first(&s->processes); l; l = om_list_next(&s->processes, l)) {
        struct om_vm_process *p = OM_CONTAINER_OF(l, struct om_vm_process, link);
        if (p->id == id)
            return p;
    }
    return NULL;
}

/* It is told last: the callback may close the process. */
static void tell_exit(struct om_vm_process *p, const struct om_vm_exit *how)
{
    if (p->has_ended)
        return;
    p->has_ended = true;
    if (p->on_exit)
        p->on_exit(p->self, how);
}

static void on_handle_closed(uv_handle_t *h)
{
    struct om_vm_spawner *s = h->data;

    if (--s->handles == 0)
        free(s);
}

/* Waited for, so that no zombie stays; that it is lost, its socket says. */
static void on_child_exit(void *self, const struct om_vm_exit *how OM_UNUSED)
{
    struct om_vm_spawner *s = self;

    om_vm_process_close(s->child);
    s->child = NULL;
    if (--s->handles == 0)
        free(s);
}

/* Callbacks may close processes, and the spawner: then it is freed only when the loop runs on. */
static void deliver_early(struct om_vm_spawner *s)
{
    while (s->early_count > 0) {
        uint32_t id = s->early[0].id;
        struct om_vm_exit how = s->early[0].how;
        s->early_count--;
        memmove(&s->early[0], &s->early[1], s->early_count * sizeof s->early[0]);
        struct om_vm_process *p = find(s, id);
        if (p)
            tell_exit(p, &how);
    }
}

static struct om_vm_process *first_running(const struct om_vm_spawner *s)
{
    for (struct om_link *l = om_list_first(&s->processes); l; l = om_list_next(&s->processes, l)) {
        struct om_vm_process *p = OM_CONTAINER_OF(l, struct om_vm_process, link);
        if (!p->has_ended)
            return p;
    }
    return NULL;
}

static void lose(struct om_vm_spawner *s)
{
    static const struct om_vm_exit unknown = {.is_known = false};

    for (struct om_vm_process *p = first_running(s); p; p = first_running(s))
        tell_exit(p, &unknown);
    if (!s->is_closed && s->on_lost)
        s->on_lost(s->self);
}

static void on_later(uv_timer_t *t)
{
    struct om_vm_spawner *s = t->data;

    deliver_early(s);
    if (s->is_lost && !s->is_closed)
        lose(s);
}

static void set_lost(struct om_vm_spawner *s)
{
    s->is_lost = true;
    (void)uv_poll_stop(&s->poll);
    if (!s->is_closed)
        (void)uv_timer_start(&s->later, on_later, 0, 0);
}

/* One message. True when it answers @a, which may be NULL and then holds the answer. */
static bool take(struct om_vm_spawner *s, size_t n, struct om_vm_order *a, struct om_error *err)
{
    json_t *keep = NULL;
    struct om_vm_order o;
    bool is_answer = false;

    if (om_vm_order_decode(&o, s->message, n, &keep) != OM_OK)
        return false;
    if (o.op == OM_VM_ORDER_EXIT && s->early_count < OM_VM_PROCESSES_MAX) {
        s->early[s->early_count].id = o.id;
        s->early[s->early_count].how = o.how;
        s->early_count++;
    }
    if (a && o.op == OM_VM_ORDER_ANSWER && o.id == a->id) {
        is_answer = true;
        a->error = o.error;
        a->who = o.who;
        if (o.error != OM_OK)
            (void)om_fail(err, o.error, "%s", o.text);
    }
    json_decref(keep);
    return is_answer;
}

static void on_readable(uv_poll_t *h, int status, int events OM_UNUSED)
{
    struct om_vm_spawner *s = h->data;
    int fds[OM_VM_ORDER_FDS];
    ssize_t n = -1;

    if (status < 0) {
        set_lost(s);
        return;
    }
    while ((n = om_vm_parcel_receive(s->socket, s->message, fds)) > 0) {
        om_vm_parcel_drop(fds);
        (void)take(s, (size_t)n, NULL, NULL);
        deliver_early(s);
        if (s->is_closed)
            return;
    }
    if (n == 0)
        set_lost(s);
}

/* Sends @o and waits for its answer. */
static enum om_err ask(struct om_vm_spawner *s, struct om_vm_order *o, const int *fds,
                       unsigned count, struct om_error *err)
{
    uint64_t until = uv_hrtime() + (uint64_t)OM_VM_SPAWNER_WAIT_MS * 1000000;
    size_t n = om_vm_order_encode(o, s->message);
    int none[OM_VM_ORDER_FDS];

    if (s->is_lost)
        return om_fail(err, OM_E_STATE, "the process that starts programs is gone");
    if (n == 0)
        return om_fail(err, OM_E_RANGE, "the command line is too long");
    if (!om_vm_parcel_send(s->socket, s->message, n, fds, count))
        goto lost;
    for (uint64_t now = uv_hrtime(); now < until; now = uv_hrtime()) {
        if (!om_vm_parcel_wait(s->socket, (int)((until - now) / 1000000) + 1))
            break;
        ssize_t got = om_vm_parcel_receive(s->socket, s->message, none);
        om_vm_parcel_drop(none);
        if (got == 0)
            break;
        if (got > 0 && take(s, (size_t)got, o, err)) {
            if (s->early_count > 0)
                (void)uv_timer_start(&s->later, on_later, 0, 0);
            return o->error;
        }
    }
lost:
    set_lost(s);
    return om_fail(err, OM_E_STATE, "the process that starts programs does not answer");
}

enum om_err om_vm_spawner_start(struct om_vm_spawner *s, struct om_vm_process *p,
                                const struct om_vm_process_config *c, const struct om_vm_ident *who,
                                struct om_error *err)
{
    struct om_vm_order o = {.op = who ? OM_VM_ORDER_ADOPT : OM_VM_ORDER_SPAWN, .log = c->log};
    const int given[OM_VM_ORDER_FDS] = {c->in, c->out, c->err};
    int fds[OM_VM_ORDER_FDS];
    unsigned count = 0;

    if (s->count == OM_VM_PROCESSES_MAX)
        return om_fail(err, OM_E_FULL, "want at most %d processes", OM_VM_PROCESSES_MAX);
    if (who)
        o.who = *who;
    for (unsigned i = 0; !who && c->argv[i]; i++) {
        if (i == OM_VM_ARGS_MAX)
            return om_fail(err, OM_E_RANGE, "want 1 to %d words", OM_VM_ARGS_MAX);
        o.argv[i] = c->argv[i];
    }
    o.folder = c->folder;
    o.limits = c->limits;
    for (int i = 0; !who && i < OM_VM_ORDER_FDS; i++) {
        o.has_fd[i] = given[i] > 0;
        if (given[i] > 0)
            fds[count++] = given[i];
    }
    s->next_id = s->next_id % INT32_MAX + 1;
    o.id = p->id = s->next_id;
    enum om_err e = ask(s, &o, fds, count, err);
    if (e != OM_OK)
        return e;
    p->via = s;
    p->who = o.who;
    om_list_push_back(&s->processes, &p->link);
    s->count++;
    return OM_OK;
}

enum om_err om_vm_spawner_signal(struct om_vm_process *p, int signal)
{
    struct om_vm_order o = {.op = OM_VM_ORDER_SIGNAL, .id = p->id, .signal = signal};

    return p->has_ended ? OM_E_MISSING : ask(p->via, &o, NULL, 0, NULL);
}

void om_vm_spawner_forget(struct om_vm_process *p)
{
    struct om_vm_spawner *s = p->via;
    struct om_vm_order o = {.op = OM_VM_ORDER_CLOSE, .id = p->id};
    size_t n = s->is_lost ? 0 : om_vm_order_encode(&o, s->message);

    om_list_remove(&p->link);
    s->count--;
    if (n > 0 && !om_vm_parcel_send(s->socket, s->message, n, NULL, 0))
        set_lost(s);
}

enum om_err om_vm_spawner_open(struct om_vm_spawner **out,
                               const struct om_vm_spawner_config *config, struct om_error *err)
{
    struct om_vm_spawner *s = calloc(1, sizeof *s);
    int ends[2];

    if (!s)
        return om_fail(err, OM_E_NO_MEM, "%s", om_err_text(OM_E_NO_MEM));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        free(s);
        return om_fail(err, OM_E_STATE, "cannot make a socket pair: %s", strerror(errno));
    }
    struct om_vm_process_config c = {.loop = config->loop,
                                     .argv = config->argv,
                                     .folder = "/",
                                     .in = ends[1],
                                     .err = 2,
                                     .on_exit = on_child_exit,
                                     .self = s};
    enum om_err e = om_vm_process_spawn(&s->child, &c, err);
    (void)close(ends[1]);
    s->socket = ends[0];
    if (e != OM_OK) {
        (void)close(ends[0]);
        free(s);
        return e;
    }
    OM_BUG_IF(uv_poll_init(config->loop, &s->poll, s->socket) != 0); /* a fresh socket */
    s->loop = config->loop;
    s->on_lost = config->on_lost;
    s->self = config->self;
    om_list_init(&s->processes);
    s->poll.data = s->later.data = s;
    (void)uv_timer_init(config->loop, &s->later);
    (void)uv_poll_start(&s->poll, UV_READABLE, on_readable);
    s->handles = 3; /* with the child */
    *out = s;
    return OM_OK;
}

bool om_vm_spawner_is_idle(const struct om_vm_spawner *s)
{
    return om_list_is_empty(&s->processes);
}

void om_vm_spawner_close(struct om_vm_spawner *s)
{
    if (!s || s->is_closed)
        return;
    OM_BUG_IF(!om_list_is_empty(&s->processes));
    s->is_closed = true;
    (void)uv_poll_stop(&s->poll);
    (void)close(s->socket);
    uv_close((uv_handle_t *)&s->poll, on_handle_closed);
    uv_close((uv_handle_t *)&s->later, on_handle_closed);
}
