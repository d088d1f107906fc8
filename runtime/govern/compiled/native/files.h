/* Small text files of /sys and /proc, and what to say when they do not do as asked. */
#ifndef FILES_H
#define FILES_H

#include <stddef.h>
#include <stdint.h>

enum { PATH_SIZE = 1024, TEXT_SIZE = 4096 };

/* Say something on stderr, after the program's name. Returns -1, so that a failure can return it. */
int say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Write a path into one of PATH_SIZE; -1 and said where it is too long. */
int make_path(char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Read a file without the white space at its end; its length, or -1. */
int read_text(const char *path, char *text, size_t size);

/* Read a number that is not negative; -1 where there is none, such as in <unsupported>. */
int64_t read_number(const char *path);

/* A file that is read again and again: open from its first use on. */
struct kept_file {
    char path[PATH_SIZE];
    int file; /* -1: not open */
    int is_sysfs;
};

int keep_file(struct kept_file *kept, const char *folder, const char *name);

/* As read_text and read_number; a file that went and came back, as with a CPU taken off line, is opened again. */
int read_kept(struct kept_file *kept, char *text, size_t size);
int64_t read_kept_number(struct kept_file *kept);

/* Write an existing file in one go; -1 and said where it does not take it. */
int write_kept(struct kept_file *kept, const char *text);

/* Whether this is one of edgekit's emulated machines: it reacts to a write once the file is closed. */
int is_emulated(void);

/* Whether a list of words separated by spaces has this one. */
int has_word(const char *text, const char *word);

#endif
