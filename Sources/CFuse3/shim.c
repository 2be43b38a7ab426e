#define _GNU_SOURCE
#include "CFuse3.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

/// The head of linux/fuse.h's `fuse_init_out`.
struct init_answer_head {
    uint32_t major;
    uint32_t minor;
    uint32_t max_readahead;
    uint32_t flags;
    uint16_t max_background;
    uint16_t congestion_threshold;
    uint32_t max_write;
    uint32_t time_gran;
    uint16_t max_pages;
    uint16_t map_alignment;
    uint32_t flags2;
    uint32_t max_stack_depth;
};

/// linux/fuse.h's `fuse_open_out` of Linux 6.9; older headers call the end padding.
struct open_answer {
    uint64_t handle;
    uint32_t flags;
    int32_t backing;
};

/// linux/fuse.h's `fuse_entry_out` (an entry, with 88 bytes of attributes) and `fuse_open_out`.
struct create_answer {
    char entry[128];
    struct open_answer open;
};

/// linux/fuse.h's `fuse_backing_map`.
struct backing_map {
    int32_t descriptor;
    uint32_t flags;
    uint64_t padding;
};

enum { open_flag_passthrough = 1 << 7 };
#define BACKING_OPEN _IOW(229, 1, struct backing_map)
#define BACKING_CLOSE _IOW(229, 2, uint32_t)

/// Set only while this thread answers INIT.
static _Thread_local const struct cfuse3_init_additions *init_additions;

/// Not 0 only while this thread answers OPEN or CREATE with such a file.
static _Thread_local int32_t backing_of_open;

static ssize_t read_message(int fd, void *buffer, size_t size, void *userdata) {
    (void)userdata;
    return read(fd, buffer, size);
}

static ssize_t write_answer(int fd, struct iovec *parts, int count, void *userdata) {
    (void)userdata;
    if (init_additions != NULL && count == 2
        && parts[1].iov_len >= sizeof(struct init_answer_head)) {
        struct init_answer_head *answer = parts[1].iov_base;
        answer->flags |= init_additions->flags;
        answer->flags2 |= init_additions->flags2;
        if (init_additions->max_stack_depth != 0) {
            answer->max_stack_depth = init_additions->max_stack_depth;
        }
    }
    if (backing_of_open != 0 && count == 2) {
        struct open_answer *answer = NULL;
        if (parts[1].iov_len == sizeof(struct open_answer)) {
            answer = parts[1].iov_base;
        } else if (parts[1].iov_len == sizeof(struct create_answer)) {
            answer = &((struct create_answer *)parts[1].iov_base)->open;
        }
        if (answer != NULL) {
            answer->flags |= open_flag_passthrough;
            answer->backing = backing_of_open;
        }
    }
    return writev(fd, parts, count);
}

int cfuse3_install_io(struct fuse_session *session) {
    const struct fuse_custom_io io = {.writev = write_answer, .read = read_message};
    return fuse_session_custom_io(session, &io, fuse_session_fd(session));
}

int cfuse3_answer_init(struct fuse_session *session, struct cfuse3_init_additions added) {
    struct fuse_buf buffer = {0};
    int length;
    do {
        length = fuse_session_receive_buf(session, &buffer);
    } while (length == -EINTR);
    if (length > 0) {
        init_additions = &added;
        fuse_session_process_buf(session, &buffer);
        init_additions = NULL;
    }
    free(buffer.mem);
    return length;
}

int32_t cfuse3_open_backing(struct fuse_session *session, int descriptor) {
    const struct backing_map map = {.descriptor = descriptor};
    const int backing = ioctl(fuse_session_fd(session), BACKING_OPEN, &map);
    return backing < 0 ? -errno : backing;
}

int cfuse3_close_backing(struct fuse_session *session, int32_t backing) {
    const uint32_t number = (uint32_t)backing;
    return ioctl(fuse_session_fd(session), BACKING_CLOSE, &number) < 0 ? -errno : 0;
}

int cfuse3_reply_open_backed(fuse_req_t request, const struct fuse_file_info *info,
                             int32_t backing) {
    backing_of_open = backing;
    const int result = fuse_reply_open(request, info);
    backing_of_open = 0;
    return result;
}

int cfuse3_reply_create_backed(fuse_req_t request, const struct fuse_entry_param *entry,
                               const struct fuse_file_info *info, int32_t backing) {
    backing_of_open = backing;
    const int result = fuse_reply_create(request, entry, info);
    backing_of_open = 0;
    return result;
}

void cfuse3_return_memory(void) {
    malloc_trim(0);
}

void cfuse3_share_memory(void) {
    mallopt(M_ARENA_MAX, 2);
}

void cfuse3_set_thread_name(const char *name) {
    pthread_setname_np(pthread_self(), name);
}
