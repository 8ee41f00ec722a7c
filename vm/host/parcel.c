/* parcel.c - sendmsg() and recvmsg() with ancillary data. */
#include "parcel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SEND_WAIT_MS = 2000 };

union room {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * OM_VM_ORDER_FDS)];
};

static bool wait_for(int socket, short events, int ms)
{
    struct pollfd p = {.fd = socket, .events = events};
    int rc = 0;

    do
        rc = poll(&p, 1, ms);
    while (rc < 0 && errno == EINTR);
    return rc > 0;
}

bool om_vm_parcel_send(int socket, const char *bytes, size_t n, const int *fds, unsigned count)
{
    char copy[OM_VM_ORDER_MAX]; /* struct iovec knows no const */
    struct iovec v = {.iov_base = copy, .iov_len = n};
    union room room = {.bytes = {0}};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    ssize_t sent = 0;

    if (n == 0 || n > sizeof copy || count > OM_VM_ORDER_FDS)
        return false;
    memcpy(copy, bytes, n);
    if (count > 0) {
        m.msg_control = room.bytes;
        m.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
    }
    do
        sent = sendmsg(socket, &m, MSG_NOSIGNAL);
    while (sent < 0 &&
           (errno == EINTR || (errno == EAGAIN && wait_for(socket, POLLOUT, SEND_WAIT_MS))));
    return sent == (ssize_t)n;
}

static void take_fds(struct msghdr *m, int *fds)
{
    unsigned have = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd = -1;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (have < OM_VM_ORDER_FDS)
                fds[have++] = fd;
            else
                (void)close(fd);
        }
    }
}

ssize_t om_vm_parcel_receive(int socket, char *bytes, int *fds)
{
    for (;;) {
        struct iovec v = {.iov_len = OM_VM_ORDER_MAX};
        union room room = {.bytes = {0}};
        struct msghdr m = {.msg_iov = &v,
                           .msg_iovlen = 1,
                           .msg_control = room.bytes,
                           .msg_controllen = sizeof room.bytes};

        v.iov_base = bytes;
        for (int i = 0; i < OM_VM_ORDER_FDS; i++)
            fds[i] = -1;
        ssize_t n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? -1 : 0;
        take_fds(&m, fds);
        if ((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
            return n;
        om_vm_parcel_drop(fds);
    }
}

bool om_vm_parcel_wait(int socket, int ms)
{
    return wait_for(socket, POLLIN, ms);
}

void om_vm_parcel_drop(int *fds)
{
    for (int i = 0; i < OM_VM_ORDER_FDS; i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
        fds[i] = -1;
    }
}
