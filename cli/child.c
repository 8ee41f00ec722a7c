/* child.c - fork and exec. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX = 16 };

static bool is_program(const char *path)
{
    struct stat s;

    return stat(path, &s) == 0 && S_ISREG(s.st_mode) && access(path, X_OK) == 0;
}

static bool try_folder(const char *folder, size_t n, const char *name, char out[OM_PATH_MAX])
{
    int used = snprintf(out, OM_PATH_MAX, "%.*s/%s", (int)n, folder, name);

    return used > 0 && used < OM_PATH_MAX && is_program(out);
}

bool om_child_in_path(const char *name, char out[static OM_PATH_MAX])
{
    const char *path = getenv("PATH");

    for (path = path ? path : "/usr/bin:/bin"; *path;) {
        size_t n = strcspn(path, ":");

        if (n && try_folder(path, n, name, out))
            return true;
        path += n + (path[n] == ':');
    }
    return false;
}

bool om_child_find(const char *name, char out[static OM_PATH_MAX])
{
    char self[OM_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    const char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;

    if (slash && try_folder(self, (size_t)(slash - self), name, out))
        return true;
    return om_child_in_path(name, out);
}

/* Only in the child: become the program. */
static void become(const char *const *argv, int in, int out, int problems)
{
    char *words[WORDS_MAX + 1];
    unsigned n;

    if (in >= 0)
        dup2(in, 0);
    if (out >= 0)
        dup2(out, 1);
    if (problems >= 0)
        dup2(problems, 2);
    for (n = 0; n < WORDS_MAX && argv[n]; n++)
        words[n] = strdup(argv[n]);
    words[n] = NULL;
    if (words[0])
        execv(words[0], words);
    _exit(127);
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return code_of(status);
}

int om_child_run(const char *const *argv, bool quiet)
{
    int nothing = quiet ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
    pid_t pid = fork();

    if (pid == 0)
        become(argv, nothing, nothing, nothing);
    if (nothing >= 0)
        close(nothing);
    return pid < 0 ? -1 : wait_for(pid);
}

int om_child_read(const char *const *argv, char *buf, size_t n)
{
    char rest[512];
    size_t have = 0;
    ssize_t got;
    int ends[2];
    pid_t pid;

    *buf = 0;
    if (pipe2(ends, O_CLOEXEC))
        return -1;
    pid = fork();
    if (pid == 0)
        become(argv, -1, ends[1], ends[1]);
    close(ends[1]);
    while (pid > 0) {
        bool fits = have + 1 < n;

        got = read(ends[0], fits ? buf + have : rest, fits ? n - 1 - have : sizeof rest);
        if (got <= 0)
            break;
        have += fits ? (size_t)got : 0;
    }
    buf[have] = 0;
    close(ends[0]);
    return pid < 0 ? -1 : wait_for(pid);
}

pid_t om_child_start(const char *const *argv, int log_fd)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_t pid = fork();

    if (pid == 0) {
        setsid();
        become(argv, nothing, log_fd, log_fd);
    }
    if (nothing >= 0)
        close(nothing);
    return pid;
}

bool om_child_ended(pid_t pid, int *code)
{
    int status = 0;

    if (waitpid(pid, &status, WNOHANG) != pid)
        return false;
    *code = code_of(status);
    return true;
}
