/* The time of day of one process, as somebody sets it: seconds ahead in the file CLOCK_AHEAD, read at every look. Clocks
   that count from the machine's start are left alone, and timers, too. For LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*usual)(clockid_t, struct timespec *);
    if (!usual) usual = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int status = usual(id, now);
    const char *path = getenv("CLOCK_AHEAD");
    FILE *file = id == CLOCK_REALTIME && path ? fopen(path, "re") : NULL;
    if (file) {
        long ahead = 0;
        if (fscanf(file, "%ld", &ahead) == 1) now->tv_sec += ahead;
        fclose(file);
    }
    return status;
}
