/* test_ssdp.c - answers to a search, honest ones and others. */
#include "harness.h"

#include <stdio.h>

#include "host/ssdp.h"

#define HOST "192.168.1.1"
#define OK   "HTTP/1.1 200 OK\r\n"
#define ST   "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
#define AT   "LOCATION: http://192.168.1.1:5000/rootDesc.xml\r\n"

static bool read(const char *text, char url[static SSDP_URL])
{
    memset(url, 'x', SSDP_URL);
    return ssdp_read(om_bytes(text, strlen(text)), HOST, url);
}

OM_TEST(ssdp_reads_an_answer)
{
    char url[SSDP_URL];

    CHECK(read(OK "CACHE-CONTROL: max-age=120\r\n" ST "USN: uuid:x\r\nEXT:\r\n" AT "\r\n", url));
    CHECK_STR(url, "http://192.168.1.1:5000/rootDesc.xml");
    CHECK(read("HTTP/1.1 200 OK\nlocation:\thttp://192.168.1.1/d\n"
               "st: urn:schemas-upnp-org:device:InternetGatewayDevice:2\n",
               url));
    CHECK_STR(url, "http://192.168.1.1/d");
}

OM_TEST(ssdp_refuses_other_hosts_and_schemes)
{
    static const char *const others[] = {
        "http://192.168.1.10:5000/x",    "http://192.168.1.2/x", "https://192.168.1.1/x",
        "http://192.168.1.1@evil/x",     "http://192.168.1.1",   "http://[::1]/x",
        "http://127.0.0.1/192.168.1.1/", "ftp://192.168.1.1/",   ""};
    char text[400], url[SSDP_URL];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(others); i++) {
        (void)snprintf(text, sizeof text, OK ST "LOCATION: %s\r\n\r\n", others[i]);
        CHECK(!read(text, url));
        CHECK(url[0] == 'x'); /* untouched */
    }
    CHECK(read(OK ST AT "\r\n", url)); /* control */
}

OM_TEST(ssdp_refuses_what_is_no_answer)
{
    static const char *const others[] = {"",
                                         "\r\n",
                                         "NOTIFY * HTTP/1.1\r\n" ST AT "\r\n",
                                         "HTTP/1.1 404 Not Found\r\n" ST AT "\r\n",
                                         OK ST "\r\n" AT,
                                         OK AT "ST: upnp:rootdevice\r\n\r\n",
                                         OK ST "LOCATION: http://192.168.1.1/a b\r\n\r\n"};
    char text[600], url[SSDP_URL];

    for (unsigned i = 0; i < OM_ARRAY_SIZE(others); i++)
        CHECK(!read(others[i], url));
    /* A URL that does not fit. */
    int n = snprintf(text, sizeof text, OK ST "LOCATION: http://" HOST "/");
    memset(text + n, 'a', SSDP_URL);
    memcpy(text + n + SSDP_URL, "\r\n\r\n", 5);
    CHECK(!read(text, url));
    /* Cut anywhere, it is read or not, and nothing else happens. */
    const char *whole = OK ST AT "\r\n";
    unsigned good = 0;
    for (size_t i = 0; i <= strlen(whole); i++)
        good += ssdp_read(om_bytes(whole, i), HOST, url);
    CHECK_EQ(good, 3); /* with the line of the URL whole */
}

OM_TEST(ssdp_url_is_at_its_host)
{
    CHECK(ssdp_is_at("http://10.0.0.1:1/", "10.0.0.1"));
    CHECK(ssdp_is_at("HTTP://10.0.0.1/x", "10.0.0.1"));
    CHECK(!ssdp_is_at("http://10.0.0.11/x", "10.0.0.1"));
    CHECK(!ssdp_is_at("http://", "10.0.0.1"));
    CHECK(!ssdp_is_at("", "10.0.0.1"));
}
