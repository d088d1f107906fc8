#include "cpufreq.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Write a number unless the file holds it, so that undoing nothing needs no privilege. */
static int write_khz(struct kept_file *file, int64_t khz)
{
    char text[24];

    if (read_kept_number(file) == khz)
        return 0;
    snprintf(text, sizeof text, "%" PRId64, khz);
    return write_kept(file, text);
}

static int runs(struct clock *clock, const char *governor)
{
    char now[64];

    return read_kept(&clock->governor, now, sizeof now) > 0 && strcmp(now, governor) == 0;
}

static int write_governor(struct clock *clock, const char *governor)
{
    return runs(clock, governor) ? 0 : write_kept(&clock->governor, governor);
}

/* Both limits, in the order in which the kernel takes them: the lower may never pass the upper. */
static int write_range(struct clock *clock, int64_t min_khz, int64_t max_khz)
{
    const int64_t low_khz = read_kept_number(&clock->min_freq);

    if (low_khz < 0)
        return say("cannot read %s", clock->min_freq.path);
    if (max_khz >= low_khz)
        return write_khz(&clock->max_freq, max_khz) | write_khz(&clock->min_freq, min_khz);
    return write_khz(&clock->min_freq, min_khz) | write_khz(&clock->max_freq, max_khz);
}

static int open_clock(struct clock *clock)
{
    char path[PATH_SIZE], governors[TEXT_SIZE];

    if (keep_file(&clock->governor, clock->folder, "scaling_governor") ||
        keep_file(&clock->min_freq, clock->folder, "scaling_min_freq") ||
        keep_file(&clock->max_freq, clock->folder, "scaling_max_freq") ||
        keep_file(&clock->setspeed, clock->folder, "scaling_setspeed") ||
        make_path(path, "%s/scaling_available_governors", clock->folder))
        return -1;
    read_text(path, governors, sizeof governors);
    clock->has_userspace = has_word(governors, "userspace");
    return 0;
}

int find_clock(struct clock *clock, const char *root, const int *cpus, int cpu_count)
{
    memset(clock, 0, sizeof *clock);
    for (int i = 0; i < cpu_count; i++) { /* a policy is named after one of its CPUs */
        if (make_path(clock->folder, "%s/sys/devices/system/cpu/cpufreq/policy%d", root, cpus[i]))
            return -1;
        if (open_clock(clock))
            return -1;
        if (access(clock->governor.path, F_OK) == 0)
            return 0;
    }
    return say("no clock for CPU %d below %s/sys/devices/system/cpu/cpufreq; is this the device of the table?",
               cpus[0], root);
}

static int64_t read_limit(const struct clock *clock, const char *name)
{
    char path[PATH_SIZE];

    return make_path(path, "%s/%s", clock->folder, name) ? -1 : read_number(path);
}

int has_clock(const struct clock *clock, int64_t freq_khz)
{
    char path[PATH_SIZE], listed[TEXT_SIZE], word[24];

    if (make_path(path, "%s/scaling_available_frequencies", clock->folder))
        return 0;
    if (read_text(path, listed, sizeof listed) <= 0)
        return read_limit(clock, "cpuinfo_min_freq") <= freq_khz && freq_khz <= read_limit(clock, "cpuinfo_max_freq");
    snprintf(word, sizeof word, "%" PRId64, freq_khz);
    return has_word(listed, word);
}

int read_clock(struct clock *clock, struct clock_state *state)
{
    memset(state, 0, sizeof *state);
    state->min_khz = read_kept_number(&clock->min_freq);
    state->max_khz = read_kept_number(&clock->max_freq);
    state->setspeed_khz = -1;
    if (read_kept(&clock->governor, state->governor, sizeof state->governor) <= 0 || state->min_khz < 0 ||
        state->max_khz < 0)
        return say("cannot read %s; this driver does not let its clock be held", clock->folder);
    if (strcmp(state->governor, "userspace") == 0)
        state->setspeed_khz = read_kept_number(&clock->setspeed);
    return 0;
}

int hold_clock(struct clock *clock, int64_t freq_khz)
{
    clock->held_khz = freq_khz;
    if (clock->has_userspace) {
        const int64_t min_khz = read_kept_number(&clock->min_freq), max_khz = read_kept_number(&clock->max_freq);

        if ((freq_khz < min_khz || freq_khz > max_khz) &&
            write_range(clock, freq_khz < min_khz ? freq_khz : min_khz, freq_khz > max_khz ? freq_khz : max_khz))
            return -1;
        if (write_governor(clock, "userspace") || write_khz(&clock->setspeed, freq_khz))
            return -1;
    } else if (write_range(clock, freq_khz, freq_khz)) {
        return -1;
    }
    return is_held(clock) ? 0 : say("%s was set to %" PRId64 " kHz but does not keep it", clock->folder, freq_khz);
}

int is_held(struct clock *clock)
{
    if (clock->held_khz == 0)
        return 1;
    if (clock->has_userspace)
        return runs(clock, "userspace") && read_kept_number(&clock->setspeed) == clock->held_khz;
    return read_kept_number(&clock->min_freq) == clock->held_khz &&
           read_kept_number(&clock->max_freq) == clock->held_khz;
}

int restore_clock(struct clock *clock, const struct clock_state *state)
{
    struct clock_state now;
    int failed = write_range(clock, state->min_khz, state->max_khz) | write_governor(clock, state->governor);

    if (state->setspeed_khz >= 0)
        failed |= write_khz(&clock->setspeed, state->setspeed_khz);
    if (failed || read_clock(clock, &now))
        return -1;
    if (strcmp(now.governor, state->governor) != 0 || now.min_khz != state->min_khz ||
        now.max_khz != state->max_khz || now.setspeed_khz != state->setspeed_khz)
        return say("%s should be %s, %" PRId64 " to %" PRId64 " kHz again but reads %s, %" PRId64 " to %" PRId64,
                   clock->folder, state->governor, state->min_khz, state->max_khz, now.governor, now.min_khz,
                   now.max_khz);
    return 0;
}
