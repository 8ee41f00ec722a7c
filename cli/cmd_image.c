/* cmd_image.c - image. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "image.h"
#include "table.h"

static const struct om_column columns[] = {
    {"IMAGE", "name", OM_COLUMN_TEXT},          {"KERNEL", "kernel", OM_COLUMN_TEXT},
    {"LANGUAGES", "languages", OM_COLUMN_TEXT}, {"MIB", "memory_min_mib", OM_COLUMN_COUNT},
    {"PATH", "path", OM_COLUMN_TEXT},
};

/* File @name of the image builder: beside an installed program, or beside one that was built in the
 * source tree. */
bool om_image_tool(const char *name, char out[static OM_PATH_MAX])
{
    static const char *const places[] = {"../share/omerta/image", "../../../vm/image",
                                         "../../vm/image"};
    char self[OM_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    self[n > 0 ? n : 0] = 0;
    char *slash = strrchr(self, '/');
    if (!slash)
        return false;
    *slash = 0;
    for (unsigned i = 0; i < OM_ARRAY_SIZE(places); i++)
        if (snprintf(out, OM_PATH_MAX, "%s/%s/%s", self, places[i], name) < OM_PATH_MAX &&
            access(out, R_OK) == 0)
            return true;
    return false;
}

/* HOME/images, and @name in it if there is one; false, said, when it is no path. */
bool om_image_place(struct om_cli *cli, const char *name, char out[static OM_PATH_MAX])
{
    int n = snprintf(out, OM_PATH_MAX, "%s/images%s%s", cli->place.home, name ? "/" : "",
                     name ? name : "");

    if (n < OM_PATH_MAX && (!name || (*name != '.' && !strchr(name, '/'))))
        return true;
    om_out_error(&cli->out, "that is no name of an image");
    return false;
}

bool om_image_folder(struct om_cli *cli, char out[static OM_PATH_MAX])
{
    if (!om_image_place(cli, NULL, out))
        return false;
    if (mkdir(out, 0700) == 0 || errno == EEXIST)
        return true;
    om_out_error(&cli->out, "%.300s: %s", out, strerror(errno));
    return false;
}

static enum om_exit build(struct om_cli *cli, const char *name)
{
    char tool[OM_PATH_MAX], to[OM_PATH_MAX], images[OM_PATH_MAX];
    char cache[OM_PATH_MAX + 16];
    const char *argv[] = {tool, "--out", to, "--cache", cache, NULL, NULL, NULL};
    unsigned n = 5;

    if (strcmp(name, "mini") != 0 && strcmp(name, "python") != 0)
        return om_cli_usage(cli, "image build: want mini or python");
    if (!om_image_place(cli, name, to) || !om_image_folder(cli, images))
        return OM_EXIT_USAGE;
    (void)snprintf(cache, sizeof cache, "%s/.cache",
                   images); /* where the daemon's builds have it */
    if (!om_image_tool("build.sh", tool)) {
        om_out_error(&cli->out, "the builder of images is not installed");
        return OM_EXIT_FAILED;
    }
    if (strcmp(name, "python") == 0)
        argv[n++] = "--python";
    if (om_args_has(&cli->args, "update"))
        argv[n++] = "--update";
    (void)fflush(cli->out.to);
    if (om_child_run(argv, cli->out.json) != 0) {
        if (cli->out.json)
            om_out_error(&cli->out, "image %s could not be built", name);
        return OM_EXIT_FAILED;
    }
    if (cli->out.json) {
        json_t *o = json_pack("{s:s, s:s}", "name", name, "path", to);
        om_out_json(&cli->out, o);
        json_decref(o);
    }
    return OM_EXIT_OK;
}

/* image.json of the image called @name, with its path; NULL when that is none. */
static json_t *describe(struct om_cli *cli, const char *name)
{
    char path[OM_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/images/%s/image.json", cli->place.home, name);
    json_t *all = n < (int)sizeof path ? json_load_file(path, 0, NULL) : NULL;
    static const char *const words[] = {"name", "kernel", "languages", "memory_min_mib"};
    json_t *o = all ? json_object() : NULL;

    if (!o) {
        json_decref(all);
        return NULL;
    }
    for (unsigned i = 0; i < OM_ARRAY_SIZE(words); i++)
        (void)json_object_set(o, words[i], json_object_get(all, words[i]));
    *strrchr(path, '/') = 0;
    (void)json_object_set_new(o, "path", json_string(path));
    json_decref(all);
    return o;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum om_exit list(struct om_cli *cli)
{
    char images[OM_PATH_MAX];
    json_t *rows = json_array();
    struct dirent **names = NULL;
    enum om_exit e = OM_EXIT_OK;

    if (!om_image_place(cli, NULL, images)) {
        json_decref(rows);
        return OM_EXIT_FAILED;
    }
    int n = scandir(images, &names, NULL, by_name);
    for (int i = 0; i < n; i++) {
        json_t *one = names[i]->d_name[0] == '.' ? NULL : describe(cli, names[i]->d_name);
        if (one)
            (void)json_array_append_new(rows, one);
        free(names[i]);
    }
    free(names);
    if (cli->out.json)
        om_out_json(&cli->out, rows);
    else if (!json_array_size(rows))
        om_out_line(&cli->out, "there is no image (omerta image build)");
    else if (om_table_print(&cli->out, columns, OM_ARRAY_SIZE(columns), rows))
        e = OM_EXIT_FAILED;
    json_decref(rows);
    return e;
}

static enum om_exit verify(struct om_cli *cli, const char *name)
{
    char tool[OM_PATH_MAX], path[OM_PATH_MAX], python[OM_PATH_MAX];
    const char *argv[] = {python, tool, "verify", path, NULL};

    if (!om_image_place(cli, name, path))
        return OM_EXIT_USAGE;
    if (access(path, R_OK) != 0) {
        om_out_error(&cli->out, "there is no image \"%.60s\" (omerta image list)", name);
        return OM_EXIT_FAILED;
    }
    if (!om_image_tool("image.py", tool) || !om_child_in_path("python3", python)) {
        om_out_error(&cli->out, "python3, or the builder of images, is not installed");
        return OM_EXIT_FAILED;
    }
    bool is_good = om_child_run(argv, cli->out.json) == 0;
    if (cli->out.json) {
        json_t *o = json_pack("{s:s, s:b}", "name", name, "good", is_good ? 1 : 0);
        om_out_json(&cli->out, o);
        json_decref(o);
    } else if (is_good) {
        om_out_line(&cli->out, "%s: its files are those that were built", name);
    }
    return is_good ? OM_EXIT_OK : OM_EXIT_FAILED;
}

enum om_exit om_cmd_image(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 0, 2);
    const char *word = cli->args.count ? cli->args.words[0] : "list";
    const char *name = cli->args.count > 1 ? cli->args.words[1] : "mini";

    if (e)
        return e;
    if (strcmp(word, "build") == 0)
        return build(cli, name);
    if (strcmp(word, "verify") == 0)
        return verify(cli, name);
    if (strcmp(word, "list") == 0 && cli->args.count < 2)
        return list(cli);
    if (cli->args.count == 2 && strcmp(word, "add") == 0)
        return om_image_add(cli, name);
    if (cli->args.count == 2 && strcmp(word, "remove") == 0)
        return om_image_remove(cli, name);
    return om_cli_usage(cli, "want build [mini|python], list, verify [NAME], add NAME --disk FILE"
                             " or remove NAME");
}
