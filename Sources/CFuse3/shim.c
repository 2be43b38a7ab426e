#define _GNU_SOURCE
#include "CFuse3.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

/// The head of linux/fuse.h's `fuse_init_out`.
struct init_answer_head {
    uint32_t major;
    uint32_t minor;
    uint32_t max_readahead;
    uint32_t flags;
};

/// Not 0 only while this thread answers INIT.
static _Thread_local uint32_t added_init_flags;

static ssize_t read_message(int fd, void *buffer, size_t size, void *userdata) {
    (void)userdata;
    return read(fd, buffer, size);
}

static ssize_t write_answer(int fd, struct iovec *parts, int count, void *userdata) {
    (void)userdata;
    if (added_init_flags != 0 && count == 2
        && parts[1].iov_len >= sizeof(struct init_answer_head)) {
        struct init_answer_head *answer = parts[1].iov_base;
        answer->flags |= added_init_flags;
    }
    return writev(fd, parts, count);
}

int cfuse3_install_io(struct fuse_session *session) {
    const struct fuse_custom_io io = {.writev = write_answer, .read = read_message};
    return fuse_session_custom_io(session, &io, fuse_session_fd(session));
}

int cfuse3_answer_init(struct fuse_session *session, uint32_t added_flags) {
    struct fuse_buf buffer = {0};
    int length;
    do {
        length = fuse_session_receive_buf(session, &buffer);
    } while (length == -EINTR);
    if (length > 0) {
        added_init_flags = added_flags;
        fuse_session_process_buf(session, &buffer);
        added_init_flags = 0;
    }
    free(buffer.mem);
    return length;
}

void cfuse3_set_thread_name(const char *name) {
    pthread_setname_np(pthread_self(), name);
}
