#include <time.h>

#include "starter.h"

static double read_clock(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec * 1000 + (double)time.tv_nsec / 1e6;
}

// CLOCK_MONOTONIC, which is the same in all processes of a boot.
double now_ms(void) { return read_clock(CLOCK_MONOTONIC); }

// As now_ms, but includes the time while the host was suspended.
double since_boot_ms(void) { return read_clock(CLOCK_BOOTTIME); }
