/* fds.c - are there descriptors left? */
#include "fds.h"

#include <sys/resource.h>

/* The kernel gives the lowest free descriptor, so a high one says that few are left. */
bool om_fds_leave(int fd, unsigned reserve)
{
    struct rlimit r;

    return getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur > (rlim_t)fd + reserve;
}
