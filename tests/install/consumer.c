/* consumer.c - a program as a user of the installed library would write it. */
#include <stdio.h>
#include <string.h>

#include <omerta/err.h>

int main(void)
{
    const char *text = om_err_text(OM_E_NO_ROUTE);

    if (strcmp(text, "no path to peer") != 0) {
        fprintf(stderr, "consumer: om_err_text() says \"%s\"\n", text);
        return 1;
    }
    puts(text);
    return 0;
}
