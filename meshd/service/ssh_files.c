/* ssh_files.c - what OpenSSH reads about our machines. */
#include "service/ssh_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/secret_file.h"
#include "ipc/ssh_proxy.h"

#define FOLDER "ssh"
#define CONFIG "config"
#define KNOWN  "vm_known_hosts"

void ssh_files_find(struct wanted *w)
{
    ssize_t n = readlink("/proc/self/exe", w->program, sizeof w->program - 1);
    char *slash;

    w->program[n > 0 ? n : 0] = '\0';
    slash = strrchr(w->program, '/');
    size_t at = slash ? (size_t)(slash - w->program) + 1 : 0;
    if (snprintf(w->program + at, sizeof w->program - at, "omerta") >=
            (int)(sizeof w->program - at) ||
        access(w->program, X_OK) != 0)
        (void)snprintf(w->program, sizeof w->program, "omerta"); /* where PATH has it */
}

static bool has_ssh(const struct wanted_vm *v)
{
    return *v->vm && *v->host_key && strcmp(v->state, "gone") != 0;
}

static void write_host(FILE *f, const struct wanted_vm *v, const char *folder)
{
    static char proxy[10 * OM_PATH_MAX];
    char to[WANTED_WORD + 4], own[OM_PATH_MAX + 16];
    const struct om_ssh_proxy p = {
        .program = v->hub->program, .home = v->hub->d->place.home, .to = to};

    (void)snprintf(to, sizeof to, "%s 22", v->vm);
    (void)snprintf(own, sizeof own, "%s/id_ed25519", folder);
    if (!om_ssh_proxy_write(proxy, sizeof proxy, &p))
        return;
    (void)fprintf(f,
                  "Host %s%s%s\n"
                  "    User root\n"
                  "    ProxyCommand %s\n"
                  "    HostKeyAlias %s\n"
                  "    UserKnownHostsFile \"%s/" KNOWN "\"\n"
                  "    StrictHostKeyChecking yes\n"
                  "    CheckHostIP no\n"
                  "    PreferredAuthentications publickey\n"
                  "    IdentitiesOnly yes\n"
                  "    IdentityFile \"%s\"\n",
                  v->vm, *v->name ? " " : "", v->name, proxy, v->vm, folder,
                  *v->identity ? v->identity : own);
}

static void write_all(FILE *f, const struct wanted *w, const char *folder, bool is_config)
{
    if (is_config && om_ssh_path_is_odd(folder)) {
        (void)fprintf(f, "# ssh cannot use a path with one of \" \\ %% $ in it\n");
        return;
    }
    for (struct om_link *l = om_list_first(&w->machines); l; l = om_list_next(&w->machines, l)) {
        const struct wanted_vm *v = OM_CONTAINER_OF(l, struct wanted_vm, link);
        if (has_ssh(v) && is_config)
            write_host(f, v, folder);
        else if (has_ssh(v))
            (void)fprintf(f, "%s %s\n", v->vm, v->host_key);
    }
}

/* @kept: what the file holds; taken, and its successor returned. */
static char *renew(struct wanted *w, char *kept, const char *folder, const char *name,
                   bool is_config)
{
    struct om_error err = {.msg = "no memory"};
    struct om_logline line;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    if (f) {
        (void)fprintf(f, "# Written by omerta-meshd: what is changed here is lost.\n");
        write_all(f, w, folder, is_config);
        (void)fclose(f);
    }
    if (text && kept && strcmp(text, kept) == 0) {
        free(text);
        return kept;
    }
    free(kept);
    if (text && om_home_sub(w->d->home, FOLDER, &err) == OM_OK &&
        om_secret_write(folder, name, text, n, true, &err) == OM_OK)
        return text;
    if (om_log_begin(&line, &w->d->log, OM_LOG_WARN, "vm", "cannot be told to ssh")) {
        om_log_str(&line, "file", name);
        om_log_str(&line, "why", err.msg);
        om_log_end(&line);
    }
    free(text);
    return NULL;
}

void ssh_files_write(struct wanted *w)
{
    char folder[OM_PATH_MAX];

    /* A node that never had a machine has no such files. */
    if ((w->count == 0 && !w->ssh_config) ||
        !om_home_join(w->d->home, folder, sizeof folder, FOLDER))
        return;
    w->ssh_known = renew(w, w->ssh_known, folder, KNOWN, false);
    w->ssh_config = renew(w, w->ssh_config, folder, CONFIG, true);
}

void ssh_files_free(struct wanted *w)
{
    free(w->ssh_known);
    free(w->ssh_config);
}
