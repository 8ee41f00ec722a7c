/* offer_here.c - from limits, machines and folders to an offer. */
#include "service/offer_here.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <omerta/info.h>
#include <omerta/member.h>

#include "host/clock.h"
#include "service/parts.h"

enum { LOAD_SHIFT = 16, MIB_SHIFT = 20, FIFTEEN_MINUTES = 2 };

static uint32_t least(uint64_t a, uint64_t b)
{
    uint64_t n = a < b ? a : b;

    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static uint32_t left_of(uint32_t most, uint32_t used)
{
    return most > used ? most - used : 0;
}

/* MiB that the file system of the home has. */
static uint64_t disk_left(const char *home)
{
    struct statvfs v;

    return statvfs(home, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize >> MIB_SHIFT : 0;
}

/* The largest machine that could be had now, and how many more. */
static void add_amounts(const struct vms *s, struct om_vm_offer *out)
{
    const struct om_vm_amount *all = &s->provide.limits.most[OM_VM_SCOPE_ALL];
    const struct om_vm_amount *one = &s->provide.limits.most[OM_VM_SCOPE_VM];
    struct om_vm_amount used = om_vm_quota_used(&s->quota, OM_VM_SCOPE_ALL, NULL);

    out->free.vms = left_of(least(all->vms, OM_VM_COUNT_MAX), used.vms);
    out->free.cpus = least(one->cpus, left_of(all->cpus, used.cpus));
    out->free.memory_mib = least(one->memory_mib, left_of(all->memory_mib, used.memory_mib));
    out->free.disk_mib = least(least(one->disk_mib, left_of(all->disk_mib, used.disk_mib)),
                               disk_left(s->d->place.home));
}

/* Of the processors over the last 15 minutes, so that it does not change all the time. */
static uint8_t load_now(void)
{
    struct sysinfo info;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (sysinfo(&info) != 0 || processors < 1)
        return 0;
    uint64_t load = ((uint64_t)info.loads[FIFTEEN_MINUTES] * OM_VM_OFFER_LOADS >> LOAD_SHIFT) /
                    (uint64_t)processors;
    return (uint8_t)(load < OM_VM_OFFER_LOADS ? load : OM_VM_OFFER_LOADS - 1);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool is_built_in(const struct vms *s, const char *name)
{
    const char *one;

    for (unsigned i = 0; (one = builder_name(s, i)) != NULL; i++)
        if (strcmp(one, name) == 0)
            return true;
    return false;
}

/* Those that are there, and those that would be made when they are asked for. */
static void add_images(const struct vms *s, struct om_vm_offer *out)
{
    char names[OM_VM_IMAGES_MAX][OM_VM_IMAGE_NAME];
    char path[OM_PATH_MAX], file[OM_PATH_MAX + OM_VM_IMAGE_NAME + 16];
    const struct dirent *entry;
    unsigned n = 0;

    for (unsigned i = 0; builder_name(s, i); i++)
        (void)snprintf(names[n++], OM_VM_IMAGE_NAME, "%s", builder_name(s, i));
    if (snprintf(path, sizeof path, "%s/images", s->d->place.home) >= (int)sizeof path)
        return;
    DIR *folder = opendir(path);
    while (folder && n < OM_VM_IMAGES_MAX && (entry = readdir(folder))) {
        if (!om_vm_name_is_plain(entry->d_name, OM_VM_IMAGE_NAME - 1) ||
            is_built_in(s, entry->d_name))
            continue;
        (void)snprintf(file, sizeof file, "%s/%.63s/image.json", path, entry->d_name);
        if (access(file, R_OK) == 0)
            (void)snprintf(names[n++], OM_VM_IMAGE_NAME, "%.63s", entry->d_name);
    }
    if (folder)
        (void)closedir(folder);
    qsort(names, n, sizeof names[0], by_name);
    out->has_more_images = n > OM_VM_OFFER_IMAGES;
    out->images = least(n, OM_VM_OFFER_IMAGES);
    memcpy(out->image, names, out->images * sizeof names[0]);
}

static bool is_known_in(const struct vms *s, const struct om_id *network, const struct om_id *peer)
{
    const struct om_node *n = daemon_node(s->d);
    struct om_peer_info info;
    struct om_announce says;

    return om_node_peer_info(n, om_clock_now(), network, peer, &info) == OM_OK ||
           om_node_record(n, network, peer, &says, NULL) == OM_OK;
}

/* Is one of those whom the owner named in @net? A key is of one network: who is known in another
 * only is none of this one, and members here are not told of what that one gets. */
static bool is_for_some(const struct vms *s, const struct daemon_network *net)
{
    for (unsigned i = 0; i < s->provide.peers; i++) {
        const struct om_id *peer = &s->provide.peer[i];
        bool is_elsewhere = false;
        for (unsigned k = 0; k < s->d->network_count; k++)
            if (&s->d->networks[k] != net)
                is_elsewhere |= is_known_in(s, &s->d->networks[k].id, peer);
        if (!is_elsewhere || is_known_in(s, &net->id, peer))
            return true;
    }
    return false;
}

void offer_here(const struct vms *s, const struct daemon_network *net, struct om_vm_offer *out)
{
    *out = (struct om_vm_offer){.is_on = false};
    if (!s || s->is_closing || s->is_lost || !s->provide.is_on || *s->missing || !s->is_known ||
        s->accel.kind == OM_VM_ACCEL_NONE)
        return;
    if (!om_node_may(daemon_node(s->d), &net->id, &net->self, OM_ROLE_PROVIDER))
        return;
    out->is_for_all = s->provide.is_for_all && !net->is_open;
    out->is_on = out->is_for_all || is_for_some(s, net);
    if (!out->is_on)
        return;
    out->engine = s->accel.kind == OM_VM_ACCEL_KVM ? OM_VM_OFFER_KVM : OM_VM_OFFER_TCG;
    out->no_kvm = s->accel.no_kvm;
    out->load = load_now();
    add_amounts(s, out);
    add_images(s, out);
}

void offer_hint(const struct vms *s, char out[static OFFER_HINT_MAX])
{
    const struct daemon_network *first = NULL;
    unsigned count = 0;

    *out = 0;
    if (!s->provide.is_on || (!s->provide.is_for_all && s->provide.peers == 0))
        return;
    for (unsigned i = 0; i < s->d->network_count; i++) {
        const struct daemon_network *net = &s->d->networks[i];
        if (om_node_may(daemon_node(s->d), &net->id, &net->self, OM_ROLE_PROVIDER))
            continue;
        first = first ? first : net;
        count++;
    }
    if (first)
        (void)snprintf(out, OFFER_HINT_MAX,
                       "members of the network %s%s get none: our certificate there has not the"
                       " role of a provider, which an invitation with --role provider gives",
                       first->name, count > 1 ? " (and of others)" : "");
}
