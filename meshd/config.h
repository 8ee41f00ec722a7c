/*
 * config.h - everything a person can set of the daemon: defaults, then config.json, then flags
 *
 * What:  one struct of values; read from a file, changed by flags, compared for a reload.
 * Why:   a setting that is misspelt or out of range must be told with its place and the nearest
 *        right word; and a reload that fails must leave everything as it was.
 * Keeps: config_defaults_are_the_keys_own; config_file_sets_every_key;
 *        config_refuses_bad_files_with_a_sentence; config_failed_read_changes_nothing;
 *        config_flags_override_the_file; config_refuses_bad_flags_with_a_sentence;
 *        config_diff_tells_old_new_and_restart; config_default_file_reads_back;
 *        config_name_falls_back_to_the_host.
 *
 * The keys, with their words, ranges and help, are one table: config_keys.h.
 */
#ifndef OM_MESHD_CONFIG_H
#define OM_MESHD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <omerta/addr.h>
#include <omerta/err.h>
#include <omerta/gossip.h>

#include "rotfile.h"

enum {
    OM_CONFIG_LIST_MAX = 16,     /* texts in a list */
    OM_CONFIG_TEXT = 384,        /* one of them: network, peer, host, port */
    OM_CONFIG_FLAGS_MAX = 64,    /* on one command line */
    OM_CONFIG_FILE_MAX = 1 << 18 /* bytes of config.json */
};

/* A list may be empty. */
struct om_config_list {
    unsigned count;
    char text[OM_CONFIG_LIST_MAX][OM_CONFIG_TEXT];
};

/* Numbers are 64 bits wide, so that one function can set any of them; ranges are in the table. */
struct om_config {
    uint64_t port; /* 0: any free one */
    char bind4[OM_IP_TEXT], bind6[OM_IP_TEXT];
    struct om_config_list bootstrap;
    bool relay;
    char name[OM_NAME_MAX + 1]; /* "": om_config_name() takes the host's */
    bool network_default;
    bool lan;
    bool portmap;
    bool audit_encryption;
    struct om_config_list dns_upstreams;
    unsigned congestion; /* enum om_congestion */
    unsigned log_level;  /* enum om_level */
    char log_file[OM_ROTFILE_PATH];
    uint64_t log_rotate_bytes, log_keep;
    bool events;
    uint64_t events_rotate_bytes, events_keep;
    uint64_t metrics_port; /* 0: none */
    uint64_t peers_max, records_max;
    uint64_t relay_lanes, relay_lanes_per_peer, relay_rate_bytes;
    uint64_t udp_buffer_bytes; /* 0: as the system has it */
    bool seccomp;
    bool lock_secrets;
};

struct om_config_key;

/* What a command line set; kept, so that a reload can apply it again. Texts are those of argv. */
struct om_config_flags {
    unsigned count;
    struct {
        const struct om_config_key *key;
        const char *text;
    } set[OM_CONFIG_FLAGS_MAX];
};

/** om_config_default() - fill @c with the defaults of the table. */
void om_config_default(struct om_config *c);

/**
 * om_config_read() - take what a file sets; what it does not name stays as it is
 * @c:     changed on success only
 * @path:  JSON, an object; nested objects are the dots of key paths
 * @err:   sentence for a person, with file and line or key; may be NULL
 *
 * Return: OM_OK; OM_E_MISSING when there is no such file; OM_E_PARSE, OM_E_RANGE, OM_E_STATE when
 * it cannot be read, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_config_read(struct om_config *c, const char *path, struct om_error *err);

/**
 * om_config_flag() - note the flag at a place of the command line
 * @f:     zeroed at the start
 * @argc:  as main() has it
 * @argv:  borrowed for the life of @f
 * @at:    index of the flag; moved past it and its value
 * @err:   sentence for a person; may be NULL
 *
 * "--key value", "--key=value"; for booleans "--key", "--no-key", "--key=true", "--key=false".
 * A list takes its flag again and again. Values are judged by om_config_apply().
 *
 * Return: OM_OK; OM_E_MISSING when it is no flag of the configuration; OM_E_PARSE without its
 * value; OM_E_FULL.
 */
OM_MUST enum om_err om_config_flag(struct om_config_flags *f, int argc, char *const *argv, int *at,
                                   struct om_error *err);

/**
 * om_config_apply() - set what the flags say, in their order; a list's first flag empties it
 * @c:    changed on success only
 * @f:    what om_config_flag() noted
 * @err:  sentence for a person; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE, OM_E_RANGE or OM_E_FULL.
 */
OM_MUST enum om_err om_config_apply(struct om_config *c, const struct om_config_flags *f,
                                    struct om_error *err);

/**
 * om_config_diff() - name every key in which two configurations differ
 * @was:      one
 * @is:       the other
 * @changed:  called in the order of the table, with the key and both values as texts, which are
 *            lent for the call; NULL: only count. key->needs_restart says when it takes effect
 * @self:     its first argument
 *
 * Return: how many differ.
 */
unsigned om_config_diff(const struct om_config *was, const struct om_config *is,
                        void (*changed)(void *self, const struct om_config_key *key,
                                        const char *was_text, const char *is_text),
                        void *self);

/**
 * om_config_write_default() - make a file of all keys with their defaults, mode 0600
 * @path:  must not be there
 * @err:   sentence for a person; may be NULL
 *
 * Return: OM_OK; OM_E_EXISTS; OM_E_STATE when it cannot be written, and then nothing is left.
 */
OM_MUST enum om_err om_config_write_default(const char *path, struct om_error *err);

/**
 * om_config_name() - what the node calls itself
 * @c:    its name, or when that is "" the host's up to the first dot
 * @out:  OM_NAME_MAX + 1 bytes, terminated
 *
 * Return: @out.
 */
char *om_config_name(const struct om_config *c, char out[static OM_NAME_MAX + 1]);

#endif
