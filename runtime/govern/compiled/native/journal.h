/* What to restore, on the disk while a clock is held, as `edgekit restore` reads it: survives a kill -9. */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "cpufreq.h"

struct journal {
    char folder[PATH_SIZE];
    char boot_id[64];
};

/* Make the folder ready; folder NULL: this user's, as Python has it. */
int open_journal(struct journal *journal, const char *folder);

/* Make sure that nobody else holds a clock until this process ends; -1 and said where somebody does. */
int claim(const struct journal *journal, const char *clock_folder);

/* Restore what killed processes left of a clock that is claimed. */
int repair(const struct journal *journal, struct clock *clock);

/* Note a state, durably, before the clock is changed; forget it once it is back. */
int note_state(const struct journal *journal, const char *clock_folder, const struct clock_state *state);
void forget_state(const struct journal *journal, const char *clock_folder);

#endif
