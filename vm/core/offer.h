/*
 * offer.h - what a provider tells its network that it could give
 *
 * What:  a few coarse figures about one provider, to bytes and back, for gossip's channel
 *        OM_VM_OFFER_CHANNEL.
 * Why:   who looks for a machine asks first where there is one; but nobody need know how much of a
 *        machine is in use to the megabyte, nor for whom it provides.
 * Keeps: offer_round_trips; offer_withdrawn_is_two_bytes; offer_never_passes_its_bound;
 *        offer_refuses_bad_bytes; offer_later_fields_are_skipped; offer_steps_are_coarse.
 *
 *     u8 1, u8 flags (1 on, 2 for everybody, 4 more images), then, if it is on:
 *     u8 engine (0 unknown, 1 kvm, 2 tcg), u8 load (0 to 3), u16 machines, u16 processors,
 *     u32 MiB of memory, u32 MiB of disk, u8 n <= 8, n x (u8 length, name of an image),
 *     u8 why there is no KVM (enum om_vm_no_kvm)
 *
 * Amounts are those of the largest machine that could be had now. Who reads it skips flags and
 * bytes at the end that it does not know.
 *
 * Full: images beyond OM_VM_OFFER_IMAGES or OM_VM_OFFER_MAX bytes are left out, and a flag says so.
 */
#ifndef OM_VM_OFFER_H
#define OM_VM_OFFER_H

#include <stdbool.h>

#include <omerta/bytes.h>
#include <omerta/err.h>

#include "vm/core/limits.h"
#include "vm/core/spec.h"

#define OM_VM_OFFER_CHANNEL "om.offer"

enum {
    OM_VM_OFFER_VERSION = 1,
    OM_VM_OFFER_MAX = 200, /* bytes */
    OM_VM_OFFER_IMAGES = 8,
    OM_VM_OFFER_LOADS = 4
};

enum om_vm_offer_engine {
    OM_VM_OFFER_UNKNOWN,
    OM_VM_OFFER_KVM,
    OM_VM_OFFER_TCG,
    OM_VM_OFFER_ENGINES
};

/* Why a provider runs guests by emulation, which is ten times slower. */
#define OM_VM_NO_KVM(X)                                                                            \
    X(UNSAID, "")                                                                                  \
    X(MISSING, "it has no /dev/kvm")                                                               \
    X(CLOSED, "/dev/kvm may not be opened there")                                                  \
    X(FLAGS, "its processor shows neither vmx nor svm")                                            \
    X(TEST, "its test guest did not run under KVM")                                                \
    X(FAILED, "a guest failed under KVM")                                                          \
    X(UNWANTED, "its owner wants no KVM")

enum om_vm_no_kvm {
#define X(code, text) OM_VM_NO_KVM_##code,
    OM_VM_NO_KVM(X)
#undef X
        OM_VM_NO_KVM_COUNT
};

/* Zeroed: withdrawn. */
struct om_vm_offer {
    bool is_on;
    bool is_for_all;      /* every member; else peers that it does not name */
    bool has_more_images; /* than those here */
    enum om_vm_offer_engine engine;
    enum om_vm_no_kvm no_kvm;
    uint8_t load;             /* 0 idle to OM_VM_OFFER_LOADS - 1 full */
    struct om_vm_amount free; /* of one machine; vms: so many of them */
    unsigned images;
    char image[OM_VM_OFFER_IMAGES][OM_VM_IMAGE_NAME];
};

/** om_vm_offer_engine_name() - "unknown", "kvm" or "tcg" for @e. */
const char *om_vm_offer_engine_name(enum om_vm_offer_engine e);

/** om_vm_no_kvm_text() - @why as a clause, "" when it was not said. */
const char *om_vm_no_kvm_text(enum om_vm_no_kvm why);

/** om_vm_offer_step() - @n rounded down to its three highest bits. */
uint32_t om_vm_offer_step(uint32_t n);

/** om_vm_offer_encode() - @o with coarse amounts into @out; returns the bytes. */
size_t om_vm_offer_encode(uint8_t out[static OM_VM_OFFER_MAX], const struct om_vm_offer *o);

/**
 * om_vm_offer_decode() - what somebody published
 * @out:  untouched on failure
 * @in:   as received
 *
 * Return: OM_OK; OM_E_RANGE over OM_VM_OFFER_MAX or beyond what one provider can have;
 * OM_E_UNSUPPORTED for another version; OM_E_PARSE.
 */
OM_MUST enum om_err om_vm_offer_decode(struct om_vm_offer *out, struct om_bytes in);

#endif
