/* ssh_proxy.c - two readers, one after the other: OpenSSH for percent signs, the shell for all. */
#include "ipc/ssh_proxy.h"

#include <stdio.h>
#include <string.h>

static bool add(char *out, size_t n, const char *text)
{
    size_t at = strlen(out);

    return snprintf(out + at, n - at, "%s", text) < (int)(n - at);
}

static bool quote(char *out, size_t n, const char *word)
{
    size_t at = strlen(out);

    if (at + 2 >= n)
        return false;
    out[at++] = '\'';
    for (; *word; word++) {
        const char *as = *word == '\'' ? "'\\''" : *word == '%' ? "%%" : NULL;
        size_t len = as ? strlen(as) : 1;
        if (at + len + 2 > n)
            return false;
        memcpy(out + at, as ? as : word, len);
        at += len;
    }
    out[at++] = '\'';
    out[at] = '\0';
    return true;
}

bool om_ssh_proxy_write(char *out, size_t n, const struct om_ssh_proxy *p)
{
    out[0] = '\0';
    return quote(out, n, p->program) && add(out, n, " --home ") && quote(out, n, p->home) &&
           (!p->network || (add(out, n, " --network ") && quote(out, n, p->network))) &&
           add(out, n, " nc -- ") && add(out, n, p->to);
}

bool om_ssh_path_is_odd(const char *path)
{
    return strpbrk(path, "\"\\%$\n") != NULL;
}
