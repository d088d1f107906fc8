#include "options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

static const char help[] =
    "usage: edgekit-governor [OPTIONS]\n"
    "\n"
    "Keeps a cluster at the cheapest clock that is fast enough, by a table compiled in, corrected by what\n"
    "frames take. Restores every clock at the end of input, on SIGINT, SIGTERM and SIGHUP; after a SIGKILL\n"
    "its next start does, or `edgekit restore`.\n"
    "\n"
    "  --fps F, --deadline-ms D  how long a frame may take; default: what the table was made for\n"
    "  --socket PATH             take commands as datagrams at a Unix socket instead of lines on stdin\n"
    "  --pid PID                 move this process's threads to the cluster that was chosen\n"
    "  --root DIR                above sys; default: /\n"
    "  --state DIR               where to note what must be restored; default: as edgekit\n"
    "  --dry-run                 decide, but write nothing\n"
    "  --about                   say what the table was made from\n"
    "\n"
    "One command a line, or a datagram:\n"
    "  12.5               a frame took 12.5 ms\n"
    "  begin, begin 31.0  a frame begins, 31 ms before its deadline: two rows may share it, if that saves energy\n"
    "  deadline 33.3      frames may take 33.3 ms from now on\n"
    "  cap_mw 1500        run at no more power; inf lifts it\n"
    "  cap_khz big 1500000  run that cluster no faster; inf lifts it\n"
    "Says on stdout when the row changes, and to the sender of each datagram whose socket has a name:\n"
    "  row 3 held yes cluster big freq_khz 1826000 threads 1 cpus 6,7 slowdown 1.08 variant litert-fp32\n"
    "'row 3 then 5': frames begin at the one and go on at the other. slowdown: times the table's latency.\n"
    "held is yes, no (--dry-run), or lost: others kept changing the clock, so it is left to the kernel.\n"
    "row -1 held untrusted: frames take longer than the table promises too often; the kernel chooses for a while.\n";

static void refuse(const char *name, const char *value, const char *allowed)
{
    say("%s is '%s'; allowed: %s", name, value, allowed);
    exit(2);
}

static double read_positive(const char *name, const char *text)
{
    char *end;
    const double number = strtod(text, &end);

    if (*end || end == text || !(number > 0.0 && number < INFINITY))
        refuse(name, text, "a number above 0");
    return number;
}

static void read_root(struct options *options, const char *text)
{
    size_t length = strlen(text);

    while (length > 0 && text[length - 1] == '/')
        length--;
    if (text[0] != '/' || length >= PATH_SIZE / 2 || strpbrk(text, "\"\\\n") || strstr(text, ".."))
        refuse("--root", text, "an absolute path without .., quotes and backslashes");
    memcpy(options->root, text, length);
    options->root[length] = '\0';
}

void read_options(struct options *options, int count, char **words)
{
    static const struct option known[] = {
        {"fps", required_argument, NULL, 'f'},   {"deadline-ms", required_argument, NULL, 'd'},
        {"socket", required_argument, NULL, 's'}, {"pid", required_argument, NULL, 'p'},
        {"root", required_argument, NULL, 'r'},  {"state", required_argument, NULL, 't'},
        {"dry-run", no_argument, NULL, 'n'},     {"about", no_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    int found;
    char *end;

    memset(options, 0, sizeof *options);
    options->deadline_ms = TABLE_DEADLINE_MS;
    while ((found = getopt_long(count, words, "h", known, NULL)) != -1) {
        switch (found) {
        case 'f': options->deadline_ms = 1000.0 / read_positive("--fps", optarg); break;
        case 'd': options->deadline_ms = read_positive("--deadline-ms", optarg); break;
        case 's': options->socket = optarg; break;
        case 'r': read_root(options, optarg); break;
        case 't': options->state = optarg; break;
        case 'n': options->dry_run = 1; break;
        case 'p':
            options->pid = strtol(optarg, &end, 10);
            if (*end || options->pid <= 0)
                refuse("--pid", optarg, "the number of a process");
            break;
        case 'a': puts(TABLE_ABOUT); exit(0);
        case 'h': fputs(help, stdout); exit(0);
        default: fputs(help, stderr); exit(2);
        }
    }
    if (optind < count)
        refuse("an argument", words[optind], "options only; see --help");
}
