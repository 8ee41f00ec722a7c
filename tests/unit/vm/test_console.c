/* test_console.c - what a guest wrote is kept, found, and harmless. */
#include "harness.h"

#include <omerta/prng.h>

#include "vm/host/console.h"

static struct om_vm_console console;

static void fresh(void)
{
    memset(&console, 0, sizeof console);
}

OM_TEST(console_keeps_the_last)
{
    static char all[OM_VM_CONSOLE_BYTES + 1000], out[OM_VM_CONSOLE_BYTES];
    uint64_t place = 0, missed = 0;

    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)(i * 31 + i / 997);
    fresh();
    om_vm_console_add(&console, all, sizeof all);
    CHECK_EQ(om_vm_console_read(&console, &place, out, sizeof out, &missed), sizeof out);
    CHECK_EQ(missed, 1000);
    CHECK_MEM(out, all + 1000, sizeof out);
    CHECK_EQ(om_vm_console_read(&console, &place, out, sizeof out, &missed), 0);
    CHECK_EQ(missed, 0);
    place = om_vm_console_tail(&console, 5);
    CHECK_EQ(om_vm_console_read(&console, &place, out, sizeof out, NULL), 5);
    CHECK_MEM(out, all + sizeof all - 5, 5);
}

OM_TEST(console_reader_learns_what_it_missed)
{
    char out[8];
    uint64_t place = 0, missed = 9, future = 1000;

    fresh();
    om_vm_console_add(&console, "hello world", 11);
    CHECK_EQ(om_vm_console_read(&console, &place, out, 5, &missed), 5);
    CHECK_EQ(missed, 0);
    for (int i = 0; i < OM_VM_CONSOLE_BYTES; i++)
        om_vm_console_add(&console, "x", 1);
    CHECK_EQ(om_vm_console_read(&console, &place, out, 5, &missed), 5);
    CHECK_EQ(missed, 6);
    CHECK_EQ(om_vm_console_read(&console, &future, out, 5, &missed), 5);
    fresh();
    future = 1000; /* a place of another machine's life is no way out */
    CHECK_EQ(om_vm_console_read(&console, &future, out, 5, &missed), 0);
    CHECK_EQ(future, 0);
}

static const char *show(const char *in, size_t n)
{
    static char out[256];

    size_t used = om_vm_console_show(out, sizeof out, in, n);
    CHECK_EQ(used, strlen(out));
    return out;
}

OM_TEST(console_shows_no_control)
{
    char all[256], out[4 * 256 + 1];

    CHECK_STR(show("plain\ttext\n", 11), "plain\ttext\n");
    CHECK_STR(show("a\r\nb\r\r\n", 7), "a\nb\n");
    CHECK_STR(show("\x1b[31mred\x1b[0m \x1b[2J\x1b[Hhome\x1b(B", 27), "red home");
    CHECK_STR(show("\x1b]0;title\x07", 10), "0;title\\x07");
    CHECK_STR(show("cut \x1b[31", 8), "cut \\x1b[31");
    CHECK_STR(show("\xe2\x80\xae\0", 4), "\\xe2\\x80\\xae\\x00");
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    size_t n = om_vm_console_show(out, sizeof out, all, sizeof all);
    for (size_t i = 0; i < n; i++)
        CHECK((out[i] >= ' ' && out[i] <= '~') || out[i] == '\n' || out[i] == '\t');
    CHECK_EQ(om_vm_console_show(out, 6, "ab\x01zz", 5), 2); /* no half of an escape */
    CHECK_STR(out, "ab");
    CHECK_EQ(om_vm_console_show(out, 1, "ab", 2), 0);
}

OM_TEST(console_model_agrees_with_a_plain_string)
{
    static char plain[600000], out[70000];
    struct om_prng dice;
    size_t have = 0;
    uint64_t place = 0;

    om_prng_seed(&dice, 6);
    fresh();
    for (int round = 0; round < 300; round++) {
        size_t n = om_prng_below(&dice, 2000);
        for (size_t i = 0; i < n; i++)
            plain[have + i] = (char)om_prng_below(&dice, 256);
        om_vm_console_add(&console, plain + have, n);
        have += n;
        size_t most = om_prng_below(&dice, 3000);
        uint64_t missed = 0, before = place;
        size_t got = om_vm_console_read(&console, &place, out, most, &missed);
        uint64_t from = before + missed;
        CHECK_EQ(from, have > OM_VM_CONSOLE_BYTES && before < have - OM_VM_CONSOLE_BYTES
                           ? have - OM_VM_CONSOLE_BYTES
                           : before);
        CHECK_EQ(got, most < have - from ? most : have - from);
        CHECK_MEM(out, plain + from, got);
        CHECK_EQ(place, from + got);
    }
}
