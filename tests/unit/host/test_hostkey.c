/* test_hostkey.c - the host key of a virtual machine, read back by OpenSSH itself. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/hostkey.h"

OM_TEST(hostkey_of_a_seed_is_always_the_same)
{
    uint8_t seed[OM_HOSTKEY_SEED] = {1, 2, 3};
    struct hostkey a, b;

    hostkey_make(&a, seed);
    hostkey_make(&b, seed);
    CHECK_STR(a.public_line, b.public_line);
    CHECK_STR(a.private_text, b.private_text);
    seed[0] ^= 1;
    hostkey_make(&b, seed);
    CHECK(strcmp(a.public_line, b.public_line) != 0);
    CHECK(strncmp(a.public_line, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", 32) == 0);
}

OM_TEST(hostkey_is_what_openssh_reads)
{
    const uint8_t seed[OM_HOSTKEY_SEED] = {7};
    char path[] = "/tmp/om-hostkey-XXXXXX", command[128], line[256] = "";
    struct hostkey k;

    hostkey_make(&k, seed);
    int fd = mkstemp(path);
    CHECK(fd >= 0 && fchmod(fd, 0600) == 0);
    CHECK(write(fd, k.private_text, strlen(k.private_text)) == (ssize_t)strlen(k.private_text));
    (void)close(fd);
    (void)snprintf(command, sizeof command, "ssh-keygen -y -P '' -f %s 2>&1", path);
    FILE *p = popen(command, "r"); /* NOLINT(cert-env33-c): our own words */
    CHECK(p != NULL);
    if (p) {
        (void)!fgets(line, sizeof line, p);
        (void)pclose(p);
    }
    (void)unlink(path);
    CHECK(strncmp(line, k.public_line, strlen(k.public_line)) == 0);
}
