/* The clock of one cluster, through cpufreq (Documentation/admin-guide/pm/cpufreq.rst of Linux); kHz. */
#ifndef CPUFREQ_H
#define CPUFREQ_H

#include "files.h"

/* What must be written to restore a clock; setspeed_khz is -1 unless the governor is userspace. */
struct clock_state {
    char governor[64];
    int64_t min_khz, max_khz, setspeed_khz;
};

struct clock {
    char folder[PATH_SIZE]; /* .../cpufreq/policyN */
    struct kept_file governor, min_freq, max_freq, setspeed;
    int has_userspace;
    int64_t held_khz; /* 0: the kernel chooses */
};

/* Find the clock of some CPUs below root, without a slash at its end; -1 and said where there is none. */
int find_clock(struct clock *clock, const char *root, const int *cpus, int cpu_count);

/* Whether the driver lists that clock, or lists none at all and has it within its limits. */
int has_clock(const struct clock *clock, int64_t freq_khz);

int read_clock(struct clock *clock, struct clock_state *state);

/* Keep the clock at freq_khz and read back what was written; -1 and said where it is not taken. */
int hold_clock(struct clock *clock, int64_t freq_khz);

/* Whether what hold_clock wrote still stands. */
int is_held(struct clock *clock);

/* Restore a clock; goes on past a file that fails, and then returns -1. */
int restore_clock(struct clock *clock, const struct clock_state *state);

#endif
