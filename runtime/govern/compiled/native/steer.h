/* Bring the machine to a row of the table, and back to how it was. */
#ifndef STEER_H
#define STEER_H

#include "cpufreq.h"
#include "journal.h"
#include "table.h"

/* How often a clock that others change is set again before it is left to the kernel until the end: once may be a
 * user, and a program that goes on would be fought for ever. Fewer than Python's five within ten seconds, which
 * tries again after a while. */
enum { MOST_LOST = 3 };

struct steer {
    char root[PATH_SIZE];
    long pid; /* whose threads are moved; 0: nobody's */
    int is_unmoved; /* they could not be moved, and are left alone from then on */
    int is_dry;
    struct journal journal;
    struct clock clocks[TABLE_CLUSTERS];
    struct clock_state before[TABLE_CLUSTERS];
    int is_noted[TABLE_CLUSTERS];
    int row;  /* that the machine was set to; -1: none */
    int lost; /* how often others changed the clock */
};

/* Find every clock of the table, restore what killed runs left, note how it is, and set the first row. */
int begin_steer(struct steer *steer, int row);

/* Bring the machine to a row, unless others keep it from being there; -1 leaves it to the kernel. */
void follow(struct steer *steer, int row);

/* Restore everything, and forget what was noted; -1 and said where something could not be. */
int end_steer(struct steer *steer);

#endif
