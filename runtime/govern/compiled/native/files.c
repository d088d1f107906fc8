#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define MARKER "/sys/devices/system/cpu/edgekit.json" /* that an emulated machine shows: runtime/device/marker.py */

enum { SYSFS_MAGIC = 0x62656572 }; /* linux/magic.h */

int say(const char *format, ...)
{
    va_list arguments;

    fputs("edgekit-governor: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return -1;
}

int make_path(char *path, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(path, PATH_SIZE, format, arguments);
    va_end(arguments);
    return length < 0 || length >= PATH_SIZE ? say("a path is longer than %d characters", PATH_SIZE) : 0;
}

/* End a text that was read where its white space begins; its length, or -1. */
static int trim(char *text, ssize_t length)
{
    if (length < 0)
        return -1;
    while (length > 0 && strchr(" \n\t", text[length - 1]))
        length--;
    text[length] = '\0';
    return (int)length;
}

static int64_t parse_number(const char *text)
{
    char *end;
    int64_t number;

    errno = 0;
    number = strtoll(text, &end, 10);
    return end == text || *end || errno || number < 0 ? -1 : number;
}

int read_text(const char *path, char *text, size_t size)
{
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length;

    text[0] = '\0';
    if (file < 0)
        return -1;
    length = read(file, text, size - 1); /* files of /sys come whole in one read */
    close(file);
    return trim(text, length);
}

int64_t read_number(const char *path)
{
    char text[64];

    return read_text(path, text, sizeof text) <= 0 ? -1 : parse_number(text);
}

int keep_file(struct kept_file *kept, const char *folder, const char *name)
{
    kept->file = -1;
    return make_path(kept->path, "%s/%s", folder, name);
}

static void close_kept(struct kept_file *kept)
{
    if (kept->file >= 0)
        close(kept->file);
    kept->file = -1;
}

static int open_kept(struct kept_file *kept)
{
    struct statfs about;

    kept->file = open(kept->path, O_RDWR | O_CLOEXEC);
    if (kept->file < 0 && (errno == EACCES || errno == EROFS))
        kept->file = open(kept->path, O_RDONLY | O_CLOEXEC); /* reading needs no privilege */
    kept->is_sysfs = kept->file >= 0 && fstatfs(kept->file, &about) == 0 && about.f_type == SYSFS_MAGIC;
    return kept->file < 0 ? -1 : 0;
}

int read_kept(struct kept_file *kept, char *text, size_t size)
{
    text[0] = '\0';
    for (int attempt = 0; attempt < 2; attempt++) {
        ssize_t length;

        if (kept->file < 0 && open_kept(kept))
            return -1;
        length = pread(kept->file, text, size - 1, 0);
        if (length >= 0)
            return trim(text, length);
        close_kept(kept);
    }
    return -1;
}

int64_t read_kept_number(struct kept_file *kept)
{
    char text[64];

    return read_kept(kept, text, sizeof text) <= 0 ? -1 : parse_number(text);
}

int is_emulated(void)
{
    static int known = -1;

    if (known < 0)
        known = access(MARKER, F_OK) == 0;
    return known;
}

/* Write a file from its beginning; what is no kernel's keeps the end of a longer text unless it is cut off. */
static int write_whole(int file, int is_sysfs, const char *text)
{
    const ssize_t length = (ssize_t)strlen(text);
    struct stat about;

    if (file < 0 || pwrite(file, text, strlen(text), 0) != length)
        return -1;
    if (is_sysfs)
        return 0;
    return fstat(file, &about) != 0 || (about.st_size > length && ftruncate(file, length) != 0) ? -1 : 0;
}

int write_kept(struct kept_file *kept, const char *text)
{
    int failed;

    if (kept->file < 0)
        open_kept(kept);
    failed = write_whole(kept->file, kept->is_sysfs, text);
    if (failed && errno == ENODEV) { /* its CPU was taken off line and came back */
        close_kept(kept);
        open_kept(kept);
        failed = write_whole(kept->file, kept->is_sysfs, text);
    }
    if (failed)
        say("cannot write '%s' to %s (%s); run as root", text, kept->path, strerror(errno));
    if (is_emulated())
        close_kept(kept); /* which it reacts to */
    return failed;
}

int has_word(const char *text, const char *word)
{
    const size_t length = strlen(word);
    const char *found = text;

    while ((found = strstr(found, word)) != NULL) {
        if ((found == text || found[-1] == ' ') && (found[length] == '\0' || found[length] == ' '))
            return 1;
        found += length;
    }
    return 0;
}
