/* config_keys.c - the table, and what is done to a value of any kind. */
#include "config_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <omerta/addr.h>
#include <omerta/log.h>
#include <omerta/node.h>
#include <omerta/text.h>

#include "bootstrap.h"
#include "config.h"

static const char *const congestions[] = {
    [OM_CONGESTION_BBR] = "bbr", [OM_CONGESTION_CUBIC] = "cubic", [OM_CONGESTION_CUBIC + 1] = NULL};
static const char *const levels[] = {"error", "warn", "info", "debug", "trace", NULL};
static_assert(OM_ARRAY_SIZE(levels) == OM_LEVEL_COUNT + 1,
              "a level is no word of the configuration");
static_assert((int)OM_CONFIG_VALUE > (int)OM_CONFIG_LIST_MAX * ((int)OM_CONFIG_TEXT + 2),
              "a full list does not fit a printed value");

/* om_addr_ip_parse() takes both families and we want to know which. */
static enum om_err check_bind4(const char *text, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    uint8_t ip[16];

    if (!*text || (!strchr(text, ':') && om_addr_ip_parse(ip, text)))
        return OM_OK;
    return om_fail(err, OM_E_PARSE, "\"%s\": want an IPv4 address, or \"\" for all",
                   om_text_show(shown, text));
}

static enum om_err check_bind6(const char *text, struct om_error *err)
{
    char shown[OM_SHOW_TEXT];
    uint8_t ip[16];

    if (!*text || (strchr(text, ':') && om_addr_ip_parse(ip, text)))
        return OM_OK;
    return om_fail(err, OM_E_PARSE, "\"%s\": want an IPv6 address, or \"\" for all",
                   om_text_show(shown, text));
}

static enum om_err check_upstream(const char *text, struct om_error *err)
{
    struct om_addr a;

    return om_addr_parse(&a, text, 53, err);
}

static enum om_err check_bootstrap(const char *text, struct om_error *err)
{
    struct om_bootstrap b;

    return om_bootstrap_parse(&b, text, err);
}

/* Others see it: whatever they would have to escape is refused here. */
static enum om_err check_name(const char *text, struct om_error *err)
{
    char safe[OM_ESCAPE_LEN(OM_NAME_MAX)], shown[OM_SHOW_TEXT];
    size_t n = strlen(text);

    if (n <= OM_NAME_MAX && om_text_escape(safe, sizeof safe, om_bytes(text, n)) == n)
        return OM_OK;
    return om_fail(err, OM_E_RANGE, "\"%s\": want at most %d bytes of visible text",
                   om_text_show(shown, text), OM_NAME_MAX);
}

#define SLOT(field) offsetof(struct om_config, field), sizeof(((struct om_config *)NULL)->field)
#define BOOL(path, flag, preset, restart, field, help)                                             \
    {                                                                                              \
        path, flag, preset, NULL, help, OM_CONFIG_BOOL, restart, false, 0, 0, NULL, NULL,          \
            SLOT(field)                                                                            \
    }
#define NUMBER(path, flag, preset, zero, min, max, restart, field, help)                           \
    {                                                                                              \
        path, flag, preset, NULL, help, OM_CONFIG_NUMBER, restart, zero, min, max, NULL, NULL,     \
            SLOT(field)                                                                            \
    }
#define SIZE(path, flag, preset, min, max, restart, field, help)                                   \
    {                                                                                              \
        path, flag, preset, NULL, help, OM_CONFIG_SIZE, restart, true, min, max, NULL, NULL,       \
            SLOT(field)                                                                            \
    }
#define WORD(path, flag, preset, words, restart, field, help)                                      \
    {                                                                                              \
        path, flag, preset, NULL, help, OM_CONFIG_WORD, restart, false, 0, 0, words, NULL,         \
            SLOT(field)                                                                            \
    }
#define STRING(path, flag, want, check, restart, field, help)                                      \
    {                                                                                              \
        path, flag, "", want, help, OM_CONFIG_STRING, restart, false, 0, 0, NULL, check,           \
            SLOT(field)                                                                            \
    }
#define LIST(path, flag, want, check, restart, field, help)                                        \
    {                                                                                              \
        path, flag, "", want, help, OM_CONFIG_LIST, restart, false, 0, 0, NULL, check, SLOT(field) \
    }

#define KIB 1024ULL
#define MIB (1024 * KIB)

const struct om_config_key om_config_keys[OM_CONFIG_KEYS] = {
    NUMBER("port", "port", "18002", false, 0, 65535, true, port,
           "UDP port, the same for IPv4 and IPv6; 0 takes any free one"),
    STRING("bind4", "bind4", "an IPv4 address, or \"\" for all", check_bind4, true, bind4,
           "IPv4 address to use; all of the machine when empty"),
    STRING("bind6", "bind6", "an IPv6 address, or \"\" for all", check_bind6, true, bind6,
           "IPv6 address to use; all of the machine when empty"),
    LIST("bootstrap", "bootstrap", "[NETWORK/]PEER@HOST:PORT", check_bootstrap, false, bootstrap,
         "peers to meet first: the peer's id in the network, and where it is; at most 16"),
    BOOL("relay", "relay", "false", false, relay,
         "carry sealed traffic of peers that cannot reach each other"),
    STRING("name", "name", "at most 32 bytes of visible text", check_name, false, name,
           "what this node calls itself; the host's name when empty"),
    BOOL(
        "network.default", "network-default", "true", true, network_default,
        "join the built-in open network \"default\" while no other network is known; its secret is "
        "public, so anybody may take part in it and read its headers"),
    BOOL("lan", "lan", "true", true, lan, "find peers on the local network by sealed multicast"),
    BOOL("portmap", "portmap", "true", false, portmap,
         "have the router map the UDP port, by NAT-PMP or UPnP, so that strangers reach it"),
    BOOL("audit_encryption", "audit-encryption", "false", true, audit_encryption,
         "check that every outgoing datagram is sealed before it leaves, and drop one that is not"),
    LIST("dns.upstreams", "dns-upstream", "ADDRESS[:PORT]", check_upstream, false, dns_upstreams,
         "resolvers asked for hosts of peers that may use the internet here; the system's when "
         "empty"),
    WORD("congestion", "congestion", "bbr", congestions, true, congestion,
         "congestion control of all that the node sends"),
    WORD("log.level", "log-level", "info", levels, false, log_level,
         "the least important lines that are logged"),
    STRING("log.file", "log-file", "a path, or \"\" for standard error", NULL, false, log_file,
           "file for the log; standard error or the journal when empty"),
    SIZE("log.rotate_bytes", "log-rotate-bytes", "8388608", OM_ROTFILE_LIMIT_MIN, 1ULL << 40, false,
         log_rotate_bytes, "size at which the log file is set aside; 0: never"),
    NUMBER("log.keep", "log-keep", "4", false, 0, OM_ROTFILE_KEEP_MAX, false, log_keep,
           "old log files that are kept"),
    BOOL("events.enabled", "events", "true", false, events,
         "write events.jsonl in the home, a JSON object for each event"),
    SIZE("events.rotate_bytes", "events-rotate-bytes", "8388608", OM_ROTFILE_LIMIT_MIN, 1ULL << 40,
         false, events_rotate_bytes, "size at which the event log is set aside; 0: never"),
    NUMBER("events.keep", "events-keep", "4", false, 0, OM_ROTFILE_KEEP_MAX, false, events_keep,
           "old event logs that are kept"),
    NUMBER("metrics.port", "metrics-port", "0", false, 0, 65535, true, metrics_port,
           "loopback TCP port for metrics beside the Unix socket; 0: none"),
    NUMBER("limits.peers", "peers-max", "1024", false, 1, 65536, true, peers_max,
           "peers that are known at a time"),
    NUMBER("limits.records", "records-max", "1024", false, 1, 65536, true, records_max,
           "records of other nodes that are kept for each network"),
    NUMBER("limits.relay_lanes", "relay-lanes", "1024", false, 1, 1024, true, relay_lanes,
           "lanes of others that a relay carries at a time; each network has a share of them"),
    NUMBER("limits.relay_lanes_per_peer", "relay-lanes-per-peer", "64", false, 1, 1024, true,
           relay_lanes_per_peer, "lanes that one peer may be an end of"),
    NUMBER("limits.relay_rate_bytes", "relay-rate-bytes", "32000", false, 1000, 125000000, true,
           relay_rate_bytes, "bytes a second, in each direction, that one lane may carry"),
    SIZE("udp.buffer_bytes", "udp-buffer-bytes", "4194304", 64 * KIB, 256 * MIB, true,
         udp_buffer_bytes, "socket buffers to ask the kernel for; 0: as it has them"),
    BOOL("seccomp", "seccomp", "true", true, seccomp,
         "let the kernel stop the daemon at any system call that it has no use for"),
    BOOL("lock_secrets", "lock-secrets", "true", true, lock_secrets,
         "keep keys in memory that is never written to swap, where limits allow"),
};

const struct om_config_key *om_config_key_find(const char *path)
{
    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++)
        if (strcmp(om_config_keys[i].path, path) == 0)
            return &om_config_keys[i];
    return NULL;
}

const struct om_config_key *om_config_key_flag(const char *name, size_t n)
{
    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++)
        if (strlen(om_config_keys[i].flag) == n && memcmp(om_config_keys[i].flag, name, n) == 0)
            return &om_config_keys[i];
    return NULL;
}

enum { NEAR_MAX = 40, FAR = NEAR_MAX * 2 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Edits that make @b of @a, two neighbours swapped being one (Damerau, "optimal alignment"). */
static unsigned edits(const char *a, const char *b)
{
    unsigned row[3][NEAR_MAX + 1], n = (unsigned)strnlen(a, NEAR_MAX + 1);
    unsigned m = (unsigned)strnlen(b, NEAR_MAX + 1);

    if (n > NEAR_MAX || m > NEAR_MAX)
        return FAR;
    for (unsigned j = 0; j <= m; j++)
        row[0][j] = row[1][j] = row[2][j] = j;
    for (unsigned i = 1; i <= n; i++) {
        unsigned *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];

        now[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            now[j] = least(least(up[j], now[j - 1]) + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], up2[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

/* A third of the letters may be wrong, or else the last part of a path must be right. */
static const struct om_config_key *near(const char *word, bool is_flag)
{
    const struct om_config_key *best = NULL;
    const char *part = strrchr(word, '.');
    unsigned best_edits = (unsigned)strnlen(word, NEAR_MAX) / 3 + 1;

    for (unsigned i = 0; i < OM_CONFIG_KEYS; i++) {
        const struct om_config_key *key = &om_config_keys[i];
        unsigned n = edits(word, is_flag ? key->flag : key->path);

        if (n < best_edits) {
            best = key;
            best_edits = n;
        }
    }
    for (unsigned i = 0; !best && !is_flag && i < OM_CONFIG_KEYS; i++) {
        const char *last = strrchr(om_config_keys[i].path, '.');

        if (strcmp(part ? part + 1 : word, last ? last + 1 : om_config_keys[i].path) == 0)
            best = &om_config_keys[i];
    }
    return best;
}

const struct om_config_key *om_config_key_near(const char *path)
{
    return near(path, false);
}

const struct om_config_key *om_config_key_near_flag(const char *name)
{
    return near(name, true);
}

char *om_config_key_want(const struct om_config_key *key, char *out, size_t n)
{
    static const char *const plain[] = {
        [OM_CONFIG_BOOL] = "true or false", [OM_CONFIG_STRING] = "a text"};
    const char *zero = key->zero_too ? "0 or " : "";
    char min[OM_SIZE_TEXT], max[OM_SIZE_TEXT];

    if (key->want) {
        snprintf(out, n, "%s", key->want);
    } else if (key->kind == OM_CONFIG_NUMBER) {
        snprintf(out, n, "%sa whole number from %" PRIu64 " to %" PRIu64, zero, key->min, key->max);
    } else if (key->kind == OM_CONFIG_SIZE) {
        snprintf(out, n, "%sbytes from %s to %s", zero, om_size_print(key->min, min, sizeof min),
                 om_size_print(key->max, max, sizeof max));
    } else if (key->kind == OM_CONFIG_WORD) {
        size_t at = 0;

        for (unsigned i = 0; key->words[i] && at < n; i++)
            at += (size_t)snprintf(out + at, n - at, "%s%s",
                                   i ? (key->words[i + 1] ? ", " : " or ") : "", key->words[i]);
    } else {
        snprintf(out, n, "%s", plain[key->kind]);
    }
    return out;
}

void om_config_key_clear(const struct om_config_key *key, struct om_config *c)
{
    if (key->kind == OM_CONFIG_LIST)
        memset((char *)c + key->at, 0, key->bytes);
}

static char *print_list(const struct om_config_list *list, char *out)
{
    size_t at = 0;

    *out = 0;
    for (unsigned i = 0; i < list->count; i++)
        at +=
            (size_t)snprintf(out + at, OM_CONFIG_VALUE - at, "%s%s", i ? ", " : "", list->text[i]);
    return out;
}

char *om_config_key_print(const struct om_config_key *key, const struct om_config *c,
                          char out[static OM_CONFIG_VALUE])
{
    const void *from = (const char *)c + key->at;

    if (key->kind == OM_CONFIG_BOOL)
        snprintf(out, OM_CONFIG_VALUE, "%s", *(const bool *)from ? "true" : "false");
    else if (key->kind == OM_CONFIG_WORD)
        snprintf(out, OM_CONFIG_VALUE, "%s", key->words[*(const unsigned *)from]);
    else if (key->kind == OM_CONFIG_STRING)
        snprintf(out, OM_CONFIG_VALUE, "%s", (const char *)from);
    else if (key->kind == OM_CONFIG_LIST)
        print_list(from, out);
    else
        snprintf(out, OM_CONFIG_VALUE, "%" PRIu64, *(const uint64_t *)from);
    return out;
}
