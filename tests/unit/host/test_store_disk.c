/* test_store_disk.c - a store on a disk that is really full. */
#include "harness.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "host/store.h"

enum { DISK_KIB = 160, SKIPPED = 77, ROWS = 4, ROUNDS = 60 };

struct desk {
    uv_loop_t loop;
    struct om_store *store;
    uint64_t seq, up_to; /* last one put, last one saved */
    unsigned failed;
    char sentence[OM_ERROR_MSG_MAX];
};

static void on_saved(void *self, uint64_t up_to)
{
    ((struct desk *)self)->up_to = up_to;
}

static void on_failed(void *self, const char *sentence)
{
    struct desk *d = self;

    d->failed++;
    (void)snprintf(d->sentence, sizeof d->sentence, "%s", sentence);
}

/* Puts a record and waits for the answer to it. */
static bool put_one(struct desk *d, uint8_t i)
{
    static const uint8_t bytes[1000] = {1, 2, 3};
    struct om_store_record row = {{{7}}, {{i}}, om_bytes(bytes, sizeof bytes), {i}};

    return om_store_put_record(d->store, &row, &d->seq) == OM_OK &&
           uv_run(&d->loop, UV_RUN_DEFAULT) == 0;
}

static void count(void *self, const struct om_store_record *row OM_UNUSED)
{
    ++*(unsigned *)self;
}

/* Takes every byte that is left, one at a time at the end. */
static bool fill_disk(const char *path)
{
    static const char zeros[4096];
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    for (size_t n = sizeof zeros; fd >= 0 && n > 0; n /= 2)
        while (write(fd, zeros, n) > 0)
            ;
    return fd >= 0 && close(fd) == 0;
}

static const char *open_store(struct desk *d, const char *path)
{
    struct om_store_config c = {&d->loop, path, on_saved, on_failed, d};
    struct om_error err = {0};

    if (om_store_open(&d->store, &c, &err) == OM_OK)
        return NULL;
    (void)snprintf(d->sentence, sizeof d->sentence, "%s", err.msg);
    return "open";
}

/* The log of changes to a few rows would outgrow this disk: its own failures make room. */
static const char *outgrow(struct desk *d, const char *path)
{
    for (unsigned i = 0; i < ROWS; i++)
        if (!put_one(d, (uint8_t)i) || d->up_to != d->seq)
            return "put the first rows";
    om_store_flush_close(d->store, NULL);
    if (uv_run(&d->loop, UV_RUN_DEFAULT) != 0 || open_store(d, path) != NULL)
        return "open again";
    for (unsigned i = 0; i < ROUNDS; i++)
        if (!put_one(d, (uint8_t)(i % ROWS)))
            return "put";
    if (d->failed == 0 || !strstr(d->sentence, "full"))
        return "the disk was never full";
    om_store_retry(d->store);
    return uv_run(&d->loop, UV_RUN_DEFAULT) == 0 && d->up_to == ROUNDS
               ? NULL
               : "its log takes all the room";
}

/* Somebody else takes all the room for a while. */
static const char *wait_for_room(struct desk *d, const char *other)
{
    unsigned before = d->failed;

    if (!fill_disk(other))
        return "fill";
    for (unsigned i = 0; i < ROUNDS && d->failed == before; i++)
        if (!put_one(d, (uint8_t)(ROWS + i)))
            return "put on a full disk";
    if (d->failed == before || d->up_to == d->seq)
        return "the disk was not full";
    if (unlink(other) != 0)
        return "unlink";
    om_store_retry(d->store);
    return uv_run(&d->loop, UV_RUN_DEFAULT) == 0 && d->up_to == d->seq
               ? NULL
               : "not saved when there was room again";
}

/* Returns what went wrong, or NULL. */
static const char *live_on_a_small_disk(struct desk *d, const char *top)
{
    char path[FOLDER_MAX + 16], other[FOLDER_MAX + 16];
    unsigned rows = 0;

    folder_at(path, top, "mesh.db");
    folder_at(other, top, "other");
    const char *wrong = uv_loop_init(&d->loop) != 0 ? "loop" : open_store(d, path);
    if (!wrong)
        wrong = outgrow(d, path);
    if (!wrong)
        wrong = wait_for_room(d, other);
    if (!wrong && (om_store_each_record(d->store, count, &rows, NULL) != OM_OK || rows <= ROWS))
        wrong = "read";
    return wrong;
}

static bool tell(const char *path, const char *text)
{
    size_t n = strlen(text);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool is_told = fd >= 0 && write(fd, text, n) == (ssize_t)n;

    return fd >= 0 && close(fd) == 0 && is_told;
}

/* A user of a namespace of its own may mount there, and is the same user as outside. */
static bool enter_namespace(void)
{
    char uid[48], gid[48];

    (void)snprintf(uid, sizeof uid, "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
    (void)snprintf(gid, sizeof gid, "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && tell("/proc/self/setgroups", "deny") &&
           tell("/proc/self/uid_map", uid) && tell("/proc/self/gid_map", gid);
}

/* In a process of its own, which sees a small disk where the others see a folder. */
static int in_child(const char *top)
{
    static struct desk d;
    char options[48];

    (void)snprintf(options, sizeof options, "size=%dk,mode=0700", DISK_KIB);
    if (!enter_namespace() || mount("none", top, "tmpfs", 0, options) != 0)
        return SKIPPED;
    const char *wrong = live_on_a_small_disk(&d, top);
    if (wrong)
        (void)fprintf(stderr, "%s; %u failures, the last: %s\n", wrong, d.failed, d.sentence);
    return wrong != NULL;
}

OM_TEST(store_outlives_a_full_disk)
{
    char top[FOLDER_MAX];
    int status = 0;

    CHECK(folder_make(top));
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(in_child(top));
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    folder_remove(top);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        skip(); /* no namespaces here */
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
