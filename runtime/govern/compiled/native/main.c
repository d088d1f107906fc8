/* Keep the cheapest clock that is fast enough, by a table compiled in: see options.c for how it is used. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "changes.h"
#include "control.h"
#include "input.h"
#include "options.h"
#include "steer.h"

enum { MOST_SAID = 10 }; /* commands that were not understood: then it only counts, so that a flood fills no log */

struct governor {
    struct input input;
    struct control control;
    struct steer steer;
    struct change_times change_times;
    struct plan shown; /* what was said last: the row, or the rows that share frames */
    int was_lost;
    double begun_s; /* when the frame that runs was begun */
    int misread;    /* commands that could not be understood */
};

static volatile sig_atomic_t caught;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_signal(int number)
{
    caught = number;
}

static double slowdown_now(const struct control *control)
{
    const int row = control->row < 0 ? control->plan.first : control->row;

    return control->slowdown.of_cluster[table_rows[row].cluster];
}

static void write_cpus(char *text, size_t size, int cluster)
{
    size_t length = 0;

    for (int i = 0; i < table_clusters[cluster].cpu_count && length < size - 16; i++)
        length += (size_t)sprintf(text + length, "%s%d", i ? "," : "", table_clusters[cluster].cpus[i]);
}

/* What is said of a choice: the rows that share frames, or the row. */
static struct plan to_show(const struct control *control)
{
    struct plan plan = {control->row, control->row, INFINITY, 0.0};

    if (control->row >= 0 && control->reports_begins)
        plan = control->base;
    return plan;
}

static void report(struct governor *governor)
{
    const struct control *control = &governor->control;
    const table_row *row = control->row < 0 ? NULL : &table_rows[control->row];
    const struct plan plan = to_show(control);
    const int is_lost = governor->steer.lost > MOST_LOST;
    char text[TEXT_SIZE], cpus[TEXT_SIZE / 4], then[TEXT_SIZE / 8] = "";

    if (!row) {
        snprintf(text, sizeof text, "row -1 held untrusted slowdown %.4g\n", slowdown_now(control));
    } else {
        write_cpus(cpus, sizeof cpus, row->cluster);
        if (plan.then != plan.first)
            snprintf(then, sizeof then, " then %d", plan.then);
        snprintf(text, sizeof text,
                 "row %d%s held %s%s cluster %s freq_khz %" PRId64 " threads %d cpus %s slowdown %.4g variant %s\n",
                 control->row, then, governor->steer.is_dry ? "no" : is_lost ? "lost" : "yes",
                 governor->steer.is_unmoved ? " moved no" : "",
                 table_clusters[row->cluster].name, row->freq_khz, row->threads, cpus, slowdown_now(control),
                 row->variant);
    }
    if (plan.first != governor->shown.first || plan.then != governor->shown.then || is_lost != governor->was_lost) {
        fputs(text, stdout);
        fflush(stdout);
    }
    governor->shown = plan;
    governor->was_lost = is_lost;
    answer(&governor->input, text);
}

/* Bring the machine to what was decided, and keep how long that takes where it is a change. */
static void steer_there(struct governor *governor)
{
    const int from = governor->steer.row, to = governor->control.row;
    const double begin_s = now_s();

    follow(&governor->steer, to);
    if (from >= 0 && to >= 0 && from != to && governor->steer.row == to)
        note_change(&governor->change_times, (now_s() - begin_s) * 1e3,
                    table_rows[from].cluster != table_rows[to].cluster, &governor->control.change);
}

static int read_number_of(const char *text, double least, double *number)
{
    char *end;

    *number = strtod(text, &end);
    return end != text && !*end && *number >= least;
}

static int cap_clock(struct control *control, const char *text)
{
    double khz;

    for (int i = 0; i < TABLE_CLUSTERS; i++) {
        const size_t length = strlen(table_clusters[i].name);

        if (strncmp(text, table_clusters[i].name, length) != 0 || text[length] != ' ' ||
            !read_number_of(text + length + 1, 0.0, &khz))
            continue;
        control->max_freq_khz[i] = khz < 1e18 ? (int64_t)khz : INT64_MAX;
        return 1;
    }
    return 0;
}

/* Do as a command says; 0 where it cannot be understood. */
static int obey(struct governor *governor, const char *line)
{
    struct control *control = &governor->control;
    double number;

    if (strncmp(line, "cap_khz ", 8) == 0) {
        if (!cap_clock(control, line + 8))
            return 0;
    } else if (strncmp(line, "cap_mw ", 7) == 0) {
        if (!read_number_of(line + 7, 0.0, &number))
            return 0;
        control->max_power_mw = number;
    } else if (strncmp(line, "deadline ", 9) == 0) {
        if (!read_number_of(line + 9, 0.0, &number) || number == 0.0)
            return 0;
        retarget(control, number, now_s());
        return 1;
    } else if (strncmp(line, "begin", 5) == 0) {
        number = control->deadline_ms;
        if (line[5] && (line[5] != ' ' || !read_number_of(line + 6, -1e7, &number) || number > 1e7))
            return 0;
        governor->begun_s = now_s();
        begin_frame(control, number, governor->begun_s);
        return 1;
    } else {
        if (!read_number_of(line, 0.0, &number) || number == 0.0 || number == INFINITY)
            return 0;
        take_frame(control, number, now_s());
        return 1;
    }
    decide(control, now_s());
    return 1;
}

static void take_line(void *owner, char *line)
{
    struct governor *governor = owner;

    if (!obey(governor, line)) {
        if (governor->misread++ < MOST_SAID)
            say("'%.40s' is no command; see --help%s", line,
                governor->misread == MOST_SAID ? "; further ones are only counted" : "");
        return;
    }
    steer_there(governor);
    report(governor);
}

/* Wait for input, until the frame that runs is to change its row. */
static int wait_for_input(struct governor *governor, const sigset_t *open)
{
    struct pollfd ready = {.fd = governor->input.file, .events = POLLIN};
    const double at_ms = change_at_ms(&governor->control);
    double left_s = 1e9;
    struct timespec patience;

    if (at_ms < INFINITY)
        left_s = governor->begun_s + at_ms / 1e3 - now_s();
    left_s = left_s > 0.0 ? left_s : 0.0;
    patience.tv_sec = (time_t)left_s;
    patience.tv_nsec = (long)((left_s - (double)patience.tv_sec) * 1e9);
    return ppoll(&ready, 1, at_ms < INFINITY ? &patience : NULL, open);
}

static void run(struct governor *governor, const sigset_t *open)
{
    while (!caught) {
        const int ready = wait_for_input(governor, open);

        if (ready < 0) {
            if (errno != EINTR)
                break;
        } else if (ready == 0) {
            change_row(&governor->control, (now_s() - governor->begun_s) * 1e3);
            steer_there(governor);
        } else if (!read_lines(&governor->input, take_line, governor)) {
            break;
        }
    }
}

/* Signals are delivered in ppoll only: never in the middle of restoring. One that is ignored stays so. */
static void hold_signals_back(sigset_t *open)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}, before;
    sigset_t ours;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&ours);
    for (int i = 0; i < 3; i++) {
        sigaction(numbers[i], NULL, &before);
        if (before.sa_handler == SIG_IGN)
            continue;
        sigaction(numbers[i], &action, NULL);
        sigaddset(&ours, numbers[i]);
    }
    sigprocmask(SIG_BLOCK, &ours, open);
    for (int i = 0; i < 3; i++)
        sigdelset(open, numbers[i]); /* whoever started us may have blocked them */
}

int main(int count, char **words)
{
    static struct governor governor;
    struct options options;
    sigset_t open;
    int failed;

    read_options(&options, count, words);
    strcpy(governor.steer.root, options.root);
    governor.steer.pid = options.pid;
    governor.steer.is_dry = options.dry_run;
    begin_control(&governor.control, options.deadline_ms, now_s());
    hold_signals_back(&open);
    if (!options.dry_run && open_journal(&governor.steer.journal, options.state))
        return 1;
    if (open_input(&governor.input, options.socket))
        return 1;
    failed = begin_steer(&governor.steer, governor.control.row);
    if (!failed) {
        governor.shown.first = -2; /* nothing was said yet */
        report(&governor);
        run(&governor, &open);
        say("%lu frames, %lu late, %d commands not understood", governor.control.frames, governor.control.late,
            governor.misread);
    }
    failed |= end_steer(&governor.steer);
    close_input(&governor.input);
    return failed ? 1 : caught ? 128 + caught : 0;
}
