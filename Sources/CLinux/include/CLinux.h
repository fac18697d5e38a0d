// Linux calls that the Glibc module does not import. Header only, but for the resolver, whose own header is full of macros.
#ifndef GEO_CLINUX_H
#define GEO_CLINUX_H
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

// epoll's event holds a union, which Swift counts as unsafe; a token is all that is needed.

// Watches a descriptor under a token; 0 or -1.
static inline int geo_epoll_add(int poll, int descriptor, uint32_t interest, uint64_t token) {
    struct epoll_event event = { .events = interest, .data = { .u64 = token } };
    return epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event);
}

static inline int geo_epoll_remove(int poll, int descriptor) {
    struct epoll_event event = { 0 };
    return epoll_ctl(poll, EPOLL_CTL_DEL, descriptor, &event);
}

typedef struct {
    uint64_t token;
    uint32_t events;
} geo_epoll_ready;

enum { GEO_EPOLL_AT_ONCE = 256 };

// Waits; fills at most GEO_EPOLL_AT_ONCE entries and gives their number, 0 also when a signal came.
static inline int geo_epoll_wait(int poll, geo_epoll_ready *ready, int milliseconds) {
    struct epoll_event events[GEO_EPOLL_AT_ONCE];
    int count = epoll_wait(poll, events, GEO_EPOLL_AT_ONCE, milliseconds);
    for (int i = 0; i < count; i++) {
        ready[i].token = events[i].data.u64;
        ready[i].events = events[i].events;
    }
    return count < 0 ? 0 : count;
}

// Asks DNS for one type of records of a name, by the system's settings (/etc/resolv.conf), each server once for so many
// seconds. The length of the answer, which may be larger than the buffer; or -1 with one of <netdb.h>'s h_errno values.
int geo_dns_query(const char *name, int type, int seconds, unsigned char *answer, int size, int *reason);

static inline void geo_name_thread(const char *name) { prctl(PR_SET_NAME, name); }
#endif
