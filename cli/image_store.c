/* image_store.c - image add and image remove. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "image.h"

enum { WORDS_MAX = 24 };

static enum om_exit say_path(struct om_cli *cli, const char *name, const char *path)
{
    if (cli->out.json) {
        json_t *o = json_pack("{s:s, s:s}", "name", name, "path", path);
        om_out_json(&cli->out, o);
        json_decref(o);
    }
    return OM_EXIT_OK;
}

enum om_exit om_image_add(struct om_cli *cli, const char *name)
{
    static const char *const options[][2] = {
        {"disk", "--disk"},       {"kernel", "--kernel"}, {"initrd", "--initrd"},
        {"cmdline", "--cmdline"}, {"sha256", "--sha256"}, {"agent", "--agent"},
        {"user", "--user"},       {"memory", "--memory"}, {"languages", "--languages"}};
    char tool[OM_PATH_MAX], images[OM_PATH_MAX], path[OM_PATH_MAX], python[OM_PATH_MAX];
    const char *argv[WORDS_MAX] = {python, tool, images, name};
    unsigned n = 4;

    if (!om_args_value(&cli->args, "disk"))
        return om_cli_usage(cli, "image add: want --disk FILE");
    for (unsigned i = 0; i < OM_ARRAY_SIZE(options); i++) {
        const char *value = om_args_value(&cli->args, options[i][0]);
        if (!value)
            continue;
        argv[n++] = options[i][1];
        argv[n++] = value;
    }
    if (!om_image_place(cli, name, path))
        return OM_EXIT_USAGE;
    if (!om_image_folder(cli, images))
        return OM_EXIT_FAILED;
    if (!om_image_tool("add.py", tool) || !om_child_in_path("python3", python)) {
        om_out_error(&cli->out, "python3, or the builder of images, is not installed");
        return OM_EXIT_FAILED;
    }
    (void)fflush(cli->out.to);
    if (om_child_run(argv, cli->out.json) != 0) {
        if (cli->out.json)
            om_out_error(&cli->out, "image %.60s could not be added", name);
        return OM_EXIT_FAILED;
    }
    if (!cli->out.json)
        om_out_line(&cli->out, "%s: added", name);
    return say_path(cli, name, path);
}

static bool is_used(const json_t *vms, const char *name)
{
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(vms, "provided"), i, row)
    {
        const char *image = json_string_value(json_object_get(row, "image"));
        if (image && strcmp(image, name) == 0)
            return true;
    }
    return false;
}

/* Without a daemon: is there a folder of a machine, which may run? */
static bool has_machines(const struct om_cli *cli)
{
    char path[OM_PATH_MAX + 8];
    bool has = false;

    (void)snprintf(path, sizeof path, "%s/vms", cli->place.home);
    DIR *d = opendir(path);
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        has = has || e->d_name[0] != '.';
    if (d)
        (void)closedir(d);
    return has;
}

/* May what was image @name go? If not, that is said. */
static bool is_free(struct om_cli *cli, const char *name)
{
    struct om_ask *ask = NULL;
    json_t *vms = NULL;
    struct om_error err = {.msg = ""};
    enum om_exit e = om_ask_open(&ask, cli->place.control, &err);
    bool may = false;

    if (!e)
        e = om_ask_call(ask, "vm.list", NULL, OM_SEC(10), &vms, &err);
    if (e == OM_EXIT_NO_DAEMON && has_machines(cli))
        om_out_error(&cli->out,
                     "there are machines, one of which may use image %.60s:"
                     " start the daemon first",
                     name);
    else if (e && e != OM_EXIT_NO_DAEMON)
        om_out_error(&cli->out, "%s", err.msg);
    else if (!e && is_used(vms, name))
        om_out_error(&cli->out, "a virtual machine uses it (omerta vm list)");
    else
        may = true;
    json_decref(vms);
    om_ask_close(ask);
    return may;
}

/* An image is a folder of files. What is in the way of that stays. */
static bool remove_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (fd < 0) /* a link to one: that alone goes */
        return unlink(path) == 0;
    if (!d) {
        (void)close(fd);
        return false;
    }
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    (void)closedir(d);
    return rmdir(path) == 0;
}

/* It is put aside first: from then on no machine can begin with it, and it is asked who did. */
enum om_exit om_image_remove(struct om_cli *cli, const char *name)
{
    char path[OM_PATH_MAX], json[OM_PATH_MAX + 16], aside[OM_PATH_MAX + 32];
    struct stat st;

    if (!om_image_place(cli, name, path))
        return OM_EXIT_USAGE;
    (void)snprintf(json, sizeof json, "%s/image.json", path);
    if (stat(json, &st) != 0) {
        om_out_error(&cli->out, "there is no image \"%.60s\" (omerta image list)", name);
        return OM_EXIT_FAILED;
    }
    (void)snprintf(aside, sizeof aside, "%.*s.old.%ld", (int)(strlen(path) - strlen(name)), path,
                   (long)getpid());
    if (rename(path, aside) != 0) {
        om_out_error(&cli->out, "%.300s: %s", path, strerror(errno));
        return OM_EXIT_FAILED;
    }
    if (!is_free(cli, name)) {
        if (rename(aside, path) != 0)
            om_out_error(&cli->out, "it is in %.300s now: %s", aside, strerror(errno));
        return OM_EXIT_FAILED;
    }
    if (!remove_folder(aside)) {
        om_out_error(&cli->out, "%.300s: %s", aside, strerror(errno));
        return OM_EXIT_FAILED;
    }
    if (!cli->out.json)
        om_out_line(&cli->out, "%s: removed", name);
    return say_path(cli, name, path);
}
