/* vm_watch.c - traffic, capture and resume. */
#include "vm_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <omerta/text.h>
#include <omerta/wire.h>

#include "interrupt.h"
#include "peer.h"
#include "table.h"

enum {
    ANSWER_MAX = 4096,
    READ_BYTES = 64 * 1024,
    PCAP_HEAD = 24, /* draft-ietf-opsawg-pcap sections 4 and 5 */
    PCAP_RECORD = 16,
    LENGTH_AT = 8
};

static const struct om_column flow_columns[] = {
    {"PROTO", "proto", OM_COLUMN_TEXT},      {"TO", "to", OM_COLUMN_TEXT},
    {"PORT", "port", OM_COLUMN_COUNT},       {"FROM PORT", "from_port", OM_COLUMN_COUNT},
    {"SENT", "bytes_sent", OM_COLUMN_BYTES}, {"PACKETS", "packets_sent", OM_COLUMN_COUNT},
    {"GOT", "bytes_got", OM_COLUMN_BYTES},   {"PACKETS", "packets_got", OM_COLUMN_COUNT},
    {"AGE", "age_s", OM_COLUMN_AGE},         {"SILENT", "silent_s", OM_COLUMN_AGE},
};

static const char *vm_of(const struct om_cli *cli)
{
    return cli->args.count > 1 ? cli->args.words[1] : NULL;
}

/* The machine that is named, and with --provider where. */
static enum om_exit params_of(struct om_cli *cli, struct om_ask *ask, json_t **params)
{
    const char *provider = om_args_value(&cli->args, "provider");
    char id[OM_ID_TEXT];
    enum om_exit e = OM_EXIT_OK;

    *params = om_cli_params(cli);
    if (vm_of(cli))
        (void)json_object_set_new(*params, "vm", json_string(vm_of(cli)));
    if (!provider || strcmp(provider, "self") == 0)
        return OM_EXIT_OK;
    e = om_peer_find(cli, ask, provider, id);
    if (e)
        json_decref(*params);
    else
        (void)json_object_set_new(*params, "peer", json_string(id));
    return e;
}

static enum om_exit call(struct om_cli *cli, struct om_ask *ask, const char *method,
                         json_t **result)
{
    json_t *params;
    enum om_exit e = params_of(cli, ask, &params);

    return e ? e : om_cli_call(cli, ask, method, params, result);
}

static long long number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static enum om_exit show_traffic(struct om_cli *cli, const json_t *r)
{
    const json_t *flows = json_object_get(r, "flows"), *count;
    char sent[OM_CELL_MAX], got[OM_CELL_MAX], gate[OM_CELL_MAX], reason[OM_OUT_TEXT_MAX];
    const char *why;

    om_out_line(&cli->out, "sent     %s in %lld packets",
                om_table_cell(sent, OM_COLUMN_BYTES, json_object_get(r, "bytes_sent")),
                number(r, "packets_sent"));
    om_out_line(&cli->out, "got      %s in %lld packets",
                om_table_cell(got, OM_COLUMN_BYTES, json_object_get(r, "bytes_got")),
                number(r, "packets_got"));
    om_out_line(&cli->out, "gate     %s, score %lld",
                om_table_cell(gate, OM_COLUMN_TEXT, json_object_get(r, "gate")),
                number(r, "score"));
    if (number(r, "rate") > 0)
        om_out_line(&cli->out, "rate     %s a second each way, waited for %lld times",
                    om_table_cell(sent, OM_COLUMN_BYTES, json_object_get(r, "rate")),
                    number(r, "held"));
    json_object_foreach(json_object_get(r, "refused"), why, count)
        om_out_line(&cli->out, "refused  %lld %s", (long long)json_integer_value(count),
                    om_out_escape(reason, why));
    if (!json_array_size(flows))
        return OM_EXIT_OK;
    om_out_line(&cli->out, "%s", "");
    if (om_table_print(&cli->out, flow_columns, OM_ARRAY_SIZE(flow_columns), flows) == 0)
        return OM_EXIT_OK;
    om_out_error(&cli->out, "out of memory");
    return OM_EXIT_FAILED;
}

enum om_exit om_vm_traffic(struct om_cli *cli, struct om_ask *ask)
{
    json_t *result;
    enum om_exit e = call(cli, ask, "vm.traffic", &result);

    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        e = show_traffic(cli, result);
    json_decref(result);
    return e;
}

enum om_exit om_vm_resume(struct om_cli *cli, struct om_ask *ask)
{
    char vm[OM_CELL_MAX], state[OM_CELL_MAX];
    json_t *result;
    enum om_exit e = call(cli, ask, "vm.resume", &result);

    if (e)
        return e;
    if (cli->out.json)
        om_out_json(&cli->out, result);
    else
        om_out_line(&cli->out, "%s: %s",
                    om_table_cell(vm, OM_COLUMN_TEXT, json_object_get(result, "vm")),
                    om_table_cell(state, OM_COLUMN_TEXT, json_object_get(result, "state")));
    json_decref(result);
    return OM_EXIT_OK;
}

static bool write_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, bytes, n);
        if (w < 0 && errno != EINTR)
            return false;
        bytes += w > 0 ? w : 0;
        n -= w > 0 ? (size_t)w : 0;
    }
    return true;
}

/* The daemon's one line; what follows it is the file. */
static bool read_answer(int fd, char out[static ANSWER_MAX])
{
    for (size_t n = 0; n < ANSWER_MAX; n++) {
        ssize_t r = read(fd, out + n, 1);
        if (r != 1)
            return false;
        if (out[n] == '\n') {
            out[n] = '\0';
            return true;
        }
    }
    return false;
}

/* Bounds of the capture; @words are taken when they are wrong. */
static enum om_exit add_bounds(struct om_cli *cli, json_t *words)
{
    const char *bytes = om_args_value(&cli->args, "bytes");
    struct om_error err;
    uint64_t n = 0;

    if (om_args_has(&cli->args, "count") &&
        om_args_number(&cli->args, "count", 1, INT32_MAX, &n, NULL)) {
        json_decref(words);
        return om_cli_usage(cli, "--count: want a number of packets");
    }
    if (n > 0)
        (void)json_object_set_new(words, "count", json_integer((json_int_t)n));
    n = 0;
    if (bytes && (om_size_parse(&n, bytes, &err) != OM_OK || n == 0 || n > INT64_MAX)) {
        json_decref(words);
        return om_cli_usage(cli, "--bytes: want a size, such as 10M");
    }
    if (n > 0)
        (void)json_object_set_new(words, "bytes", json_integer((json_int_t)n));
    return OM_EXIT_OK;
}

/* Has the daemon begin, and gives @fd, from which the file comes. */
static enum om_exit begin(struct om_cli *cli, int *fd)
{
    json_t *words = json_pack("{s:s}", "open", "capture"), *answer;
    char line[ANSWER_MAX], said[OM_OUT_TEXT_MAX];
    struct om_error err;
    json_error_t at;
    enum om_exit e = add_bounds(cli, words);

    if (e)
        return e;
    if (vm_of(cli))
        (void)json_object_set_new(words, "vm", json_string(vm_of(cli)));
    char *text = json_dumps(words, JSON_COMPACT);
    json_decref(words);
    e = om_ask_connect(fd, cli->place.data, &err);
    if (e) {
        free(text);
        om_out_error(&cli->out, "%s", err.msg);
        return e;
    }
    bool is_asked = text && write_all(*fd, (const uint8_t *)text, strlen(text)) &&
                    write_all(*fd, (const uint8_t *)"\n", 1) && read_answer(*fd, line);
    free(text);
    if (!is_asked) {
        om_out_error(&cli->out, "the daemon hung up");
        return OM_EXIT_NO_DAEMON;
    }
    answer = json_loads(line, 0, &at);
    if (!json_is_true(json_object_get(answer, "ok"))) {
        const char *why = json_string_value(json_object_get(answer, "message"));
        om_out_error(&cli->out, "%s", om_out_said(said, why ? why : "refused"));
        e = OM_EXIT_REFUSED;
    }
    json_decref(answer);
    return e;
}

/* Counts the records in what passes by. */
struct counter {
    uint8_t head[PCAP_RECORD];
    size_t head_n, skip;
    uint64_t packets;
};

static void count(struct counter *c, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        size_t part = c->skip < n ? c->skip : n;
        c->skip -= part;
        bytes += part;
        n -= part;
        if (n == 0)
            return;
        c->head[c->head_n++] = *bytes++;
        n--;
        if (c->head_n < PCAP_RECORD)
            continue;
        struct om_rd r = om_rd(om_bytes(c->head + LENGTH_AT, PCAP_RECORD - LENGTH_AT));
        c->head_n = 0;
        c->skip = om_rd_u32(&r);
        c->packets++;
    }
}

/* Until the end, which may be the user's. */
static enum om_exit copy(struct om_cli *cli, int from, int to, struct counter *c)
{
    static uint8_t bytes[READ_BYTES];

    while (!om_interrupt_came()) {
        ssize_t n = read(from, bytes, sizeof bytes);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR) {
            om_out_error(&cli->out, "the daemon hung up: %s", strerror(errno));
            return OM_EXIT_FAILED;
        }
        if (n > 0 && !write_all(to, bytes, (size_t)n)) {
            if (errno == EPIPE) /* whoever read has seen enough */
                break;
            om_out_error(&cli->out, "cannot write: %s", strerror(errno));
            return OM_EXIT_FAILED;
        }
        if (n > 0)
            count(c, bytes, (size_t)n);
    }
    return OM_EXIT_OK;
}

static long long lost(struct om_cli *cli, struct om_ask *ask)
{
    json_t *result = NULL, *params = json_object();
    struct om_error err;

    if (vm_of(cli))
        (void)json_object_set_new(params, "vm", json_string(vm_of(cli)));
    if (om_ask_call(ask, "vm.traffic", params, OM_ASK_PATIENCE, &result, &err))
        return 0;
    long long n = number(result, "capture_lost");
    json_decref(result);
    return n;
}

static int open_target(const char *path)
{
    return strcmp(path, "-") == 0
               ? dup(STDOUT_FILENO)
               : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
}

enum om_exit om_vm_capture(struct om_cli *cli, struct om_ask *ask)
{
    const char *path = om_args_value(&cli->args, "write");
    struct counter c = {.skip = PCAP_HEAD};
    char shown[OM_OUT_TEXT_MAX];
    int from = -1;

    if (!path && isatty(STDOUT_FILENO))
        return om_cli_usage(cli, "vm capture: want --write FILE, or standard output that is no"
                                 " terminal");
    path = path ? path : "-";
    long long before = lost(cli, ask);
    enum om_exit e = begin(cli, &from);
    int to = e ? -1 : open_target(path);
    if (!e && to < 0) {
        om_out_error(&cli->out, "%s: %s", om_out_escape(shown, path), strerror(errno));
        e = OM_EXIT_FAILED;
    }
    om_interrupt_catch();
    (void)signal(SIGPIPE, SIG_IGN);
    if (!e)
        e = copy(cli, from, to, &c);
    if (!e)
        om_out_error(&cli->out, "%llu packets, %lld more that could not be written in time",
                     (unsigned long long)c.packets, lost(cli, ask) - before);
    if (from >= 0)
        (void)close(from);
    if (to >= 0)
        (void)close(to);
    return e;
}
