/* test_buf.c - headroom buffers and their pool. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <omerta/buf.h>

enum { BLOCK = 100, HEADROOM = 20, BLOCKS = 3 };

OM_TEST(buf_window_never_leaves_its_memory)
{
    struct om_buf *b = NULL;
    struct om_pool *pool = om_pool_new(BLOCK, 1);

    OM_TRY(pool);
    OM_TRY(b = om_pool_take(pool, HEADROOM));
    CHECK_EQ(om_buf_headroom(b), HEADROOM);
    CHECK_EQ(om_buf_tailroom(b), BLOCK - HEADROOM);
    uint8_t *start = om_buf_data(b);
    CHECK(om_buf_put(b, BLOCK - HEADROOM) == start);
    CHECK(om_buf_push(b, HEADROOM) == start - HEADROOM);
    memset(om_buf_data(b), 0xa5, b->len); /* all of it is ours: the sanitizer looks on */
    CHECK_EQ(b->len, BLOCK);
    CHECK_EQ(om_buf_headroom(b) + om_buf_tailroom(b), 0);
    CHECK(om_buf_pull(b, 30) == b->mem + 30);
    CHECK(om_buf_trim(b, 10));
    CHECK_EQ(b->len, 60);
    CHECK_EQ(om_buf_headroom(b), 30);
    CHECK_EQ(om_buf_tailroom(b), 10);
    CHECK(om_buf_put(b, 4) == b->mem + 90);
    om_buf_reset(b, BLOCK);
    CHECK_EQ(b->len, 0);
    CHECK_EQ(om_buf_tailroom(b), 0);
out:
    if (pool)
        om_pool_give(pool, b);
    om_pool_free(pool);
}

OM_TEST(buf_refusal_changes_nothing)
{
    uint8_t mem[50];
    struct om_buf b = {.mem = mem, .cap = sizeof mem, .at = 10, .len = 15};
    const struct om_buf before = b;

    CHECK(om_buf_push(&b, 11) == NULL);
    CHECK(om_buf_push(&b, SIZE_MAX) == NULL);
    CHECK(om_buf_pull(&b, 16) == NULL);
    CHECK(om_buf_pull(&b, SIZE_MAX) == NULL);
    CHECK(om_buf_put(&b, 26) == NULL);
    CHECK(om_buf_put(&b, SIZE_MAX) == NULL);
    CHECK(!om_buf_trim(&b, 16));
    CHECK_MEM(&b, &before, sizeof b);
    CHECK(om_buf_push(&b, 10) && om_buf_pull(&b, 25) && om_buf_put(&b, 25) && om_buf_trim(&b, 25));
}

OM_TEST(pool_never_exceeds_its_max)
{
    struct om_buf *b[BLOCKS] = {NULL};
    struct om_pool *pool = om_pool_new(BLOCK, BLOCKS);

    OM_TRY(pool);
    CHECK_EQ(om_pool_max(pool), BLOCKS);
    for (unsigned i = 0; i < BLOCKS; i++) {
        OM_TRY(b[i] = om_pool_take(pool, 0));
        CHECK_EQ(om_pool_live(pool), i + 1);
    }
    CHECK(om_pool_take(pool, 0) == NULL);
    om_pool_give(pool, b[1]);
    CHECK_EQ(om_pool_live(pool), BLOCKS - 1);
    CHECK(om_pool_take(pool, 0) == b[1]);
    CHECK(om_pool_take(pool, 0) == NULL);
    CHECK(om_pool_new(0, 1) == NULL);
    CHECK(om_pool_new((size_t)OM_BUF_MAX + 1, 1) == NULL);
out:
    for (unsigned i = 0; i < BLOCKS && pool; i++)
        om_pool_give(pool, b[i]);
    om_pool_free(pool);
    om_pool_free(NULL);
}

OM_TEST(pool_reuses_the_latest_block)
{
    struct om_buf *a = NULL, *b = NULL;
    struct om_pool *pool = om_pool_new(BLOCK, BLOCKS);

    OM_TRY(pool);
    OM_TRY(a = om_pool_take(pool, 0));
    OM_TRY(b = om_pool_take(pool, 0));
    (void)om_buf_put(b, 9);
    om_pool_give(pool, a);
    om_pool_give(pool, b);
    CHECK(om_pool_take(pool, 7) == b);
    CHECK_EQ(b->len, 0);
    CHECK_EQ(om_buf_headroom(b), 7);
    CHECK(om_pool_take(pool, 0) == a);
out:
    if (pool) {
        om_pool_give(pool, a);
        om_pool_give(pool, b);
    }
    om_pool_free(pool);
}

OM_TEST(pool_trim_frees_what_nobody_needed)
{
    struct om_buf *b[BLOCKS] = {NULL};
    struct om_pool *pool = om_pool_new(BLOCK, BLOCKS);

    OM_TRY(pool);
    for (unsigned i = 0; i < BLOCKS; i++)
        OM_TRY(b[i] = om_pool_take(pool, 0));
    om_pool_trim(pool); /* all are out */
    for (unsigned i = BLOCKS; i-- > 1;)
        om_pool_give(pool, b[i]);
    om_pool_trim(pool); /* all were, a moment ago */
    CHECK_EQ(om_pool_made(pool), BLOCKS);
    CHECK(om_pool_take(pool, 0) == b[1]);
    om_pool_give(pool, b[1]);
    om_pool_trim(pool); /* since then two: the one that is out, and the one on top */
    CHECK_EQ(om_pool_made(pool), 2);
    CHECK_EQ(om_pool_live(pool), 1);
    CHECK(om_pool_take(pool, 0) == b[1]);
    om_pool_give(pool, b[1]);
    b[1] = b[2] = NULL;
    OM_TRY(b[1] = om_pool_take(pool, 0));
    OM_TRY(b[2] = om_pool_take(pool, 0)); /* as many as ever */
    CHECK(om_pool_take(pool, 0) == NULL);
    for (unsigned i = 0; i < BLOCKS; i++) {
        om_pool_give(pool, b[i]);
        b[i] = NULL;
    }
    om_pool_trim(pool);
    om_pool_trim(pool);
    CHECK_EQ(om_pool_made(pool), 0);
out:
    for (unsigned i = 0; i < BLOCKS && pool; i++)
        om_pool_give(pool, b[i]);
    om_pool_free(pool);
}

/* How a child process ends that frees a pool, with a block given back or not. */
static int free_in_child(bool gives_back)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        struct om_pool *pool = om_pool_new(BLOCK, 1);
        struct om_buf *b = pool ? om_pool_take(pool, 0) : NULL;
        int null = open("/dev/null", O_WRONLY);

        if (!b || null < 0 || dup2(null, STDERR_FILENO) < 0)
            _exit(1);
        (void)signal(SIGABRT, SIG_DFL);
        if (gives_back)
            om_pool_give(pool, b);
        om_pool_free(pool);
        _exit(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

OM_TEST(pool_free_with_a_block_out_is_a_bug)
{
    int kept = free_in_child(false);
    int given = free_in_child(true);

    CHECK(WIFSIGNALED(kept) && WTERMSIG(kept) == SIGABRT);
    CHECK(WIFEXITED(given) && WEXITSTATUS(given) == 0);
}
