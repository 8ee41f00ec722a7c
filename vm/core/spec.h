/*
 * spec.h - what a consumer asks for when it asks for a VM
 *
 * What:  the request's words to a struct and back, with every bound checked once, here.
 * Why:   both sides read the same words: what the consumer's own node accepts its provider does not
 *        call garbage; and what is refused is refused with the place and the wanted form.
 * Keeps: spec_round_trips; spec_refuses_unknown_members; spec_bare_numbers_are_mib;
 *        spec_refuses_each_bad_value; spec_keys_are_one_line_of_a_known_type;
 *        spec_has_defaults; spec_too_large_is_refused.
 *
 * Source: RFC 4253 section 6.6 and RFC 8709 (key format names); sshd(8), AUTHORIZED_KEYS FILE
 *         FORMAT: of that only "type base64 comment", never options.
 */
#ifndef OM_VM_SPEC_H
#define OM_VM_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>
#include <omerta/time.h>

#include "vm/core/limits.h"

enum {
    OM_VM_IMAGE_NAME = 64, /* with the terminator, as all of these */
    OM_VM_LANGUAGE = 24,
    OM_VM_DESCRIPTION = 256,
    OM_VM_SSH_KEY = 1024, /* a 4096-bit RSA key has 716 characters of base64 */
    OM_VM_EXPOSES_MAX = 16
};

enum om_vm_egress { OM_VM_EGRESS_NONE, OM_VM_EGRESS_INTERNET };

struct om_vm_spec {
    uint32_t cpus;
    uint32_t memory_mib;
    uint32_t disk_mib; /* 0: none */
    om_time ttl;       /* of the lease */
    om_time timeout;   /* to be running by then, or not at all */
    enum om_vm_egress egress;
    unsigned exposes;
    uint16_t expose[OM_VM_EXPOSES_MAX]; /* ports of the consumer that the VM may reach */
    char image[OM_VM_IMAGE_NAME];
    char language[OM_VM_LANGUAGE]; /* that its jobs will be in; "": nobody says */
    char description[OM_VM_DESCRIPTION];
    char ssh_key[OM_VM_SSH_KEY]; /* "": no SSH, only jobs */
};

/** om_vm_spec_default() - fill @s with what an empty request means. */
void om_vm_spec_default(struct om_vm_spec *s);

/**
 * om_vm_spec_read() - the words of a request
 * @out:  defaults where a word is absent; untouched on failure
 * @o:    members cpus memory disk image language ttl timeout description egress expose ssh_key
 * @err:  sentence with the member's path; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE for a wrong kind, form or an unknown member, OM_E_RANGE for a value out
 * of bounds.
 */
OM_MUST enum om_err om_vm_spec_read(struct om_vm_spec *out, const json_t *o, struct om_error *err);

/** om_vm_spec_write() - the words of @s, all of them, owned by the caller; NULL without memory. */
json_t *om_vm_spec_write(const struct om_vm_spec *s);

/** om_vm_spec_amount() - what a VM of @s takes. */
struct om_vm_amount om_vm_spec_amount(const struct om_vm_spec *s);

/**
 * om_vm_spec_fits() - may one VM be so large?
 * @s:       the request
 * @limits:  of the provider
 * @err:     receives what does not fit; may be NULL
 *
 * Return: OM_OK or OM_E_RANGE. Whether there is room now is for quota.h to say.
 */
OM_MUST enum om_err om_vm_spec_fits(const struct om_vm_spec *s, const struct om_vm_limits *limits,
                                    struct om_error *err);

/** om_vm_name_is_plain() - @s is 1 to @max characters of a-z A-Z 0-9 . _ -, the first no dot or
 *  minus: fit for a file's name. */
bool om_vm_name_is_plain(const char *s, size_t max);

/**
 * om_vm_ssh_key_check() - is this one public key as authorized_keys has them, without options?
 * @key:  one line
 * @err:  what is wrong with it; may be NULL
 *
 * Return: OM_OK or OM_E_PARSE.
 */
OM_MUST enum om_err om_vm_ssh_key_check(const char *key, struct om_error *err);

#endif
