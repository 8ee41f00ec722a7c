/* test_local.c - the door of the control and the data socket. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "local.h"

static void on_connection(uv_stream_t *listener OM_UNUSED, int status OM_UNUSED)
{
}

/* Listens on @path and ends; how that went. */
static enum om_err try_listen(const char *path, mode_t *mode)
{
    struct om_error err;
    struct stat st;
    uv_pipe_t pipe;
    uv_loop_t loop;
    enum om_err e = OM_E_NO_MEM;

    if (uv_loop_init(&loop) < 0)
        return e;
    if (uv_pipe_init(&loop, &pipe, 0) == 0) {
        e = local_listen(&pipe, path, 8, on_connection, "test socket", &err);
        *mode = lstat(path, &st) == 0 ? st.st_mode : 0;
        uv_close((uv_handle_t *)&pipe, NULL);
    }
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_EQ(uv_loop_close(&loop), 0);
    return e;
}

OM_TEST(local_takes_the_place_of_a_dead_socket)
{
    char folder[] = "/tmp/om-local-XXXXXX";
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    mode_t mode = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    OM_TRY(mkdtemp(folder) != NULL);
    (void)snprintf(at.sun_path, sizeof at.sun_path, "%s/s", folder);
    CHECK_EQ(bind(fd, (const struct sockaddr *)&at, sizeof at), 0); /* and nobody listens */
    OM_TRY(try_listen(at.sun_path, &mode) == OM_OK);
    CHECK(S_ISSOCK(mode) && (mode & 0777) == 0600);
out:
    (void)close(fd);
    (void)unlink(at.sun_path);
    (void)rmdir(folder);
}

OM_TEST(local_leaves_what_is_no_socket)
{
    char folder[] = "/tmp/om-local-XXXXXX", path[64];
    mode_t mode = 0;
    int fd = -1;

    OM_TRY(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/s", folder);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    CHECK(fd >= 0);
    OM_TRY(try_listen(path, &mode) == OM_E_STATE);
    CHECK(S_ISREG(mode));
out:
    (void)close(fd);
    (void)unlink(path);
    (void)rmdir(folder);
}
