/* plugs.c - the daemon's ends of QEMU's sockets: monitor, console, agent and card. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/clock.h"
#include "links/links.h"
#include "service/agent_port.h"
#include "service/parts.h"

static const char *const names[VM_PLUGS] = {"qmp.sock", "console.sock", "agent.sock", "nic.sock"};

static void let_go(struct vm_plug *p)
{
    struct om_socket *socket = p->socket;
    bool is_connecting = p->is_connecting;

    p->vm = NULL;
    p->socket = NULL;
    if (socket)
        om_socket_close(socket, false);
    if (!is_connecting) /* else on_connect() will */
        free(p);
}

static void drop(struct service_vm *v, enum vm_plug_kind kind)
{
    struct vm_plug *p = v->plugs[kind];

    v->plugs[kind] = NULL;
    if (kind == VM_PLUG_AGENT)
        agent_port_close(v);
    if (p)
        let_go(p);
}

/* It closed, or never opened: once more, soon. */
static void lost(struct vm_plug *p)
{
    struct service_vm *v = p->vm;
    enum vm_plug_kind kind = p->kind;

    drop(v, kind);
    if (kind == VM_PLUG_QMP && v->has_qmp) {
        const struct om_vm_qmp_event e = {.kind = OM_VM_QMP_BROKEN, .text = "QEMU hung up"};
        v->has_qmp = false;
        v->is_wanted[kind] = false; /* the machine says when again */
        machine_qmp(v, &e);
        return;
    }
    v->again_at = om_time_min(v->again_at, om_clock_now() + OM_MS(VM_PLUG_AGAIN_MS));
    vms_touch(v->hub);
}

static void qmp_flush(struct service_vm *v)
{
    struct vm_plug *p = v->plugs[VM_PLUG_QMP];
    struct om_bytes out = om_vm_qmp_out(&v->qmp);
    char bytes[OM_VM_QMP_OUT_MAX];

    if (!p || !p->is_up || out.n == 0 || out.n > sizeof bytes)
        return;
    memcpy(bytes, out.p, out.n);
    uv_buf_t buf = uv_buf_init(bytes, (unsigned)out.n);
    int n = uv_try_write(&p->socket->stream, &buf, 1);
    if (n > 0)
        om_vm_qmp_sent(&v->qmp, (size_t)n);
    if (n < (int)out.n) {
        v->again_at = om_time_min(v->again_at, om_clock_now() + OM_MS(VM_PLUG_AGAIN_MS));
        vms_touch(v->hub);
    }
}

static void qmp_drain(struct service_vm *v)
{
    struct om_vm_qmp_event e;

    while (v->has_qmp && om_vm_qmp_next(&v->qmp, &e)) {
        if (e.kind == OM_VM_QMP_BROKEN) {
            v->has_qmp = false;
            v->is_wanted[VM_PLUG_QMP] = false;
            drop(v, VM_PLUG_QMP);
        }
        machine_qmp(v, &e);
    }
    qmp_flush(v);
}

static void on_alloc(uv_handle_t *h, size_t suggested OM_UNUSED, uv_buf_t *buf)
{
    struct vm_plug *p = h->data;

    *buf = uv_buf_init(p->in, sizeof p->in);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct vm_plug *p = stream->data;
    struct service_vm *v = p->vm;

    if (n < 0) {
        lost(p);
        return;
    }
    switch (p->kind) {
    case VM_PLUG_QMP:
        om_vm_qmp_input(&v->qmp, om_bytes(buf->base, (size_t)n));
        qmp_drain(v);
        break;
    case VM_PLUG_CONSOLE:
        om_vm_console_add(v->console, buf->base, (size_t)n);
        break;
    case VM_PLUG_AGENT:
        agent_port_input(v, om_bytes(buf->base, (size_t)n));
        break;
    case VM_PLUG_NIC:
    case VM_PLUGS:
        break;
    }
}

/* What the link of @v is. Its IPv6 address is what the card makes of the prefix, so "there6" is not
 * named. */
static json_t *nic_words(const struct service_vm *v)
{
    char here[32], there[32], here6[48], mac[18];
    uint8_t m[OM_STACK_MAC];

    machine_mac(v, m);
    (void)snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
                   m[5]);
    (void)snprintf(here, sizeof here, "10.77.%u.1/24", v->slot);
    (void)snprintf(there, sizeof there, "10.77.%u.2", v->slot);
    (void)snprintf(here6, sizeof here6, "fd6f:6d77:0:%x::1/64", v->slot);
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:b, s:b, s:b}", "kind", "ether", "name",
                     v->id, "mtu", (int)VM_MTU, "mac", mac, "here", here, "there", there, "here6",
                     here6, "dhcp", 1, "dns", 1, "inward", 1);
}

/* QEMU listens on: the card is plugged in again. */
static void on_link_end(void *self)
{
    struct service_vm *v = self;

    v->nic_link = 0;
    if (v->hub->is_closing)
        return;
    v->is_wanted[VM_PLUG_NIC] = true;
    v->again_at = om_time_min(v->again_at, om_clock_now() + OM_MS(VM_PLUG_AGAIN_MS));
    vms_touch(v->hub);
}

/* Without the file the machine does as well, but for what only reads when this daemon is killed. */
static void keep_flows(const struct service_vm *v, uint64_t number)
{
    char path[OM_PATH_MAX + 8];
    struct om_error err;

    (void)snprintf(path, sizeof path, "%s/flows", v->folder);
    if (!links_keep(v->hub->d->links, number, path, &err))
        vms_complain(v->hub, v->id, err.msg);
}

/* The card becomes a link, to which its socket belongs from now on. */
static void nic_up(struct vm_plug *p)
{
    struct service_vm *v = p->vm;
    struct link_config config = {.mtu = 0};
    struct om_error err = {.msg = "no memory"};
    json_t *words = nic_words(v);
    uint64_t number;
    bool is_read = words && !v->hub->is_closing && link_config_read(&config, words, &err);

    json_decref(words);
    config.gate = v->hub->provide.gate;
    config.rate = v->hub->provide.rate;
    config.network = v->network;
    config.peer = v->consumer;
    config.is_machine = true;
    if (!is_read || links_add(v->hub->d->links, &config, &number, &err) != OM_OK) {
        vms_complain(v->hub, v->id, err.msg);
        v->is_wanted[VM_PLUG_NIC] = false;
        drop(v, VM_PLUG_NIC);
        return;
    }
    keep_flows(v, number);
    struct om_socket *socket = p->socket;
    p->socket = NULL;
    v->is_wanted[VM_PLUG_NIC] = false;
    drop(v, VM_PLUG_NIC);
    v->nic_link = number;
    links_watch(v->hub->d->links, number, on_link_end, v);
    links_start(v->hub->d->links, number, socket, om_bytes("", 0));
}

static void up(struct vm_plug *p)
{
    struct service_vm *v = p->vm;

    p->is_up = true;
    if (p->kind == VM_PLUG_NIC) {
        nic_up(p);
        return;
    }
    if (p->kind == VM_PLUG_QMP) {
        om_vm_qmp_fini(&v->qmp);
        om_vm_qmp_init(&v->qmp, om_clock_now());
        v->has_qmp = true;
    }
    if ((p->kind == VM_PLUG_AGENT && !agent_port_open(v, p->socket)) ||
        uv_read_start(&p->socket->stream, on_alloc, on_read) != 0) {
        lost(p);
        return;
    }
    vms_touch(v->hub);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct vm_plug *p = request->data;

    p->is_connecting = false;
    if (!p->vm)
        free(p);
    else if (status < 0)
        lost(p);
    else
        up(p);
}

static void try(struct service_vm *v, enum vm_plug_kind kind)
{
    struct vm_plug *p = calloc(1, sizeof *p);
    char path[OM_PATH_MAX + 16];

    if (p)
        p->socket = malloc(sizeof *p->socket);
    if (!p || !p->socket || uv_pipe_init(&v->hub->d->loop, &p->socket->pipe, 0) != 0) {
        if (p)
            free(p->socket);
        free(p);
        v->again_at = om_clock_now() + OM_MS(VM_PLUG_AGAIN_MS);
        return;
    }
    p->vm = v;
    p->kind = kind;
    p->socket->handle.data = p;
    p->connect.data = p;
    p->is_connecting = true;
    v->plugs[kind] = p;
    (void)snprintf(path, sizeof path, "%s/%s", v->folder, names[kind]);
    uv_pipe_connect(&p->connect, &p->socket->pipe, path, on_connect);
}

/* The link of a QEMU that has gone must not have the name when the next one comes. */
static void end_link(struct service_vm *v)
{
    uint64_t number = v->nic_link;

    if (number && !v->hub->is_closing) /* what nobody looked at yet */
        v->is_reached |= links_heard_at(v->hub->d->links, number) != OM_NEVER;
    v->nic_link = 0;
    if (number)
        links_end(v->hub->d->links, number);
}

void plugs_connect(struct service_vm *v, enum vm_plug_kind kind)
{
    drop(v, kind);
    if (kind == VM_PLUG_NIC)
        end_link(v);
    v->is_wanted[kind] = true;
    if (kind == VM_PLUG_QMP)
        v->has_qmp = false;
    if (kind == VM_PLUG_AGENT)
        v->is_greeted = false;
    try(v, kind);
}

void plugs_drop(struct service_vm *v)
{
    for (unsigned i = 0; i < VM_PLUGS; i++) {
        v->is_wanted[i] = false;
        drop(v, (enum vm_plug_kind)i);
    }
    end_link(v);
    v->has_qmp = false;
    v->again_at = OM_NEVER;
}

void plugs_pause(struct service_vm *v, enum vm_plug_kind kind, bool is_paused)
{
    struct vm_plug *p = v->plugs[kind];

    if (!p || !p->is_up)
        return;
    if (is_paused)
        (void)uv_read_stop(&p->socket->stream);
    else
        (void)uv_read_start(&p->socket->stream, on_alloc, on_read);
}

void plugs_tick(struct service_vm *v, om_time now)
{
    agent_port_tick(v, now);
    if (v->has_qmp && om_vm_qmp_deadline(&v->qmp) <= now) {
        om_vm_qmp_tick(&v->qmp, now);
        qmp_drain(v);
    }
    if (v->again_at > now)
        return;
    v->again_at = OM_NEVER;
    for (unsigned i = 0; i < VM_PLUGS; i++)
        if (v->is_wanted[i] && !v->plugs[i])
            try(v, (enum vm_plug_kind)i);
    qmp_flush(v);
}

om_time plugs_deadline(const struct service_vm *v)
{
    om_time at = om_time_min(v->again_at, agent_port_deadline(v));

    return v->has_qmp ? om_time_min(at, om_vm_qmp_deadline(&v->qmp)) : at;
}

void plugs_command(struct service_vm *v, enum om_vm_qmp_command c)
{
    if (v->has_qmp)
        (void)!om_vm_qmp_give(&v->qmp, om_clock_now(), c); /* the machine has its deadlines */
    qmp_flush(v);
}
