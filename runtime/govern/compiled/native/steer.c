#include "steer.h"

#include <inttypes.h>

#include "threads.h"

static int needs_clock(int cluster)
{
    for (int i = 0; i < TABLE_ROWS; i++)
        if (table_rows[i].cluster == cluster && table_rows[i].freq_khz)
            return 1;
    return 0;
}

/* Find the clock of a cluster, restore what others left of it, and note how it is. */
static int prepare(struct steer *steer, int cluster)
{
    struct clock *clock = &steer->clocks[cluster];

    if (find_clock(clock, steer->root, table_clusters[cluster].cpus, table_clusters[cluster].cpu_count))
        return -1;
    for (int i = 0; i < TABLE_ROWS; i++)
        if (table_rows[i].cluster == cluster && table_rows[i].freq_khz && !has_clock(clock, table_rows[i].freq_khz))
            return say("%s has no clock of %" PRId64 " kHz: the table is for another device; tune on this one",
                       clock->folder, table_rows[i].freq_khz);
    if (steer->is_dry)
        return 0;
    if (claim(&steer->journal, clock->folder) || repair(&steer->journal, clock) ||
        read_clock(clock, &steer->before[cluster]) ||
        note_state(&steer->journal, clock->folder, &steer->before[cluster]))
        return -1;
    steer->is_noted[cluster] = 1;
    return 0;
}

static int release(struct steer *steer, int cluster)
{
    steer->clocks[cluster].held_khz = 0;
    return steer->is_noted[cluster] ? restore_clock(&steer->clocks[cluster], &steer->before[cluster]) : 0;
}

/* Let the kernel choose clock and cores; what was noted stays noted. */
static void leave(struct steer *steer)
{
    if (steer->row < 0)
        return;
    if (steer->pid)
        free_threads(steer->pid);
    release(steer, table_rows[steer->row].cluster);
    steer->row = -1;
}

int end_steer(struct steer *steer)
{
    int failed = 0;

    leave(steer);
    for (int i = 0; i < TABLE_CLUSTERS; i++) {
        if (!steer->is_noted[i])
            continue;
        if (release(steer, i)) {
            failed = say("%s is not as it was; run: edgekit restore", steer->clocks[i].folder);
        } else {
            forget_state(&steer->journal, steer->clocks[i].folder);
            steer->is_noted[i] = 0;
        }
    }
    return failed;
}

static int apply(struct steer *steer, int row)
{
    const table_row *to = &table_rows[row];
    const int from = steer->row < 0 ? -1 : table_rows[steer->row].cluster;
    const int failed = to->freq_khz ? hold_clock(&steer->clocks[to->cluster], to->freq_khz)
                                    : release(steer, to->cluster);

    if (failed)
        return -1;
    steer->row = row;
    if (from == to->cluster)
        return 0;
    if (steer->pid && !steer->is_unmoved)
        steer->is_unmoved = move_threads(steer->pid, table_clusters[to->cluster].cpus,
                                         table_clusters[to->cluster].cpu_count) != 0;
    return from < 0 ? 0 : release(steer, from);
}

int begin_steer(struct steer *steer, int row)
{
    steer->row = -1;
    for (int i = 0; i < TABLE_CLUSTERS; i++)
        if (needs_clock(i) && prepare(steer, i))
            return -1;
    return steer->is_dry ? 0 : apply(steer, row);
}

void follow(struct steer *steer, int row)
{
    int failed;

    if (steer->is_dry || steer->lost > MOST_LOST)
        return;
    if (row < 0) {
        leave(steer);
        return;
    }
    if (steer->row == row && is_held(&steer->clocks[table_rows[row].cluster]))
        return;
    failed = steer->row == row;
    failed |= apply(steer, row) != 0;
    if (failed && ++steer->lost > MOST_LOST) {
        say("the clock was not kept %d times; it is left to the kernel from now on", steer->lost);
        end_steer(steer);
    }
}
