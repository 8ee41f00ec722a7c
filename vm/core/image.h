/*
 * image.h - what a VM can be made of: one image's description, and the list of them
 *
 * What:  image.json to a struct; a catalogue of images with what is known of their files; whether
 *        an image can do what is asked of it.
 * Why:   an image is code that is run: its files are those of image.json by their hash, or they are
 *        not used; and a job in a language that an image has not is refused before a VM is made.
 * Keeps: image_reads_what_the_builder_writes; image_refuses_bad_descriptions;
 *        image_files_are_judged_by_their_hash; image_language_is_refused_with_the_list;
 *        image_catalogue_finds_and_forgets; image_changed_file_is_never_good_again_by_itself.
 *
 * Files, by name: vmlinux and initrd (booted directly), disk.qcow2 or disk.raw (under an overlay),
 * agent (which the seed puts into the guest: plant.h).
 *
 * Full: OM_VM_IMAGES_MAX images; another is refused.
 */
#ifndef OM_VM_IMAGE_H
#define OM_VM_IMAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>

#include "vm/core/spec.h"

enum {
    OM_VM_IMAGES_MAX = 32,
    OM_VM_IMAGE_FILES = 5,
    OM_VM_IMAGE_LANGUAGES = 8,
    OM_VM_IMAGE_WORD = 24,
    OM_VM_IMAGE_TEXT = 256,
    OM_VM_SHA256 = 32
};

enum om_vm_image_state {
    OM_VM_IMAGE_UNKNOWN, /* not looked at since we started */
    OM_VM_IMAGE_GOOD,
    OM_VM_IMAGE_MISSING, /* a file is not there */
    OM_VM_IMAGE_CHANGED, /* a file is not the one that was added */
    OM_VM_IMAGE_STATE_COUNT
};

struct om_vm_image_file {
    char name[OM_VM_IMAGE_WORD];
    uint8_t sha256[OM_VM_SHA256];
};

struct om_vm_image {
    char name[OM_VM_IMAGE_NAME];
    char kernel[OM_VM_IMAGE_NAME];  /* its release, for people */
    char cmdline[OM_VM_IMAGE_TEXT]; /* of the kernel */
    char ssh_user[OM_VM_IMAGE_WORD];
    uint32_t memory_min_mib;
    uint32_t disk_min_mib;
    unsigned agent; /* version of the agent's protocol; 0: none, no jobs */
    unsigned languages, files;
    char language[OM_VM_IMAGE_LANGUAGES][OM_VM_IMAGE_WORD];
    struct om_vm_image_file file[OM_VM_IMAGE_FILES];
    enum om_vm_image_state state;
    char fault[OM_VM_IMAGE_TEXT]; /* the sentence of MISSING and CHANGED */
};

/* Read freely; write only through om_vm_images_*(). Zeroed: empty. By name, ascending. */
struct om_vm_images {
    unsigned count;
    struct om_vm_image image[OM_VM_IMAGES_MAX];
};

/** om_vm_image_state_name() - "unknown", "good", "missing" or "changed" for @s. */
const char *om_vm_image_state_name(enum om_vm_image_state s);

/**
 * om_vm_image_read() - image.json
 * @out:  untouched on failure
 * @o:    the object
 * @err:  sentence with the member's path; may be NULL
 *
 * Return: OM_OK, OM_E_PARSE, OM_E_RANGE or OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_image_read(struct om_vm_image *out, const json_t *o,
                                     struct om_error *err);

/** om_vm_image_find_file() - the file of @i called @name, lent; NULL when it has none. */
const struct om_vm_image_file *om_vm_image_find_file(const struct om_vm_image *i, const char *name);

/**
 * om_vm_image_fits() - can this image be what is asked for?
 * @i:    the image
 * @s:    the request
 * @err:  sentence; may be NULL
 *
 * Return: OM_OK; OM_E_RANGE when it needs more memory or disk; OM_E_STATE when its files are
 * missing or changed.
 */
OM_MUST enum om_err om_vm_image_fits(const struct om_vm_image *i, const struct om_vm_spec *s,
                                     struct om_error *err);

/**
 * om_vm_image_speaks() - does it run jobs in this language?
 * @i:         the image
 * @language:  "sh", "python" ...
 * @err:       names the languages it has; may be NULL
 *
 * Return: OM_OK or OM_E_UNSUPPORTED.
 */
OM_MUST enum om_err om_vm_image_speaks(const struct om_vm_image *i, const char *language,
                                       struct om_error *err);

/**
 * om_vm_images_add() - one more
 * @l:    the catalogue
 * @i:    copied
 * @err:  sentence; may be NULL
 *
 * Return: OM_OK, OM_E_EXISTS or OM_E_FULL.
 */
OM_MUST enum om_err om_vm_images_add(struct om_vm_images *l, const struct om_vm_image *i,
                                     struct om_error *err);

/** om_vm_images_find() - the image called @name in @l, lent; NULL when there is none. */
struct om_vm_image *om_vm_images_find(struct om_vm_images *l, const char *name);

/** om_vm_images_remove() - forget the image called @name in @l; false when there is none. */
bool om_vm_images_remove(struct om_vm_images *l, const char *name);

/**
 * om_vm_image_judge() - a file of the image was read through
 * @i:       the image; MISSING or CHANGED once a file is so
 * @name:    which file
 * @sha256:  of what is there; NULL: it cannot be read
 *
 * Return: true when it is the one it should be.
 */
bool om_vm_image_judge(struct om_vm_image *i, const char *name, const uint8_t *sha256);

/** om_vm_image_begin() - all files of @i will be judged anew. */
void om_vm_image_begin(struct om_vm_image *i);

/** om_vm_image_end() - all files of @i were judged: GOOD unless one was not; the state. */
enum om_vm_image_state om_vm_image_end(struct om_vm_image *i);

#endif
