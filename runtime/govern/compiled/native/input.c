#include "input.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

int open_input(struct input *input, const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
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
    if (connect(input->file, (struct sockaddr *)&address, sizeof address) == 0)
        return say("%s is served by another process; stop it, or give another path", socket_path);
    if (errno == ECONNREFUSED)
        unlink(socket_path); /* left by a process that was killed */
    before = umask(0177); /* only its user may send */
    taken = bind(input->file, (struct sockaddr *)&address, sizeof address);
    umask(before);
    if (taken != 0)
        return say("cannot serve %s (%s)", socket_path, strerror(errno));
    input->socket = socket_path;
    return 0;
}

void close_input(struct input *input)
{
    if (input->socket)
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
