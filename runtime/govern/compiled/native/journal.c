#include "journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LEFT = 64 };

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* CRC-32 of zlib (RFC 1952), which Python names its locks by. */
static uint32_t crc32_of(const char *text)
{
    uint32_t crc = ~0u;

    for (; *text; text++) {
        crc ^= (unsigned char)*text;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static int make_folders(const char *folder)
{
    char path[PATH_SIZE];

    if (make_path(path, "%s", folder))
        return -1;
    for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return say("cannot make %s (%s); give another with --state", path, strerror(errno));
    return 0;
}

int open_journal(struct journal *journal, const char *folder)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int too_long;

    if (read_text("/proc/sys/kernel/random/boot_id", journal->boot_id, sizeof journal->boot_id) <= 0)
        strcpy(journal->boot_id, "unknown");
    if (folder)
        too_long = make_path(journal->folder, "%s", folder);
    else if (is_emulated()) /* its clocks go by the names of the host's */
        too_long = make_path(journal->folder, "/sys/devices/system/cpu/edgekit/journal");
    else if (state && *state)
        too_long = make_path(journal->folder, "%s/edgekit", state);
    else
        too_long = make_path(journal->folder, "%s/.local/state/edgekit", home ? home : "");
    return too_long ? -1 : make_folders(journal->folder);
}

int claim(const struct journal *journal, const char *clock_folder)
{
    char path[PATH_SIZE];
    int lock;

    if (make_path(path, "%s/%s-%08" PRIx32 ".lock", journal->folder, base_name(clock_folder), crc32_of(clock_folder)))
        return -1;
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644); /* the kernel lets go of it when this process ends */
    if (lock < 0)
        return say("cannot write %s (%s); give another folder with --state", path, strerror(errno));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0)
        return say("%s is held by another run; wait for it to end, or stop it", base_name(clock_folder));
    return 0;
}

static int name_entry(const struct journal *journal, const char *clock_folder, char *path)
{
    return make_path(path, "%s/%s-%ld.json", journal->folder, base_name(clock_folder), (long)getpid());
}

/* When this process started, in seconds since boot: field 22 of /proc/PID/stat (proc_pid_stat(5)). */
static double started_s(void)
{
    char text[TEXT_SIZE];
    const char *field;
    unsigned long long ticks = 0;

    if (read_text("/proc/self/stat", text, sizeof text) <= 0 || !(field = strrchr(text, ')')))
        return 0.0;
    for (int number = 2; number < 22 && field; number++)
        field = strchr(field + 1, ' ');
    if (!field || sscanf(field, "%llu", &ticks) != 1)
        return 0.0;
    return (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static int write_whole(const char *path, const char *text, const char *folder)
{
    char fresh[PATH_SIZE];
    int file, failed;

    if (make_path(fresh, "%s.new", path))
        return -1;
    file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return -1;
    failed = write(file, text, strlen(text)) != (ssize_t)strlen(text) || fsync(file) != 0;
    failed |= close(file) != 0;
    if (failed || rename(fresh, path) != 0) {
        unlink(fresh);
        return -1;
    }
    file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* a power cut must not lose the name */
    if (file >= 0) {
        fsync(file);
        close(file);
    }
    return 0;
}

int note_state(const struct journal *journal, const char *clock_folder, const struct clock_state *state)
{
    char path[PATH_SIZE], text[TEXT_SIZE], speed[24] = "null";

    if (name_entry(journal, clock_folder, path))
        return -1;
    if (state->setspeed_khz >= 0)
        snprintf(speed, sizeof speed, "%" PRId64, state->setspeed_khz);
    snprintf(text, sizeof text,
             "{\"state\":{\"type\":\"clock\",\"policy\":\"%s\",\"governor\":\"%s\",\"min_khz\":%" PRId64
             ",\"max_khz\":%" PRId64 ",\"setspeed_khz\":%s},\"pid\":%ld,\"pid_started\":%.17g,\"boot_id\":\"%s\","
             "\"device\":null}",
             clock_folder, state->governor, state->min_khz, state->max_khz, speed, (long)getpid(), started_s(),
             journal->boot_id);
    if (write_whole(path, text, journal->folder))
        return say("cannot note in %s how the clock was (%s); give another folder with --state", journal->folder,
                   strerror(errno));
    return 0;
}

void forget_state(const struct journal *journal, const char *clock_folder)
{
    char path[PATH_SIZE];

    if (name_entry(journal, clock_folder, path) == 0)
        unlink(path);
}

/* Copy the value of a key of one of our entries, without quotes; 0 where it is not as we write it. */
static int find_value(const char *text, const char *key, char *value, size_t size)
{
    char quoted[64];
    const char *begin, *end;

    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    begin = strstr(text, quoted);
    if (!begin)
        return 0;
    begin += strlen(quoted);
    end = *begin == '"' ? strchr(++begin, '"') : begin + strcspn(begin, ",}");
    if (!end || (size_t)(end - begin) >= size || memchr(begin, '\\', (size_t)(end - begin)))
        return 0;
    memcpy(value, begin, (size_t)(end - begin));
    value[end - begin] = '\0';
    return 1;
}

static int find_khz(const char *text, const char *key, int64_t *khz)
{
    char value[24], *end;

    if (!find_value(text, key, value, sizeof value))
        return 0;
    *khz = strtoll(value, &end, 10);
    if (strcmp(value, "null") == 0)
        *khz = -1;
    else if (*end || end == value || *khz < 0)
        return 0;
    return 1;
}

/* 1: a state of this clock and this boot; 0: of another one; -1 and said: it cannot be read. */
static int read_entry(const struct journal *journal, const char *path, const char *clock_folder,
                      struct clock_state *state)
{
    char text[TEXT_SIZE], value[PATH_SIZE];

    memset(state, 0, sizeof *state);
    if (read_text(path, text, sizeof text) < 0)
        return 0; /* its owner has just restored the state */
    if (!find_value(text, "device", value, sizeof value) || !find_value(text, "policy", value, sizeof value))
        return say("%s does not say what to restore; remove it, or reboot", path);
    if (strcmp(value, clock_folder) != 0 || !strstr(text, "\"device\":null"))
        return 0;
    if (!find_value(text, "boot_id", value, sizeof value) || strcmp(value, journal->boot_id) != 0)
        return 0;
    if (!find_value(text, "governor", state->governor, sizeof state->governor) ||
        !find_khz(text, "min_khz", &state->min_khz) || !find_khz(text, "max_khz", &state->max_khz) ||
        !find_khz(text, "setspeed_khz", &state->setspeed_khz) || state->min_khz < 0 || state->max_khz < 0)
        return say("%s does not say what to restore; remove it, or reboot", path);
    return 1;
}

struct left {
    char path[PATH_SIZE];
    struct timespec written;
};

static int newest_first(const void *one, const void *other)
{
    const struct timespec a = ((const struct left *)one)->written, b = ((const struct left *)other)->written;

    if (a.tv_sec != b.tv_sec)
        return a.tv_sec < b.tv_sec ? 1 : -1;
    return a.tv_nsec == b.tv_nsec ? 0 : a.tv_nsec < b.tv_nsec ? 1 : -1;
}

/* List the notes about clocks of that name. */
static int list_left(const struct journal *journal, const char *name, struct left *left)
{
    const size_t length = strlen(name);
    struct dirent *entry;
    struct stat about;
    DIR *folder = opendir(journal->folder);
    int count = 0;

    if (!folder)
        return say("cannot read %s (%s)", journal->folder, strerror(errno));
    while ((entry = readdir(folder)) != NULL && count < MOST_LEFT) {
        const size_t whole = strlen(entry->d_name);

        if (strncmp(entry->d_name, name, length) != 0 || entry->d_name[length] != '-' || whole < 5 ||
            strcmp(entry->d_name + whole - 5, ".json") != 0)
            continue;
        if (make_path(left[count].path, "%s/%s", journal->folder, entry->d_name) ||
            stat(left[count].path, &about) != 0)
            continue;
        left[count++].written = about.st_mtim;
    }
    closedir(folder);
    qsort(left, (size_t)count, sizeof *left, newest_first);
    return count;
}

int repair(const struct journal *journal, struct clock *clock)
{
    static struct left left[MOST_LEFT];
    struct clock_state state;
    const int count = list_left(journal, base_name(clock->folder), left);

    for (int i = 0; i < count; i++) { /* ends with the oldest: how the clock was before all of them */
        const int is_ours = read_entry(journal, left[i].path, clock->folder, &state);

        if (is_ours < 0 || (is_ours && restore_clock(clock, &state)))
            return -1;
        if (is_ours) {
            say("%s was left changed by a run that was killed; restored to %s, %" PRId64 " to %" PRId64 " kHz",
                base_name(clock->folder), state.governor, state.min_khz, state.max_khz);
            unlink(left[i].path);
        }
    }
    return count < 0 ? -1 : 0;
}
