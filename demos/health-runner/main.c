/* main.c - the program omerta-health: measures how well a peer is reached, phase by phase. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "exit.h"
#include "interrupt.h"
#include "out.h"
#include "report.h"

enum { EXIT_INTERRUPTED = 130, SLACK_MAX_MS = 60000 };

struct options {
    struct om_setting set;
    const char *phases, *json, *html, *slack;
    bool is_agent, is_list, is_help, is_strict;
};

static const char usage[] =
    "usage: omerta-health --peer NAME (--ssh HOST | --netns NAME) [OPTION...]\n"
    "\n"
    "Measures how well a peer is reached, and what it takes: faults are made at its machine, and\n"
    "taken back, also after Ctrl-C. Both daemons run and know each other; omerta-health is\n"
    "installed at both ends.\n"
    "\n"
    "  --peer NAME          whose connection is measured: a name or the start of an id\n"
    "  --ssh HOST           the peer's machine; as root for phases that block and move\n"
    "  --netns NAME         the same: a network namespace of this machine\n"
    "  --phase N,...        only these\n"
    "  --quick              each phase for less time\n"
    "  --json FILE          the report, with each probe; - is standard output\n"
    "  --html FILE          the report as one page with plots\n"
    "  --home FOLDER        of the daemon here (OMERTA_HOME, else ~/.omerta)\n"
    "  --network NAME       where the peer is looked for\n"
    "  --peer-home FOLDER   of the daemon there; of one that `omerta up` started for another user\n"
    "                       the folder of its sockets: /run/user/ID/omerta\n"
    "  --peer-program PATH  omerta-health there\n"
    "  --wire PROGRAM       plays the wire of phase 10: PROGRAM DELAY_MS JITTER_MS LOSS_PERCENT;\n"
    "                       else netem does, at the peer\n"
    "  --raw ADDRESS        IPv4 at which the peer is reached without the mesh, for 11a and 11b,\n"
    "                       which open a port there\n"
    "  --swap ADDRESS/BITS  where the peer moves in phase 14; not where your ssh goes there\n"
    "  --slack MS           a machine is busy: so much more is allowed of every time\n"
    "  --no-skip            a phase that is skipped is as bad as one that failed\n"
    "  --list               the phases, and what each wants\n"
    "  --help               this text\n"
    "\n"
    "Exit: 0 every phase held or was skipped, 1 one failed, 2 wrong usage, 130 after Ctrl-C.\n";

static int wrong(const char *what)
{
    (void)fprintf(stderr, "omerta-health: %s (--help lists the options)\n", what);
    return OM_EXIT_USAGE;
}

static bool read_slack(struct options *o)
{
    char *end = NULL;
    unsigned long ms = strtoul(o->slack, &end, 10);

    if (*o->slack < '0' || *o->slack > '9' || *end || ms > SLACK_MAX_MS)
        return false;
    o->set.slack_ms = (int)ms;
    return true;
}

/* A path that the shell at the other end of ssh takes for one word; none is one, too. */
static bool is_plain(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._-+@~";

    return !path || path[strspn(path, plain)] == 0;
}

/* 0, or what to end with. */
static int read_options(int argc, char **argv, struct options *o)
{
    const char **const into[] = {
        &o->set.peer, &o->set.ssh,  &o->set.netns,   &o->phases,        &o->json,
        &o->html,     &o->set.home, &o->set.network, &o->set.peer_home, &o->set.peer_program,
        &o->set.wire, &o->set.raw,  &o->set.swap,    &o->slack};
    static const struct option known[] = {
        {"peer", 1, NULL, 0},         {"ssh", 1, NULL, 1},     {"netns", 1, NULL, 2},
        {"phase", 1, NULL, 3},        {"json", 1, NULL, 4},    {"html", 1, NULL, 5},
        {"home", 1, NULL, 6},         {"network", 1, NULL, 7}, {"peer-home", 1, NULL, 8},
        {"peer-program", 1, NULL, 9}, {"wire", 1, NULL, 10},   {"raw", 1, NULL, 11},
        {"swap", 1, NULL, 12},        {"slack", 1, NULL, 13},  {"quick", 0, NULL, 'q'},
        {"list", 0, NULL, 'l'},       {"help", 0, NULL, 'h'},  {"agent", 0, NULL, 'a'},
        {"no-skip", 0, NULL, 'n'},    {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "h", known, NULL)) != -1)
        switch (c) {
        case 'q':
            o->set.is_quick = true;
            break;
        case 'n':
            o->is_strict = true;
            break;
        case 'l':
            o->is_list = true;
            break;
        case 'h':
            o->is_help = true;
            break;
        case 'a':
            o->is_agent = true;
            break;
        case '?':
            return OM_EXIT_USAGE;
        default:
            *into[c] = optarg;
        }
    if (optind < argc)
        return wrong("a word that is no option");
    if (o->is_agent || o->is_help || o->is_list)
        return 0;
    if (!o->set.peer)
        return wrong("want --peer NAME");
    if (!o->set.ssh == !o->set.netns)
        return wrong("want one of --ssh HOST and --netns NAME");
    /* ssh would take it for an option of its own. */
    if (o->set.ssh && *o->set.ssh == '-')
        return wrong("--ssh: want a host");
    if (o->set.ssh && (!is_plain(o->set.peer_home) || !is_plain(o->set.peer_program)))
        return wrong("--peer-home, --peer-program: want nothing that a shell would take apart");
    if (o->slack && !read_slack(o))
        return wrong("--slack: want milliseconds, up to 60000");
    return 0;
}

/* Does @list, numbers and commas, name @p? */
static bool is_named(const char *list, const struct om_phase *p)
{
    while (*list) {
        size_t n = strcspn(list, ",");
        if (om_phase_find(list, n) == p)
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

static bool is_known(const char *list)
{
    while (*list) {
        size_t n = strcspn(list, ",");
        if (!om_phase_find(list, n)) {
            (void)fprintf(stderr, "omerta-health: no phase \"%.*s\" (--list shows them)\n", (int)n,
                          list);
            return false;
        }
        list += n + (list[n] == ',');
    }
    return true;
}

static void list_phases(void)
{
    for (const struct om_phase *p = om_phases; p->number; p++)
        printf("%-4s %-24s%s%s\n", p->number, p->name, p->run ? p->asserts : "not built",
               p->needs ? " (root)" : "");
}

/* To @path by @write; false: said. */
static bool write_file(const char *path, const struct om_report *report,
                       bool (*writer)(const struct om_report *report, FILE *to))
{
    bool is_out = strcmp(path, "-") == 0, is_good;
    FILE *to = is_out ? stdout : fopen(path, "w");

    is_good = to && writer(report, to) && fflush(to) == 0 && !ferror(to);
    if (to && !is_out)
        is_good = fclose(to) == 0 && is_good;
    if (!is_good)
        (void)fprintf(stderr, "omerta-health: %s: %s\n", path, strerror(errno));
    return is_good;
}

static bool write_json(const struct om_report *report, FILE *to)
{
    json_t *all = om_report_json(report);
    bool is_good = all && json_dumpf(all, to, JSON_INDENT(1) | JSON_ENSURE_ASCII) == 0;

    (void)fputc('\n', to);
    json_decref(all);
    return is_good;
}

static bool write_page(const struct om_report *report, FILE *to)
{
    om_report_page(report, to);
    return true;
}

static void run_phases(const struct options *o, struct om_run *run, struct om_report *report)
{
    for (const struct om_phase *p = om_phases; p->number && !om_interrupt_came(); p++) {
        struct om_report_row *row = &report->rows[report->count];

        if (o->phases && !is_named(o->phases, p))
            continue;
        (void)fprintf(stderr, "phase %s: %s\n", p->number, p->name);
        row->phase = p;
        report->count++;
        om_phase_run(p, run, &row->result);
        if (om_interrupt_came()) {
            /* What was cut short says nothing of the mesh. */
            om_result_fini(&row->result);
            report->count--;
        }
    }
}

/* Is @report as its reader wants it? */
static bool is_well(const struct options *o, const struct om_report *report)
{
    unsigned skipped = om_report_count(report, OM_VERDICT_SKIPPED);

    if (!o->is_strict || skipped == 0)
        return om_report_count(report, OM_VERDICT_FAILED) == 0;
    (void)fprintf(stderr, "omerta-health: %u skipped, and --no-skip wants none\n", skipped);
    return false;
}

static int measure(const struct options *o)
{
    static struct om_report report;
    static struct om_run run;
    struct om_error err;
    struct om_out out;
    int code = OM_EXIT_OK;

    om_interrupt_catch();
    report.peer = o->set.peer;
    if (om_run_start(&run, &o->set, &err)) {
        (void)fprintf(stderr, "omerta-health: %s\n", err.msg);
        code = OM_EXIT_FAILED;
    } else {
        run_phases(o, &run, &report);
    }
    if (!om_run_stop(&run)) {
        (void)fprintf(stderr, "omerta-health: not everything could be taken back\n");
        code = OM_EXIT_FAILED;
    }
    om_out_init(&out, o->json && strcmp(o->json, "-") == 0 ? stderr : stdout, stderr, false,
                OM_COLOR_AUTO);
    if (report.count > 0 && om_report_print(&report, &out) != 0)
        code = OM_EXIT_FAILED;
    if ((o->json && report.count > 0 && !write_file(o->json, &report, write_json)) ||
        (o->html && report.count > 0 && !write_file(o->html, &report, write_page)) ||
        !is_well(o, &report))
        code = OM_EXIT_FAILED;
    om_report_fini(&report);
    return om_interrupt_came() ? EXIT_INTERRUPTED : code;
}

int main(int argc, char **argv)
{
    struct options o = {.phases = NULL};
    int code = read_options(argc, argv, &o);

    if (code)
        return code;
    if (o.is_agent)
        return om_agent_main(o.set.home);
    if (o.is_help) {
        (void)fputs(usage, stdout);
        return OM_EXIT_OK;
    }
    if (o.is_list) {
        list_phases();
        return OM_EXIT_OK;
    }
    if (o.phases && !is_known(o.phases))
        return OM_EXIT_USAGE;
    return measure(&o);
}
