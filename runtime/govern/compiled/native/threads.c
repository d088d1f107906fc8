#include "threads.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

enum { MOST_THREADS = 4096, MOST_PASSES = 5 };

static struct {
    pid_t thread;
    cpu_set_t set;
} moved[MOST_THREADS];
static int moved_count;
static cpu_set_t before;
static int is_known;

/* Move a thread, and note where it could run; 1 where that is something new, -1 and errno where it cannot be. */
static int move_one(pid_t thread, const cpu_set_t *set)
{
    cpu_set_t now;

    if (sched_getaffinity(thread, sizeof now, &now) != 0 || CPU_EQUAL(&now, set))
        return 0; /* it has ended, or is there */
    if (sched_setaffinity(thread, sizeof *set, set) != 0)
        return errno == ESRCH ? 0 : -1;
    if (moved_count < MOST_THREADS) {
        moved[moved_count].thread = thread;
        moved[moved_count++].set = now;
    }
    return 1;
}

/* Move every thread, again until none was started meanwhile: all, or none. */
static int move_all(long pid, const cpu_set_t *set)
{
    char path[PATH_SIZE];
    struct dirent *entry;
    int is_new = 1;

    if (make_path(path, "/proc/%ld/task", pid))
        return -1;
    moved_count = 0;
    for (int pass = 0; is_new && pass < MOST_PASSES; pass++) {
        DIR *folder = opendir(path);

        if (!folder)
            return say("process %ld is gone", pid);
        is_new = 0;
        while ((entry = readdir(folder)) != NULL) {
            const int thread = atoi(entry->d_name);
            const int done = thread > 0 ? move_one(thread, set) : 0;

            if (done < 0) {
                say("cannot move thread %d (%s), so none is; run as its user or root, outside a narrower cpuset",
                    thread, strerror(errno));
                closedir(folder);
                while (moved_count-- > 0)
                    sched_setaffinity(moved[moved_count].thread, sizeof before, &moved[moved_count].set);
                return -1;
            }
            is_new |= done;
        }
        closedir(folder);
    }
    return 0;
}

int move_threads(long pid, const int *cpus, int cpu_count)
{
    cpu_set_t set;

    if (is_emulated())
        return say("threads cannot be moved from here on an emulated machine; let them pin themselves");
    CPU_ZERO(&set);
    for (int i = 0; i < cpu_count; i++)
        if (cpus[i] < CPU_SETSIZE)
            CPU_SET(cpus[i], &set);
    if (!is_known)
        is_known = sched_getaffinity((pid_t)pid, sizeof before, &before) == 0;
    return move_all(pid, &set);
}

void free_threads(long pid)
{
    if (is_known)
        move_all(pid, &before);
}
