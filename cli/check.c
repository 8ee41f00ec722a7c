/* check.c - the list, and what a machine offers. */
#include "check.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { YEAR_MIN = 2025, SECONDS_PER_YEAR = 31556952 };

static const char *const state_names[] = {"ok", "warn", "fail"};

void om_check_add(json_t *list, const char *check, enum om_check_state state, const char *fix,
                  const char *fmt, ...)
{
    char what[OM_OUT_TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?}", "check", check, "state",
                                          state_names[state], "what", what, "fix", fix));
}

static void check_loopback(json_t *list)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof to;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    bool good = fd >= 0 && bind(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
                getsockname(fd, (struct sockaddr *)&to, &n) == 0 &&
                sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof to) == 1 &&
                poll(&p, 1, 1000) == 1;
    int size = 1200, on = 1;

    if (good)
        om_check_add(list, "udp loopback", OM_CHECK_OK, NULL, "a datagram came back");
    else
        om_check_add(list, "udp loopback", OM_CHECK_FAIL, "ip link set lo up",
                     "a datagram to 127.0.0.1 did not come back: a firewall, or lo is down");
    if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size) ||
        setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on))
        om_check_add(list, "udp offload", OM_CHECK_WARN, "use Linux 5.0 or newer",
                     "no UDP GSO/GRO: it works, with more CPU time for each byte");
    else
        om_check_add(list, "udp offload", OM_CHECK_OK, NULL, "UDP GSO and GRO are there");
    if (fd >= 0)
        close(fd);
}

/* Is the first word of file @path @word? */
static bool says(const char *path, const char *word)
{
    FILE *f = fopen(path, "re");
    char got[32] = "";
    bool is_same = f && fscanf(f, "%31s", got) == 1 && strcmp(got, word) == 0;

    if (f)
        (void)fclose(f);
    return is_same;
}

/* The switch that forbids user namespaces, turned; or who else does. */
static const char *namespaces_mend(void)
{
    static const struct {
        const char *path, *off, *mend;
    } switches[] = {{"/proc/sys/kernel/unprivileged_userns_clone", "0",
                     "sudo sysctl -w kernel.unprivileged_userns_clone=1"},
                    {"/proc/sys/user/max_user_namespaces", "0",
                     "sudo sysctl -w user.max_user_namespaces=15000"},
                    {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
                     "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"}};

    for (unsigned i = 0; i < OM_ARRAY_SIZE(switches); i++)
        if (says(switches[i].path, switches[i].off))
            return switches[i].mend;
    return "allow them in the container, or leave the chroot, in which this runs";
}

/* In a child: namespaces cannot be left again. */
static void check_namespaces(json_t *list)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) ? 1 : 0);
    if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status))
        om_check_add(list, "namespaces", OM_CHECK_OK, NULL, "user and network namespaces work");
    else
        om_check_add(list, "namespaces", OM_CHECK_WARN, namespaces_mend(),
                     "user namespaces are not allowed: programs are kept apart less well");
}

/* Do the flags of a processor of x86 lack both words for virtualisation? */
static bool lacks_virtualisation(void)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    char *line = NULL;
    size_t room = 0;
    bool lacks = false;

    while (f && !lacks && getline(&line, &room, f) > 0) {
        if (strncmp(line, "flags", strlen("flags")) != 0)
            continue;
        lacks = !strstr(line, " vmx") && !strstr(line, " svm");
        break;
    }
    free(line);
    if (f)
        (void)fclose(f);
    return lacks;
}

static void check_kvm(json_t *list)
{
    static const char firmware[] = "switch virtualization on in the firmware (nested, on the host, "
                                   "if this is a machine in one)";
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd >= 0) {
        if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
            om_check_add(list, "kvm", OM_CHECK_WARN, "sudo modprobe kvm",
                         "/dev/kvm is not KVM: machines would run emulated, slowly");
        else if (lacks_virtualisation())
            om_check_add(list, "kvm", OM_CHECK_WARN, firmware,
                         "/dev/kvm opens, but the processor shows neither vmx nor svm: machines "
                         "would run emulated, slowly");
        else
            om_check_add(list, "kvm", OM_CHECK_OK, NULL, "/dev/kvm can be used");
        close(fd);
    } else if (access("/dev/kvm", F_OK) == 0 && lacks_virtualisation()) {
        om_check_add(list, "kvm", OM_CHECK_WARN, firmware,
                     "/dev/kvm is there, but the processor shows neither vmx nor svm: machines "
                     "would run emulated, slowly");
    } else if (access("/dev/kvm", F_OK) == 0) {
        om_check_add(
            list, "kvm", OM_CHECK_WARN, "sudo usermod -aG kvm $USER, then log in again",
            "/dev/kvm is there and not for this user: machines would run emulated, slowly");
    } else {
        om_check_add(list, "kvm", OM_CHECK_WARN, firmware,
                     "no /dev/kvm: machines would run emulated, slowly");
    }
}

static void check_program(json_t *list, const char *name, const char *fix, const char *why)
{
    char path[OM_PATH_MAX];

    if (om_child_find(name, path))
        om_check_add(list, name, OM_CHECK_OK, NULL, "%s", path);
    else
        om_check_add(list, name, OM_CHECK_WARN, fix, "not in PATH: %s", why);
}

static void check_clock(json_t *list)
{
    struct timespec wall = {0}, boot = {0};

    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &boot);
    if (1970 + wall.tv_sec / SECONDS_PER_YEAR < YEAR_MIN || wall.tv_sec < boot.tv_sec)
        om_check_add(list, "clock", OM_CHECK_FAIL, "sudo timedatectl set-ntp true",
                     "the date is before %d: certificates will be refused", YEAR_MIN);
    else
        om_check_add(list, "clock", OM_CHECK_OK, NULL, "the date is plausible");
}

/* A line of @path whose words number @word and on are @wanted. */
static bool has_line(const char *path, unsigned word, const char *wanted)
{
    FILE *f = fopen(path, "re");
    bool found = false;
    char line[256];

    while (f && !found && fgets(line, sizeof line, f)) {
        const char *at = line;

        if (strstr(line, " lo\n"))
            continue;
        for (unsigned i = 0; i < word; i++) {
            at += strcspn(at, " \t");
            at += strspn(at, " \t");
        }
        found = strncmp(at, wanted, strlen(wanted)) == 0;
    }
    if (f)
        (void)fclose(f);
    return found;
}

static void check_route(json_t *list)
{
    bool four = has_line("/proc/net/route", 1, "00000000\t");
    bool six = has_line("/proc/net/ipv6_route", 0, "00000000000000000000000000000000 00 ");

    if (four || six)
        om_check_add(list, "default route", OM_CHECK_OK, NULL, "%s",
                     four && six ? "IPv4 and IPv6"
                     : four      ? "IPv4 only"
                                 : "IPv6 only");
    else
        om_check_add(list, "default route", OM_CHECK_WARN, "ip route add default via ROUTER",
                     "none: only this machine and its own links can be reached");
}

void om_check_machine(json_t *list)
{
    check_loopback(list);
    check_namespaces(list);
    check_kvm(list);
    check_program(list, "qemu-system-x86_64", "sudo apt install qemu-system-x86",
                  "this machine cannot run machines of others");
    check_program(list, "ssh", "sudo apt install openssh-client", "no shell on remote machines");
    check_program(list, "ssh-keygen", "sudo apt install openssh-client",
                  "`omerta init` cannot make the SSH key");
    check_clock(list);
    check_route(list);
}

bool om_check_failed(const json_t *list)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *state = json_string_value(json_object_get(one, "state"));

        if (state && strcmp(state, "fail") == 0)
            return true;
    }
    return false;
}

static const char *text_of(const json_t *one, const char *field)
{
    const char *text = json_string_value(json_object_get(one, field));

    return text ? text : "";
}

void om_check_show(struct om_out *out, const json_t *list)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        char what[OM_OUT_TEXT_MAX], fix[OM_OUT_TEXT_MAX];
        const char *state = text_of(one, "state"), *shown = "OK";
        enum om_paint paint = OM_PAINT_GOOD;

        if (strcmp(state, "warn") == 0) {
            paint = OM_PAINT_WARN;
            shown = "WARN";
        } else if (strcmp(state, "ok") != 0) {
            paint = OM_PAINT_BAD;
            shown = "FAIL";
        }
        om_out_line(out, "%s%-4s%s %s: %s", om_out_on(out, paint), shown, om_out_off(out),
                    text_of(one, "check"), om_out_escape(what, text_of(one, "what")));
        if (*text_of(one, "fix") && paint != OM_PAINT_GOOD)
            om_out_line(out, "     mend: %s", om_out_escape(fix, text_of(one, "fix")));
    }
}
