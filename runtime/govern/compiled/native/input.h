/* Where commands come from, and answers go: lines on stdin and stdout, or datagrams at a Unix socket. */
#ifndef INPUT_H
#define INPUT_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum { LINE_SIZE = 256 };

struct input {
    int file;
    const char *socket; /* its path; NULL: stdin */
    dev_t device;
    ino_t inode; /* of the socket that we made there */
    struct sockaddr_un sender;
    socklen_t sender_size;
    char kept[LINE_SIZE]; /* the beginning of a line whose end has not come */
    int length, is_too_long;
};

/* socket NULL: stdin. A socket that nobody serves any more is replaced; not 0 and said
 * where one is served, or something else is there. */
int open_input(struct input *input, const char *socket);
void close_input(struct input *input);

/* Read what is there and call take for each line; 0 at the end of input. */
int read_lines(struct input *input, void (*take)(void *owner, char *line), void *owner);

/* Answer the sender of the last datagram; nothing on stdin. */
void answer(const struct input *input, const char *text);

#endif
