/* plant.c - three files at most. */
#include "vm/core/plant.h"

#include <stdio.h>
#include <string.h>

#include "vm/core/qemu_args.h"

enum { PROGRAM = 0755, DATA = 0644 };

static const char per_boot[] = "/var/lib/cloud/scripts/per-boot/omerta";

/* Detached, so that cloud-init does not wait for it. */
static const char start_agent[] = "#!/bin/sh\n"
                                  "mkdir -p /work\n"
                                  "setsid /usr/local/lib/omerta/agent"
                                  " </dev/null >/dev/null 2>&1 &\n";

/* As an agent that just started and runs no language. The host may not listen yet. */
static const char say_hello[] =
    "#!/bin/sh\n"
    "for name in /sys/class/virtio-ports/*/name; do\n"
    "    [ \"$(cat \"$name\" 2>/dev/null)\" = " OM_VM_AGENT_PORT " ] || continue\n"
    "    port=${name%/name}\n"
    "    port=/dev/${port##*/}\n"
    "    (\n"
    "        for _ in 1 2 3 4 5; do\n"
    "            echo 'hello - 1 none - -' >\"$port\"\n"
    "            sleep 2\n"
    "        done\n"
    "    ) </dev/null >/dev/null 2>&1 &\n"
    "done\n";

static bool add(struct om_vm_seed *seed, const char *path, struct om_bytes content, unsigned mode)
{
    if (seed->files == OM_VM_SEED_FILES)
        return false;
    seed->file[seed->files++] = (struct om_vm_seed_file){path, content, mode};
    return true;
}

bool om_vm_plant_wanted(const struct om_vm_image *i)
{
    return i->agent == 0 || om_vm_image_find_file(i, OM_VM_PLANT_FILE);
}

/* NAME=... and LANGUAGES=a,b, as build.sh writes it into its images. */
static bool write_words(const struct om_vm_image *i, char text[static OM_VM_PLANT_TEXT])
{
    size_t n;

    if (!om_vm_name_is_plain(i->name, OM_VM_IMAGE_NAME - 1))
        return false;
    n = (size_t)snprintf(text, OM_VM_PLANT_TEXT, "NAME=%s\nLANGUAGES=", i->name);
    for (unsigned k = 0; k < i->languages; k++) {
        if (!om_vm_name_is_plain(i->language[k], OM_VM_IMAGE_WORD - 1))
            return false;
        n += (size_t)snprintf(text + n, OM_VM_PLANT_TEXT - n, "%s%s", k ? "," : "", i->language[k]);
    }
    (void)snprintf(text + n, OM_VM_PLANT_TEXT - n, "\n");
    return true;
}

enum om_err om_vm_plant(struct om_vm_seed *seed, const struct om_vm_image *i, struct om_bytes agent,
                        char text[static OM_VM_PLANT_TEXT])
{
    unsigned before = seed->files;

    if (!write_words(i, text))
        return OM_E_PARSE;
    if (agent.n == 0)
        return add(seed, per_boot, om_bytes(say_hello, strlen(say_hello)), PROGRAM) ? OM_OK
                                                                                    : OM_E_FULL;
    if (add(seed, "/etc/omerta/image", om_bytes(text, strlen(text)), DATA) &&
        add(seed, "/usr/local/lib/omerta/agent", agent, PROGRAM) &&
        add(seed, per_boot, om_bytes(start_agent, strlen(start_agent)), PROGRAM))
        return OM_OK;
    seed->files = before;
    return OM_E_FULL;
}
