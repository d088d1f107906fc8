#include "input.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

/* Make room for our socket: one that nobody serves any more goes, anything else stays. */
static int clear_place(int file, const struct sockaddr_un *address)
{
    const char *path = address->sun_path;
    struct stat found;

    if (lstat(path, &found) != 0)
        return errno == ENOENT ? 0 : say("cannot serve %s (%s)", path, strerror(errno));
    if (!S_ISSOCK(found.st_mode))
        return say("%s is there and is no socket; give another path", path);
    if (connect(file, (const struct sockaddr *)address, sizeof *address) == 0 || errno != ECONNREFUSED)
        return say("%s is served by another process; stop it, or give another path", path);
    if (unlink(path) != 0) /* left by a process that was killed */
        return say("cannot serve %s (%s)", path, strerror(errno));
    return 0;
}

int open_input(struct input *input, const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat made;
    mode_t before;
    int taken;

    memset(input, 0, sizeof *input);
    if (!socket_path)
        return 0;
    if (strlen(socket_path) >= sizeof address.sun_path)
        return say("--socket %s is too long; allowed: %zu characters", socket_path, sizeof address.sun_path - 1);
    strcpy(address.sun_path, socket_path);
    input->file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (input->file < 0)
        return say("cannot make a socket (%s)", strerror(errno));
    if (clear_place(input->file, &address))
        return 1;
    before = umask(0177); /* only its user may send */
    taken = bind(input->file, (struct sockaddr *)&address, sizeof address);
    umask(before);
    if (taken != 0)
        return say("cannot serve %s (%s)", socket_path, strerror(errno));
    input->socket = socket_path;
    if (stat(socket_path, &made) == 0) {
        input->device = made.st_dev;
        input->inode = made.st_ino;
    }
    return 0;
}

void close_input(struct input *input)
{
    struct stat found;

    /* Only our own: somebody may have removed it and put another one there. */
    if (input->socket && lstat(input->socket, &found) == 0 && found.st_ino == input->inode &&
        found.st_dev == input->device)
        unlink(input->socket);
}

static int read_datagram(struct input *input, void (*take)(void *owner, char *line), void *owner)
{
    char line[LINE_SIZE];
    ssize_t length;

    input->sender_size = sizeof input->sender;
    length = recvfrom(input->file, line, sizeof line, MSG_TRUNC, (struct sockaddr *)&input->sender,
                      &input->sender_size);
    if (length < 0)
        return 1;
    if (length >= (ssize_t)sizeof line)
        length = sizeof line - 1; /* it cannot be understood, which is said */
    while (length > 0 && line[length - 1] == '\n')
        length--;
    line[length] = '\0';
    take(owner, line);
    return 1;
}

static void take_text(struct input *input, const char *text, ssize_t size,
                      void (*take)(void *owner, char *line), void *owner)
{
    for (ssize_t i = 0; i < size; i++) {
        if (text[i] == '\n') {
            input->kept[input->length] = '\0';
            if (!input->is_too_long)
                take(owner, input->kept);
            input->length = input->is_too_long = 0;
        } else if (input->length == LINE_SIZE - 1) {
            if (!input->is_too_long)
                say("a line is longer than %d characters; left out", LINE_SIZE - 1);
            input->is_too_long = 1;
        } else {
            input->kept[input->length++] = text[i];
        }
    }
}

int read_lines(struct input *input, void (*take)(void *owner, char *line), void *owner)
{
    char text[TEXT_SIZE];
    ssize_t length;

    if (input->socket)
        return read_datagram(input, take, owner);
    length = read(input->file, text, sizeof text);
    if (length < 0)
        return errno == EINTR || errno == EAGAIN;
    take_text(input, text, length, take, owner);
    return length > 0;
}

void answer(const struct input *input, const char *text)
{
    if (input->socket && input->sender_size > sizeof(sa_family_t)) /* a sender without a name gets none */
        sendto(input->file, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&input->sender,
               input->sender_size);
}
