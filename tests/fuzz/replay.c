/* replay.c - runs a fuzz target over the files of a folder, and over cut and flipped forms. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>

#include <sodium.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 16, AROUND_MAX = 256 };

static unsigned runs;

static void run(const uint8_t *bytes, size_t n)
{
    (void)fuzz_one(bytes, n);
    runs++;
}

/* The input, its first prefixes, and the input with each of its first bytes inverted. */
static void run_around(uint8_t *bytes, size_t n)
{
    run(bytes, n);
    for (size_t cut = 0; cut < n && cut < AROUND_MAX; cut++)
        run(bytes, cut);
    for (size_t i = 0; i < n && i < AROUND_MAX; i++) {
        bytes[i] ^= 0xff;
        run(bytes, n);
        bytes[i] ^= 0xff;
    }
}

static int replay_file(const char *path)
{
    static uint8_t bytes[INPUT_MAX];
    FILE *f = fopen(path, "rb");

    if (!f) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    size_t n = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    run_around(bytes, n);
    return 0;
}

int main(int argc, char **argv)
{
    char path[PATH_MAX];
    unsigned files = 0;
    struct dirent *e;

    if (argc != 2 || sodium_init() < 0) {
        fprintf(stderr, "usage: %s CORPUS_FOLDER\n", argv[0]);
        return 2;
    }
    DIR *d = opendir(argv[1]);
    while (d && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name) >= (int)sizeof path ||
            replay_file(path) != 0)
            return 1;
        files++;
    }
    if (d)
        closedir(d);
    printf("%u files, %u runs\n", files, runs);
    return files == 0;
}
