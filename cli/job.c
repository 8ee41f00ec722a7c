/* job.c - what is to be run. */
#include "job.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t quoted(char *to, const char *word)
{
    size_t n = 0;

    to[n++] = '\'';
    for (; *word; word++) {
        if (*word == '\'') {
            memcpy(to + n, "'\\''", 4);
            n += 4;
        } else {
            to[n++] = *word;
        }
    }
    to[n++] = '\'';
    return n;
}

char *om_job_quote(const char *const *words, unsigned count)
{
    size_t n = 1, at = 0;
    char *out;

    for (unsigned i = 0; i < count; i++)
        n += 4 * strlen(words[i]) + 3;
    out = malloc(n);
    if (!out)
        return NULL;
    for (unsigned i = 0; i < count; i++) {
        at += quoted(out + at, words[i]);
        out[at++] = i + 1 < count ? ' ' : '\n';
    }
    out[at] = '\0';
    return out;
}

void om_job_init(struct om_job *j)
{
    memset(j, 0, sizeof *j);
    j->folder = -1;
    for (unsigned i = 0; i < OM_JOB_FILES; i++)
        j->input[i].fd = j->output[i].fd = -1;
}

void om_job_fini(struct om_job *j)
{
    for (unsigned i = 0; i < OM_JOB_FILES; i++) {
        if (j->input[i].fd >= 0)
            (void)close(j->input[i].fd);
        if (j->output[i].fd >= 0) {
            (void)close(j->output[i].fd);
            (void)unlinkat(j->folder, j->output[i].part, 0);
        }
    }
    if (j->folder >= 0)
        (void)close(j->folder);
    free(j->script);
    om_job_init(j);
}
