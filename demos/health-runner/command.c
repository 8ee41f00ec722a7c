/* command.c - fork, exec, read. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Only in the child: what the agent does not hear its commands do. */
static void become(char *const *words, int to)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)dup2(nothing, STDIN_FILENO);
    (void)dup2(to, STDOUT_FILENO);
    (void)dup2(to, STDERR_FILENO);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)execvp(words[0], words);
    (void)dprintf(STDERR_FILENO, "%s: %s", words[0], strerror(errno));
    _exit(127);
}

static void read_all(int from, char out[static OM_COMMAND_OUT])
{
    char rest[512];
    size_t have = 0;
    ssize_t n;

    do {
        bool fits = have + 1 < OM_COMMAND_OUT;
        n = read(from, fits ? out + have : rest, fits ? OM_COMMAND_OUT - 1 - have : sizeof rest);
        have += fits && n > 0 ? (size_t)n : 0;
    } while (n > 0 || (n < 0 && errno == EINTR));
    while (have > 0 && out[have - 1] == '\n')
        have--;
    out[have] = 0;
}

int om_command_run(const json_t *argv, char out[static OM_COMMAND_OUT])
{
    char *words[OM_COMMAND_WORDS + 1] = {0};
    size_t count = json_array_size(argv);
    int ends[2], status = 0;
    pid_t pid;

    *out = 0;
    for (size_t i = 0; i < count && i < OM_COMMAND_WORDS; i++) {
        /* exec takes words that it does not change. */
        const char *word = json_string_value(json_array_get(argv, i));
        memcpy(&words[i], &word, sizeof word);
    }
    if (!words[0] || count > OM_COMMAND_WORDS || pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid = fork();
    if (pid == 0)
        become(words, ends[1]);
    (void)close(ends[1]);
    if (pid > 0)
        read_all(ends[0], out);
    (void)close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    if (pid < 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
