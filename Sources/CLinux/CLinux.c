#include "CLinux.h"
#include <arpa/nameser.h>
#include <resolv.h>

int geo_dns_query(const char *name, int type, int seconds, unsigned char *answer, int size, int *reason) {
    struct __res_state state = { 0 };
    if (res_ninit(&state) != 0) {
        *reason = NO_RECOVERY;
        return -1;
    }
    state.retrans = seconds;
    state.retry = 1;
    int length = res_nquery(&state, name, ns_c_in, type, answer, size);
    *reason = length < 0 ? state.res_h_errno : 0;
    res_nclose(&state);
    return length;
}
