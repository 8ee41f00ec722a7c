/* test_ssh_proxy.c - the command that OpenSSH runs to get into the mesh. */
#include <string.h>

#include "harness.h"
#include "ipc/ssh_proxy.h"

OM_TEST(ssh_proxy_is_quoted_for_shell_and_ssh)
{
    struct om_ssh_proxy p = {.program = "/usr/bin/omerta", .home = "/h", .to = "%h %p"};
    char out[256];

    CHECK(om_ssh_proxy_write(out, sizeof out, &p));
    CHECK_STR(out, "'/usr/bin/omerta' --home '/h' nc -- %h %p");
    p.home = "/a b/50%/it's $HOME";
    p.network = "n;m";
    p.to = "vm-0123456789 22";
    CHECK(om_ssh_proxy_write(out, sizeof out, &p));
    CHECK_STR(out, "'/usr/bin/omerta' --home '/a b/50%%/it'\\''s $HOME' --network 'n;m'"
                   " nc -- vm-0123456789 22");
    CHECK(!om_ssh_path_is_odd("/a b/.omerta"));
    CHECK(om_ssh_path_is_odd("/50%"));
    CHECK(om_ssh_path_is_odd("/a\nb"));
}

OM_TEST(ssh_proxy_says_when_there_is_no_room)
{
    const struct om_ssh_proxy p = {.program = "/p", .home = "/h", .network = "n", .to = "x 22"};
    char out[64];
    size_t need = strlen("'/p' --home '/h' --network 'n' nc -- x 22") + 1;

    CHECK(om_ssh_proxy_write(out, need, &p));
    for (size_t n = 1; n < need; n++)
        CHECK(!om_ssh_proxy_write(out, n, &p));
}
