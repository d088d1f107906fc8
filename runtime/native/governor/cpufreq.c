#include "cpufreq.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int path_of(char *path, const char *folder, const char *name)
{
    return make_path(path, "%s/%s", folder, name);
}

static int64_t read_khz(const char *folder, const char *name)
{
    char path[PATH_SIZE];

    return path_of(path, folder, name) ? -1 : read_number(path);
}

static int write_khz(const char *folder, const char *name, int64_t khz)
{
    char path[PATH_SIZE];

    return path_of(path, folder, name) ? -1 : write_number(path, khz);
}

/* Both limits, in the order in which the kernel takes them: the lower may never pass the upper. */
static int write_range(const char *folder, int64_t min_khz, int64_t max_khz)
{
    const int64_t low_khz = read_khz(folder, "scaling_min_freq");

    if (low_khz < 0)
        return say("cannot read %s/scaling_min_freq", folder);
    if (max_khz >= low_khz)
        return write_khz(folder, "scaling_max_freq", max_khz) | write_khz(folder, "scaling_min_freq", min_khz);
    return write_khz(folder, "scaling_min_freq", min_khz) | write_khz(folder, "scaling_max_freq", max_khz);
}

static int write_governor(const char *folder, const char *governor)
{
    char path[PATH_SIZE];

    return path_of(path, folder, "scaling_governor") ? -1 : write_text(path, governor);
}

int find_clock(struct clock *clock, const char *root, const int *cpus, int cpu_count)
{
    char path[PATH_SIZE], governors[TEXT_SIZE];

    memset(clock, 0, sizeof *clock);
    for (int i = 0; i < cpu_count; i++) { /* a policy is named after one of its CPUs */
        if (make_path(clock->folder, "%s/sys/devices/system/cpu/cpufreq/policy%d", root, cpus[i]))
            return -1;
        if (path_of(path, clock->folder, "scaling_governor") || access(path, F_OK) != 0)
            continue;
        if (path_of(path, clock->folder, "scaling_available_governors"))
            return -1;
        read_text(path, governors, sizeof governors);
        clock->has_userspace = has_word(governors, "userspace");
        return 0;
    }
    return say("no clock for CPU %d below %s/sys/devices/system/cpu/cpufreq; is this the device of the table?",
               cpus[0], root);
}

int has_clock(const struct clock *clock, int64_t freq_khz)
{
    char path[PATH_SIZE], listed[TEXT_SIZE], word[24];

    if (path_of(path, clock->folder, "scaling_available_frequencies"))
        return 0;
    if (read_text(path, listed, sizeof listed) <= 0)
        return read_khz(clock->folder, "cpuinfo_min_freq") <= freq_khz &&
               freq_khz <= read_khz(clock->folder, "cpuinfo_max_freq");
    snprintf(word, sizeof word, "%" PRId64, freq_khz);
    return has_word(listed, word);
}

int read_clock(const char *folder, struct clock_state *state)
{
    char path[PATH_SIZE];

    memset(state, 0, sizeof *state); /* so that states compare with memcmp */
    state->min_khz = read_khz(folder, "scaling_min_freq");
    state->max_khz = read_khz(folder, "scaling_max_freq");
    state->setspeed_khz = -1;
    if (path_of(path, folder, "scaling_governor") ||
        read_text(path, state->governor, sizeof state->governor) <= 0 || state->min_khz < 0 || state->max_khz < 0)
        return say("cannot read %s; this driver does not let its clock be held", folder);
    memset(state->governor + strlen(state->governor), 0, sizeof state->governor - strlen(state->governor));
    if (strcmp(state->governor, "userspace") == 0)
        state->setspeed_khz = read_khz(folder, "scaling_setspeed");
    return 0;
}

int hold_clock(struct clock *clock, int64_t freq_khz)
{
    struct clock_state now;

    clock->held_khz = freq_khz;
    if (clock->has_userspace) {
        if (read_clock(clock->folder, &now))
            return -1;
        if (freq_khz < now.min_khz || freq_khz > now.max_khz)
            if (write_range(clock->folder, freq_khz < now.min_khz ? freq_khz : now.min_khz,
                            freq_khz > now.max_khz ? freq_khz : now.max_khz))
                return -1;
        if (write_governor(clock->folder, "userspace") || write_khz(clock->folder, "scaling_setspeed", freq_khz))
            return -1;
    } else if (write_range(clock->folder, freq_khz, freq_khz)) {
        return -1;
    }
    return is_held(clock) ? 0 : say("%s was set to %" PRId64 " kHz but does not keep it", clock->folder, freq_khz);
}

int is_held(const struct clock *clock)
{
    struct clock_state now;

    if (clock->held_khz == 0)
        return 1;
    if (read_clock(clock->folder, &now))
        return 0;
    if (clock->has_userspace)
        return now.setspeed_khz == clock->held_khz && now.max_khz >= clock->held_khz;
    return now.min_khz == clock->held_khz && now.max_khz == clock->held_khz;
}

int put_back(const char *folder, const struct clock_state *state)
{
    struct clock_state now;
    int failed = write_range(folder, state->min_khz, state->max_khz) | write_governor(folder, state->governor);

    if (state->setspeed_khz >= 0)
        failed |= write_khz(folder, "scaling_setspeed", state->setspeed_khz);
    if (failed || read_clock(folder, &now))
        return -1;
    if (memcmp(&now, state, sizeof now) != 0)
        return say("%s should be %s, %" PRId64 " to %" PRId64 " kHz again but reads %s, %" PRId64 " to %" PRId64,
                   folder, state->governor, state->min_khz, state->max_khz, now.governor, now.min_khz, now.max_khz);
    return 0;
}
