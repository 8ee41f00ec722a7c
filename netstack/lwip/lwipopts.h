/*
 * lwipopts.h - what of lwIP we build, and with which sizes
 *
 * What:  the options lwIP's own headers ask for; whatever is not here keeps lwIP's default.
 * Why:   Debian's packaged library has 64 KiB windows and a thread of its own. Ours is driven:
 *        packets and the time come in, packets go out, nothing else happens.
 * Keeps: lwip_moves_bytes_both_ways_v4; lwip_moves_bytes_both_ways_v6.
 *
 * lwIP is global state: one stack in a process, with many network interfaces.
 *
 * Source: lwIP 2.1.3, src/include/lwip/opt.h; RFC 7323 section 2 (window scale).
 */
#ifndef OM_LWIPOPTS_H
#define OM_LWIPOPTS_H

/* The driver's loop is the only caller: no threads, no locks, no blocking calls. */
#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0
#define LWIP_TIMERS          0 /* its list of timeouts allocates, and asserts when it cannot */

/*
 * libc's allocator: sanitizers see each block, and memory that is not used is not held. The pools'
 * counts (MEMP_NUM_*) then bound nothing: whoever opens a connection counts it first.
 */
#define MEM_LIBC_MALLOC   1
#define MEMP_MEM_MALLOC   1
#define MEM_ALIGNMENT     16 /* what malloc gives */
#define PBUF_POOL_BUFSIZE 2048

#define LWIP_IPV4     1
#define LWIP_IPV6     1
#define LWIP_TCP      1
#define LWIP_UDP      1
#define LWIP_ICMP     1
#define LWIP_ICMP6    1
#define LWIP_RAW      1
#define LWIP_ARP      1 /* a VM's port is Ethernet */
#define LWIP_ETHERNET 1
#define LWIP_IPV6_MLD 0 /* nobody routes multicast to us; so solicited-node is accepted unjoined */
#define LWIP_DHCP     0 /* a VM port's own servers are ours, in netstack/dhcp */
#define LWIP_AUTOIP   0
#define LWIP_DNS      0
#define LWIP_IGMP     0

/* The stack never routes between interfaces: that would join two VMs. */
#define IP_FORWARD        0
#define LWIP_IPV6_FORWARD 0

/* Addresses are given, never asked for: no solicitations, and no second of waiting for a twin. */
#define LWIP_IPV6_AUTOCONFIG          0
#define LWIP_IPV6_DHCP6               0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0

/*
 * One machine or a few behind each of 64 Ethernet ports; 127 is what an index of 8 bits takes. One
 * packet waits for an answer, not a queue of them; and a guest's router advertisement may not
 * change the MTU that its port was given.
 */
#define ARP_TABLE_SIZE            127
#define LWIP_ND6_NUM_NEIGHBORS    127
#define LWIP_ND6_NUM_DESTINATIONS 127
#define LWIP_ND6_QUEUEING         0
#define LWIP_ND6_ALLOW_RA_UPDATES 0

/* Half-received datagrams: 45 fragments of 1480 bytes make one of 64 KiB; a few at once. */
#define IP_REASS_MAX_PBUFS   128
#define IPV6_FRAG_COPYHEADER 1 /* with 8-byte pointers lwIP's note does not fit into the header */

/*
 * TCP for links of memory speed: measured best near 1 MiB (28 Gb/s at MSS 1360; 8 MiB falls to
 * 15, for the caches and the walk of the send queue). A smaller MTU lowers the MSS by itself.
 * Read pcb->snd_buf, not tcp_sndbuf(): that one cuts to 16 bits.
 */
#define TCP_MSS             8960 /* MTU 9000 */
#define LWIP_WND_SCALE      1
#define TCP_RCV_SCALE       5 /* 1 MiB >> 5 fits the header's 16 bits; >> 4 does not */
#define TCP_WND             (1024 * 1024)
#define TCP_SND_BUF         (1024 * 1024)
#define TCP_SND_QUEUELEN    4096              /* pbufs: 1 MiB in segments of 536, twice over */
#define TCP_SNDLOWAT        (2 * TCP_MSS + 1) /* only the socket API reads it; must fit 16 bits */
#define TCP_SNDQUEUELOWAT   (TCP_SND_QUEUELEN / 2)
#define TCP_LISTEN_BACKLOG  0 /* whoever accepts counts */
#define LWIP_TCP_SACK_OUT   1
#define TCP_QUEUE_OOSEQ     1
#define TCP_OOSEQ_MAX_BYTES TCP_WND /* lwIP's default has no bound */
#define TCP_OOSEQ_MAX_PBUFS 2048

/*
 * The other end is near and nothing old comes back: delayed answers of 50 ms instead of 250 (a
 * kernel with Nagle waits for them), a least RTO of 300 ms instead of 1.5 s, and TIME-WAIT lasts
 * 4 s instead of 2 minutes.
 */
#define TCP_TMR_INTERVAL 50
#define TCP_MSL          2000

/* Tells when a connection is gone for good, whoever ended it. */
#define LWIP_TCP_PCB_NUM_EXT_ARGS 1

/* lwIP's own first sequence numbers can be guessed. */
#define LWIP_HOOK_TCP_ISN(to, to_port, from, from_port) om_lwip_rand()

/* Inside the tunnel the AEAD has checked every byte: such an interface turns them off. */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1

#define LWIP_STATS 0

#endif
