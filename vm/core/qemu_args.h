/*
 * qemu_args.h - the command line of one VM's QEMU
 *
 * What:  amounts and paths in, an array of arguments out; nothing is run, no shell is involved.
 * Why:   what a guest can touch is decided here: no default devices, no monitor but ours, one NIC
 *        whose other end is a socket, a system call filter that lets QEMU start nothing.
 * Keeps: qemu_args_golden; qemu_args_no_name_adds_an_option; qemu_args_refuse_what_cannot_be;
 *        qemu_args_leave_out_what_is_absent.
 *
 * Sockets in the VM's folder, where QEMU listens: nic.sock (frames, 4-byte length before each),
 * qmp.sock, agent.sock (virtio-serial port org.omerta.agent), console.sock (serial port).
 * Who connects to console.sock must read it: QEMU writes it byte by byte, and with some hundred of
 * them unread the guest stands still. With nobody connected they are dropped.
 * Drives carry a serial that the guest reads in /sys/block/vdX/serial: "disk" and "cidata".
 *
 * In options of the form a=b,c=d a comma inside a value is doubled; drives are written as JSON,
 * with the protocol named, so that no file's name is taken for an address.
 *
 * Source: qemu(1) of 7.2; include/qapi/qmp/keyval.h there: ",," stands for ",".
 */
#ifndef OM_VM_QEMU_ARGS_H
#define OM_VM_QEMU_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include <omerta/err.h>

enum {
    OM_VM_ARGV_MAX = 96,
    OM_VM_ARGV_TEXT = 24 * 1024, /* bytes of all arguments */
    OM_VM_SOCKET_PATH_MAX = 107, /* unix(7): sun_path less its terminator */
    OM_VM_ARG_PATH_MAX = 1024
};

#define OM_VM_AGENT_PORT "org.omerta.agent"

enum om_vm_engine { OM_VM_KVM, OM_VM_TCG, OM_VM_ENGINE_COUNT };

/* All paths are absolute; NULL where there is none. Borrowed. */
struct om_vm_machine {
    const char *qemu;   /* program, the first argument */
    const char *name;   /* shown by ps */
    const char *folder; /* of this VM, private to us */
    const char *kernel; /* NULL: the disk boots by itself */
    const char *initrd;
    const char *append; /* kernel command line; one argument, whatever is in it */
    const char *disk;   /* overlay, qcow2 */
    const char *base;   /* what the overlay lies on, when @is_base_qcow2 or raw; NULL: nothing */
    const char *seed;   /* ISO image */
    bool is_base_qcow2;
    enum om_vm_engine engine;
    uint32_t cpus;
    uint32_t memory_mib;
    uint64_t disk_bytes_per_s; /* 0: no limit */
    uint32_t disk_ops_per_s;   /* 0: no limit */
    uint8_t mac[6];
    uint16_t mtu;
};

/* Not to be copied: argv points into text. */
struct om_vm_args {
    unsigned argc;
    size_t used;
    char *argv[OM_VM_ARGV_MAX + 1]; /* ends in NULL */
    char text[OM_VM_ARGV_TEXT];
};

/** om_vm_engine_name() - "kvm" or "tcg" for @e. */
const char *om_vm_engine_name(enum om_vm_engine e);

/**
 * om_vm_args_build() - write the command line
 * @out:  storage of the caller; of no use after a failure
 * @l:    what to start
 * @err:  sentence; may be NULL
 *
 * Return: OM_OK, OM_E_RANGE for a path that is too long or not absolute or too much of anything,
 * OM_E_PARSE for a path that is no UTF-8, OM_E_NO_MEM.
 */
OM_MUST enum om_err om_vm_args_build(struct om_vm_args *out, const struct om_vm_machine *l,
                                     struct om_error *err);

#endif
