/* test_err.c - codes and sentences. */
#include "harness.h"

#include <stdio.h>

OM_TEST(om_error_fits_its_buffer)
{
    struct om_error e;
    char longer[2 * OM_ERROR_MSG_MAX];

    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    CHECK_ERR(om_fail(&e, OM_E_RANGE, "%s", longer), OM_E_RANGE);
    CHECK_EQ(strlen(e.msg), OM_ERROR_MSG_MAX - 1);
    CHECK_ERR(om_fail(NULL, OM_E_FULL, "no out"), OM_E_FULL);
}

OM_TEST(om_error_names_every_code)
{
    for (unsigned c = 0; c < OM_ERR_COUNT; c++) {
        CHECK(strncmp(om_err_name((enum om_err)c), "OM_", 3) == 0);
        CHECK(om_err_text((enum om_err)c)[0] != '\0');
    }
    CHECK_STR(om_err_name((enum om_err)OM_ERR_COUNT), "OM_E_UNKNOWN");
    CHECK_STR(om_err_text((enum om_err)-1), "unknown error");
}
