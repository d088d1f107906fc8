#include "slowdown.h"

#include <math.h>
#include <string.h>

void begin_slowdown(struct slowdown *slowdown)
{
    memset(slowdown, 0, sizeof *slowdown);
    for (int i = 0; i < TABLE_CLUSTERS; i++)
        slowdown->of_cluster[i] = 1.0;
    slowdown->spread = SLOW_FIRST_SPREAD;
    slowdown->reach = SLOW_FIRST_REACH;
    slowdown->home = -1;
    slowdown->jump = 1.0;
    slowdown->cap = INFINITY;
}

double upper_of(const struct slowdown *slowdown)
{
    const double most = SLOW_MOST - 1.0;
    double room = slowdown->reach * slowdown->spread;

    room = room < slowdown->cap ? room : slowdown->cap;
    return 1.0 + (room < most ? room : most);
}

static double median_low(const struct slowdown *slowdown)
{
    double sorted[SLOW_RECENT];

    for (int i = 0, at; i < slowdown->recent_count; i++) {
        for (at = i; at > 0 && sorted[at - 1] > slowdown->recent[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = slowdown->recent[i];
    }
    return sorted[(slowdown->recent_count - 1) / 2];
}

/* Whether the last frames show a level of their own: two above, three below, and at first any three. */
static int is_other_level(const struct slowdown *slowdown, double tolerance)
{
    const double *recent = slowdown->recent;
    const int count = slowdown->recent_count;
    int below = 0;

    if (count >= 2 && recent[count - 1] > 1.0 + tolerance && recent[count - 2] > 1.0 + tolerance)
        return 1;
    for (int i = 0; i < count; i++)
        below += recent[i] < 1.0 - tolerance;
    return count == SLOW_RECENT && (!slowdown->is_known || below == SLOW_RECENT);
}

/* Correct the clusters of a frame, and the others where it speaks for the whole device. */
static void scale(struct slowdown *slowdown, const struct part *parts, int count, double factor, int is_common)
{
    for (int cluster = 0; cluster < TABLE_CLUSTERS; cluster++) {
        int is_own = is_common;
        double after = slowdown->of_cluster[cluster] * factor;

        for (int i = 0; i < count; i++)
            is_own |= table_rows[parts[i].row].cluster == cluster;
        if (!is_own)
            continue;
        after = after > SLOW_LOW ? after : SLOW_LOW;
        slowdown->of_cluster[cluster] = after < SLOW_HIGH ? after : SLOW_HIGH;
    }
}

/* Start anew from what the last frames took, in what was expected. */
static void change_level(struct slowdown *slowdown, const struct part *parts, int count, double level,
                         double tolerance)
{
    const int is_settled = slowdown->seen[slowdown->home] >= SLOW_SETTLED;
    const int is_undone = fabs(level * slowdown->jump - 1.0) <= tolerance;

    scale(slowdown, parts, count, level, is_settled || is_undone || !slowdown->is_known);
    slowdown->jump = is_settled ? level : 1.0;
    slowdown->seen[slowdown->home] = slowdown->recent_count;
    slowdown->recent_count = 0;
    slowdown->is_known = 1;
}

static void note_recent(struct slowdown *slowdown, double ratio)
{
    if (slowdown->recent_count == SLOW_RECENT) {
        memmove(slowdown->recent, slowdown->recent + 1, sizeof slowdown->recent - sizeof *slowdown->recent);
        slowdown->recent_count--;
    }
    slowdown->recent[slowdown->recent_count++] = ratio;
}

static double weight_of(int frames)
{
    return 1.0 / (frames < SLOW_MEMORY ? frames : SLOW_MEMORY);
}

/* Note how far a frame was off the typical one, and cap the bound by what the last frames were. */
static void note_room(struct slowdown *slowdown, double room)
{
    double most = 0.0;

    slowdown->rooms[slowdown->next_room] = room;
    slowdown->next_room = (slowdown->next_room + 1) % SLOW_WINDOW;
    slowdown->room_count += slowdown->room_count < SLOW_WINDOW;
    if (slowdown->room_count < SLOW_WINDOW)
        return;
    for (int i = 0; i < SLOW_WINDOW; i++)
        most = slowdown->rooms[i] > most ? slowdown->rooms[i] : most;
    slowdown->cap = SLOW_ROOM * most > SLOW_LEAST_ROOM ? SLOW_ROOM * most : SLOW_LEAST_ROOM;
}

static void adapt_reach(struct slowdown *slowdown, double ratio, int is_missed, double most)
{
    const double widest = SLOW_MOST - 1.0, off = fabs(ratio - 1.0);
    double room = slowdown->reach * slowdown->spread;

    room = room < widest ? room : widest;
    if ((1.0 + room < ratio && ratio <= most) || is_missed) {
        /* By how much a bound was too narrow for a frame that began late does not show: two steps. */
        const double once = slowdown->reach * SLOW_GROW, grown = is_missed ? once * SLOW_GROW : once;

        slowdown->reach = grown < widest / slowdown->spread ? grown : widest / slowdown->spread;
    } else {
        const double shrunk = slowdown->reach * SLOW_SHRINK;

        slowdown->reach = shrunk > SLOW_LEAST_REACH ? shrunk : SLOW_LEAST_REACH;
    }
    /* A frame that was late for another reason than its length needed what it has widened the bound to. */
    room = is_missed ? slowdown->reach * slowdown->spread : 0.0;
    note_room(slowdown, off > room ? off : room);
}

void learn(struct slowdown *slowdown, const struct part *parts, int count, int is_missed, double most)
{
    const int home = table_rows[parts[0].row].cluster;
    double ratio = 0.0, tolerance, error, spread;

    for (int i = 0; i < count; i++) {
        const table_row *row = &table_rows[parts[i].row];

        ratio += parts[i].ms / row->latency_ms / slowdown->of_cluster[row->cluster];
    }
    if (home != slowdown->home) {
        slowdown->home = home;
        slowdown->recent_count = 0;
        if (slowdown->seen[home] > SLOW_RECENT - 1)
            slowdown->seen[home] = SLOW_RECENT - 1;
    }
    note_recent(slowdown, ratio);
    tolerance = SLOW_CLIP * slowdown->spread > SLOW_TOLERANCE ? SLOW_CLIP * slowdown->spread : SLOW_TOLERANCE;
    if (is_other_level(slowdown, tolerance)) {
        change_level(slowdown, parts, count, median_low(slowdown), tolerance);
        return;
    }
    if (!slowdown->is_known)
        return;
    adapt_reach(slowdown, ratio, is_missed, most);
    error = ratio - 1.0 > -tolerance ? ratio - 1.0 : -tolerance;
    error = error < tolerance ? error : tolerance;
    spread = slowdown->spread + weight_of(slowdown->frames + SLOW_RECENT) * (fabs(error) - slowdown->spread);
    slowdown->spread = spread > SLOW_LEAST_SPREAD ? spread : SLOW_LEAST_SPREAD;
    scale(slowdown, parts, count, 1.0 + weight_of(slowdown->seen[home] + 2) * error,
          slowdown->seen[home] >= SLOW_SETTLED);
    for (int i = 0; i < TABLE_CLUSTERS; i++)
        slowdown->of_cluster[i] += SLOW_FORGET * (slowdown->of_cluster[home] - slowdown->of_cluster[i]);
    /* Beyond that it makes no difference. */
    slowdown->seen[home] += slowdown->seen[home] < SLOW_MEMORY + SLOW_SETTLED;
    slowdown->frames += slowdown->frames < SLOW_MEMORY;
}
