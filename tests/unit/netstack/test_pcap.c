/* test_pcap.c - files that tcpdump reads */
#include "harness.h"

#include <omerta/pcap.h>

OM_TEST(pcap_is_laid_out_as_documented)
{
    static const uint8_t head[] = {0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0,
                                   0,    0,    0,    0,    0, 4, 0, 0, 0, 0, 0, 101};
    static const uint8_t record[] = {0x65, 0x53, 0xf1, 0, 0, 0, 0,   7,   0,  0,
                                     0,    3,    0,    0, 0, 3, 'a', 'b', 'c'};
    uint8_t out[64];

    CHECK_EQ(om_pcap_head(om_mut(out, sizeof out), OM_PCAP_RAW), OM_PCAP_HEAD);
    CHECK_MEM(out, head, sizeof head);
    CHECK_EQ(om_pcap_packet(om_mut(out, sizeof out), 1700000000000007, om_bytes("abc", 3)),
             sizeof record);
    CHECK_MEM(out, record, sizeof record);
}

OM_TEST(pcap_refuses_what_does_not_fit)
{
    static const uint8_t big[OM_PCAP_SNAP + 1];
    static uint8_t room[sizeof big + OM_PCAP_RECORD];

    CHECK_EQ(om_pcap_head(om_mut(room, OM_PCAP_HEAD - 1), OM_PCAP_RAW), 0);
    CHECK_EQ(om_pcap_packet(om_mut(room, OM_PCAP_RECORD + 2), 0, om_bytes("abc", 3)), 0);
    CHECK_EQ(om_pcap_packet(om_mut(room, sizeof room), 0, om_bytes(big, sizeof big)), 0);
    CHECK_EQ(om_pcap_packet(om_mut(room, sizeof room), 0, om_bytes(big, sizeof big - 1)),
             sizeof room - 1);
}
