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

enum { SYSFS_MAGIC = 0x62656572 };

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

/* What is no kernel's is closed after each write: an emulated /sys reacts to that. Not O_TRUNC, which costs as much. */
static int write_plain(const char *path, const char *text)
{
    const ssize_t length = (ssize_t)strlen(text);
    const int file = open(path, O_WRONLY | O_CLOEXEC); /* not O_CREAT: a vanished file must not come back */
    struct stat about;
    int failed;

    if (file < 0)
        return -1;
    failed = write(file, text, strlen(text)) != length || fstat(file, &about) != 0 ||
             (about.st_size > length && ftruncate(file, length) != 0);
    return close(file) != 0 || failed ? -1 : 0;
}

int write_kept(struct kept_file *kept, const char *text)
{
    int failed;

    if (kept->file < 0 && open_kept(kept))
        return say("cannot write %s (%s)", kept->path, strerror(errno));
    if (kept->is_sysfs) {
        failed = pwrite(kept->file, text, strlen(text), 0) != (ssize_t)strlen(text);
        if (failed && errno == ENODEV) { /* its CPU was taken off line and came back */
            close_kept(kept);
            failed = open_kept(kept) || pwrite(kept->file, text, strlen(text), 0) != (ssize_t)strlen(text);
        }
    } else {
        failed = write_plain(kept->path, text);
    }
    return failed ? say("%s does not take '%s' (%s); run as root", kept->path, text, strerror(errno)) : 0;
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
