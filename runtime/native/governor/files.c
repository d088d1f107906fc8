#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int read_text(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length;

    text[0] = '\0';
    if (file < 0)
        return -1;
    length = read(file, text, size - 1); /* files of /sys come whole in one read */
    close(file);
    if (length < 0)
        return -1;
    while (length > 0 && strchr(" \n\t", text[length - 1]))
        length--;
    text[length] = '\0';
    return (int)length;
}

int64_t read_number(const char *path)
{
    char text[64], *end;
    int64_t number;

    if (read_text(path, text, sizeof text) <= 0)
        return -1;
    errno = 0;
    number = strtoll(text, &end, 10);
    return *end || errno || number < 0 ? -1 : number;
}

int write_text(const char *path, const char *text)
{
    char now[TEXT_SIZE];
    const size_t length = strlen(text);
    int file;
    ssize_t written;

    if (read_text(path, now, sizeof now) >= 0 && strcmp(now, text) == 0)
        return 0;
    file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC); /* not O_CREAT: a vanished file must not become a plain one */
    if (file < 0)
        return say("cannot write %s (%s); run as root", path, strerror(errno));
    written = write(file, text, length);
    if (written != (ssize_t)length) {
        say("%s does not take '%s' (%s)", path, text, strerror(errno));
        close(file);
        return -1;
    }
    close(file);
    return 0;
}

int write_number(const char *path, int64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, number);
    return write_text(path, text);
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
