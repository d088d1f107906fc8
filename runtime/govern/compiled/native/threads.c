#include "threads.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

static cpu_set_t before;
static int is_known;

static int move_all(long pid, const cpu_set_t *set)
{
    char path[PATH_SIZE];
    struct dirent *entry;
    DIR *folder;

    if (make_path(path, "/proc/%ld/task", pid))
        return -1;
    folder = opendir(path);
    if (!folder)
        return say("process %ld is gone", pid);
    while ((entry = readdir(folder)) != NULL) {
        const int thread = atoi(entry->d_name);

        if (thread > 0 && sched_setaffinity(thread, sizeof *set, set) != 0 && errno != ESRCH) {
            say("cannot move thread %d (%s); run as its user or root, outside a narrower cpuset", thread,
                strerror(errno));
            closedir(folder);
            return -1;
        }
    }
    closedir(folder);
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
