/* port.c - one device, never waited for. */
#include "port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vm/core/base64.h"

static const char ports[] = "/sys/class/virtio-ports";
static const char wanted[] = "org.omerta.agent\n";

/* Is the port of that name ours? */
static bool is_ours(const char *port)
{
    char path[300], name[sizeof wanted + 1];
    int n = snprintf(path, sizeof path, "%s/%s/name", ports, port);
    int fd = n < (int)sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t got;

    if (fd < 0)
        return false;
    got = read(fd, name, sizeof name);
    (void)close(fd);
    return got == (ssize_t)(sizeof wanted - 1) && memcmp(name, wanted, sizeof wanted - 1) == 0;
}

bool guest_port_open(struct guest_port *p)
{
    DIR *all = opendir(ports);
    const struct dirent *e;

    p->fd = -1;
    while (all && p->fd < 0 && (e = readdir(all)) != NULL) {
        char path[300];
        int n = snprintf(path, sizeof path, "/dev/%s", e->d_name);
        if (e->d_name[0] != '.' && is_ours(e->d_name) && n < (int)sizeof path)
            p->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    }
    if (all)
        (void)closedir(all);
    return p->fd >= 0;
}

void guest_port_look(struct guest_port *p)
{
    struct pollfd one = {.fd = p->fd};

    p->is_gone = poll(&one, 1, 0) > 0 && (one.revents & POLLHUP);
}

size_t guest_port_read(struct guest_port *p, struct om_mut to)
{
    ssize_t n = read(p->fd, to.p, to.n);

    return n > 0 ? (size_t)n : 0;
}

static size_t left(const struct guest_port *p)
{
    return sizeof p->out - (p->n - p->at);
}

bool guest_port_takes_output(const struct guest_port *p)
{
    return left(p) >= GUEST_PORT_LINE + GUEST_PORT_ANSWERS;
}

bool guest_port_takes_answer(const struct guest_port *p)
{
    return left(p) >= GUEST_PORT_ANSWER;
}

/* Where the next bytes go. */
static char *end(struct guest_port *p)
{
    if (p->at > 0 && sizeof p->out - p->n < GUEST_PORT_LINE) {
        memmove(p->out, p->out + p->at, p->n - p->at);
        p->n -= p->at;
        p->at = 0;
    }
    return p->out + p->n;
}

void guest_port_say(struct guest_port *p, const char *form, ...)
{
    va_list args;
    char *to = end(p);
    size_t room = sizeof p->out - p->n;
    int n;

    va_start(args, form);
    n = vsnprintf(to, room, form, args);
    va_end(args);
    if (n < 0 || (size_t)n + 1 > room)
        return;
    to[n] = '\n';
    p->n += (size_t)n + 1;
}

void guest_port_output(struct guest_port *p, const char *word, const char *id,
                       struct om_bytes bytes)
{
    char *to = end(p);
    size_t n = (size_t)snprintf(to, GUEST_PORT_LINE, "%s %s ", word, id);

    om_vm_base64_encode(to + n, bytes);
    n += OM_VM_BASE64_LEN(bytes.n);
    to[n] = '\n';
    p->n += n + 1;
}

bool guest_port_has(const struct guest_port *p)
{
    return p->at < p->n;
}

void guest_port_flush(struct guest_port *p)
{
    while (p->at < p->n) {
        size_t n = p->n - p->at;
        ssize_t done = write(p->fd, p->out + p->at, n < GUEST_PORT_LINE ? n : GUEST_PORT_LINE);
        if (done <= 0)
            return;
        p->at += (size_t)done;
    }
    p->at = p->n = 0;
}
