/* test_cli_password.c - what becomes of the first line of a file. */
#include "harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "password.h"

/* The password of a file with the @n bytes of @text, or NULL. */
static const char *password_of(const char *text, size_t n)
{
    static char out[OM_PASSWORD_MAX + 1];
    char path[] = "/tmp/om-password-XXXXXX";
    struct om_error err;
    int fd = mkstemp(path);

    CHECK(fd >= 0 && write(fd, text, n) == (ssize_t)n);
    (void)close(fd);
    memset(out, 'x', sizeof out);
    enum om_err e = om_password_read(out, path, &err);
    (void)unlink(path);
    if (e == OM_OK)
        return out;
    CHECK_EQ(e, OM_E_RANGE);
    for (size_t i = 0; i < sizeof out; i++)
        CHECK_EQ(out[i], 0);
    return NULL;
}

OM_TEST(password_is_the_first_line)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {{"secret", "secret"},           {"secret\n", "secret"}, {"secret\r\n", "secret"},
                 {"secret\nsecond\n", "secret"}, {" s e ", " s e "},     {"\r\r\n", "\r"},
                 {"p\xc3\xa4ss", "p\xc3\xa4ss"}};

    for (size_t i = 0; i < OM_ARRAY_SIZE(cases); i++) {
        const char *got = password_of(cases[i].text, strlen(cases[i].text));
        CHECK(got);
        CHECK_STR(got, cases[i].wanted);
    }
}

OM_TEST(password_of_a_wrong_size_is_refused)
{
    char text[2 * OM_PASSWORD_MAX], out[OM_PASSWORD_MAX + 1];
    struct om_error err;

    memset(text, 'a', sizeof text);
    CHECK(!password_of("", 0));
    CHECK(!password_of("\n", 1));
    CHECK(!password_of("\r\nsecond", 8));
    CHECK(!password_of("a\0b", 3));
    CHECK(!password_of(text, OM_PASSWORD_MAX + 1));
    CHECK(!password_of(text, sizeof text));
    const char *longest = password_of(text, OM_PASSWORD_MAX);
    CHECK(longest && strlen(longest) == OM_PASSWORD_MAX);
    text[OM_PASSWORD_MAX] = '\r';
    text[OM_PASSWORD_MAX + 1] = '\n';
    longest = password_of(text, OM_PASSWORD_MAX + 2);
    CHECK(longest && strlen(longest) == OM_PASSWORD_MAX);
    CHECK_EQ(om_password_read(out, "/nonexistent/password", &err), OM_E_MISSING);
}
