/* exposed.c - bits of a mode. */
#include "exposed.h"

#include <sys/stat.h>

void om_exposed_warn(struct om_out *out, const char *path)
{
    char shown[OM_OUT_TEXT_MAX];
    struct stat st;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        om_out_error(out, "warning: others may read %s (mode %04o): chmod 600 it",
                     om_out_escape(shown, path), (unsigned)st.st_mode & 07777);
}
