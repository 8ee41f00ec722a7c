/*
 * seed.h - what a new guest is told about itself: the NoCloud files
 *
 * What:  user-data, meta-data and network-config as text. All three are JSON, which is YAML too,
 *        so that cloud-init and the small guest's reader take the same seed.
 * Why:   a name pasted into YAML is a name that can end the line it stands in. Here each value is
 *        a JSON string: whatever is in it stays in it.
 * Keeps: seed_says_what_was_asked; seed_no_value_breaks_out; seed_refuses_what_no_guest_takes;
 *        seed_of_a_real_guest_is_ascii.
 *
 * Full: more than OM_VM_SEED_FILES files or OM_VM_SEED_COMMANDS commands, or a text over
 * OM_VM_SEED_MAX bytes, are refused.
 *
 * Source: cloudinit.readthedocs.io, "NoCloud" and "Cloud config examples"; YAML 1.2 section 1.3
 *         (JSON is a subset).
 */
#ifndef OM_VM_SEED_H
#define OM_VM_SEED_H

#include <stdint.h>

#include <omerta/bytes.h>
#include <omerta/err.h>

enum {
    OM_VM_SEED_FILES = 16,
    OM_VM_SEED_COMMANDS = 16,
    OM_VM_SEED_MAX = 256 * 1024, /* what the small guest reads of one text */
    OM_VM_HOSTNAME_MAX = 63      /* RFC 1123 section 2.1: one label */
};

struct om_vm_seed_file {
    const char *path;        /* absolute */
    struct om_bytes content; /* any bytes */
    unsigned mode;           /* 0 to 07777 */
};

/* All borrowed; texts are UTF-8. NULL where there is none. */
struct om_vm_seed {
    const char *instance_id;      /* another one makes the guest set itself up anew */
    const char *hostname;         /* letters, digits and minus */
    const char *user;             /* who logs in; NULL: root */
    const char *ssh_key;          /* line of authorized_keys */
    const char *host_key_private; /* Ed25519, OpenSSH's form with its line breaks */
    const char *host_key_public;
    const uint8_t *mac; /* 6 bytes: the card that gets its address by DHCP */
    unsigned files, commands;
    struct om_vm_seed_file file[OM_VM_SEED_FILES];
    const char *command[OM_VM_SEED_COMMANDS]; /* for sh, as root, in this order */
};

/* Owned; wipe and release with om_vm_seed_texts_fini(). */
struct om_vm_seed_texts {
    char *user_data;
    char *meta_data;
    char *network_config;
};

/**
 * om_vm_seed_build() - write the three texts
 * @out:  filled on success; untouched on failure
 * @s:    what to tell
 * @err:  sentence; may be NULL
 *
 * Return: OM_OK, OM_E_RANGE for too much or too long, OM_E_PARSE for a host name, path or text that
 * cannot be one, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_seed_build(struct om_vm_seed_texts *out, const struct om_vm_seed *s,
                                     struct om_error *err);

/** om_vm_seed_texts_fini() - wipe the secrets in @t and release it; zeroed is fine. */
void om_vm_seed_texts_fini(struct om_vm_seed_texts *t);

#endif
