/* cmd_key.c - key: who this node is, and direct networks of two. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "exposed.h"
#include "meshd_run.h"
#include "network.h"
#include "password.h"
#include "sealed_file.h"

/* The link of the network that is named, or of a new one for two. */
static enum om_exit hand_out(struct om_cli *cli, bool is_qr)
{
    const char *name = om_args_value(&cli->args, "name");
    enum om_exit e = om_cli_words(cli, 1, 2);
    struct om_error err;
    uint64_t uses;

    if (e)
        return e;
    if (om_args_number(&cli->args, "uses", 1, UINT32_MAX, &uses, &err))
        return om_cli_usage(cli, "%s", err.msg);
    if (cli->args.count == 2 || cli->args.network)
        return om_network_link(cli, "networks.invite", om_network_params(cli, 1), is_qr);
    return om_network_link(cli, "networks.direct",
                           json_pack("{s:I, s:s*}", "uses", (json_int_t)uses, "name", name), is_qr);
}

static enum om_exit link_it(struct om_cli *cli)
{
    return hand_out(cli, om_args_has(&cli->args, "qr"));
}

static enum om_exit qr(struct om_cli *cli)
{
    return hand_out(cli, true);
}

static enum om_exit read_password(struct om_cli *cli, char out[static OM_PASSWORD_MAX + 1])
{
    const char *file = om_args_value(&cli->args, "password-file");
    struct om_error err;

    if (file)
        om_exposed_warn(&cli->out, file);
    if (om_password_read(out, file, &err) == OM_OK)
        return OM_EXIT_OK;
    om_out_error(&cli->out, "%s", err.msg);
    return OM_EXIT_FAILED;
}

static enum om_exit seal(struct om_cli *cli, const char *path, const json_t *result)
{
    const char *link = json_string_value(json_object_get(result, "link"));
    char password[OM_PASSWORD_MAX + 1], shown[OM_OUT_TEXT_MAX];
    struct om_error err;
    enum om_exit e = read_password(cli, password);

    if (e)
        return e;
    om_out_progress(&cli->out, "sealing");
    if (om_sealed_file_write(path, link ? link : "", password, &err) != OM_OK) {
        om_out_error(&cli->out, "%s", err.msg);
        e = OM_EXIT_FAILED;
    } else if (cli->out.json) {
        json_t *made = json_pack("{s:s}", "path", path);
        om_out_json(&cli->out, made);
        json_decref(made);
    } else {
        om_out_progress_done(&cli->out);
        om_out_line(&cli->out, "sealed into %s", om_out_escape(shown, path));
    }
    explicit_bzero(password, sizeof password);
    return e;
}

static enum om_exit export_it(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 1, 3);
    json_t *result;

    if (e)
        return e;
    if (cli->args.count < 2)
        return om_cli_usage(cli, "key export: want FILE");
    e = om_cli_ask(cli, "networks.invite", om_network_params(cli, 2), &result);
    if (e)
        return e;
    e = seal(cli, cli->args.words[1], result);
    json_decref(result);
    return e;
}

static enum om_exit import_it(struct om_cli *cli)
{
    char password[OM_PASSWORD_MAX + 1], link[OM_LINK_TEXT_MAX], shown[OM_OUT_TEXT_MAX];
    enum om_exit e = om_cli_words(cli, 1, 2);
    struct om_error err;

    if (e)
        return e;
    if (cli->args.count < 2)
        return om_cli_usage(cli, "key import: want FILE");
    if (access(cli->args.words[1], R_OK)) { /* before a password is asked for */
        om_out_error(&cli->out, "%s: %s", om_out_escape(shown, cli->args.words[1]),
                     strerror(errno));
        return OM_EXIT_FAILED;
    }
    e = read_password(cli, password);
    if (e)
        return e;
    om_out_progress(&cli->out, "opening");
    if (om_sealed_file_read(link, cli->args.words[1], password, &err) != OM_OK) {
        om_out_error(&cli->out, "%s", err.msg);
        e = OM_EXIT_FAILED;
    }
    explicit_bzero(password, sizeof password);
    if (!e)
        e = om_network_join(cli, link, true);
    explicit_bzero(link, sizeof link);
    return e;
}

static enum om_exit show(struct om_cli *cli)
{
    enum om_exit e = om_cli_words(cli, 1, 1);

    return e ? e : om_meshd_run(cli, "key", "show");
}

enum om_exit om_cmd_key(struct om_cli *cli)
{
    static const struct {
        const char *word;
        enum om_exit (*run)(struct om_cli *cli);
    } table[] = {{"show", show},
                 {"link", link_it},
                 {"qr", qr},
                 {"export", export_it},
                 {"import", import_it}};

    for (unsigned i = 0; cli->args.count && i < OM_ARRAY_SIZE(table); i++)
        if (strcmp(cli->args.words[0], table[i].word) == 0)
            return table[i].run(cli);
    return om_cli_usage(cli, "key: want show, link, qr, export or import");
}
