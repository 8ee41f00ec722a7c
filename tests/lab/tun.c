/* tun.c - a TUN device for the harnesses of this folder. */
#include "tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int tun_open(const char *name, enum tun_kind kind)
{
    bool has_offload = kind == TUN_IP_OFFLOAD;
    struct ifreq request = {0};
    int size = (int)sizeof(struct virtio_net_hdr);
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return -1;
    request.ifr_flags = (short)((kind == TUN_ETHER ? IFF_TAP : IFF_TUN) | IFF_NO_PI |
                                (has_offload ? IFF_VNET_HDR : 0));
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (ioctl(fd, TUNSETIFF, &request) == 0 &&
        (!has_offload || (ioctl(fd, TUNSETVNETHDRSZ, &size) == 0 &&
                          ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) == 0)))
        return fd;
    int why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}
