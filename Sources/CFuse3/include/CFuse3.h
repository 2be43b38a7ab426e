#ifndef CFUSE3_H
#define CFUSE3_H

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
#include <stdint.h>
#include <sys/mount.h>

/// Puts the session's messages through hooks of this module. To be called once, after
/// `fuse_session_mount`. It switches splice off, which gains nothing for buffers in memory.
/// Returns 0 or a negative errno.
int cfuse3_install_io(struct fuse_session *session);

/// What libfuse 3.14 does not put into the answer to INIT (linux/fuse.h, `fuse_init_out`).
struct cfuse3_init_additions {
    /// FUSE_PARALLEL_DIROPS, for one: it never sends that, although it says that it wants it.
    uint32_t flags;
    uint32_t flags2;
    /// How deep file systems of files that the kernel uses by itself may be stacked; 0 leaves it.
    uint32_t max_stack_depth;
};

/// Receives the kernel's first message, which is INIT, and has libfuse answer it, with `added`.
///
/// The kernel has taken the answer when this returns. Returns a positive number, 0 where the
/// session has ended, or a negative errno.
int cfuse3_answer_init(struct fuse_session *session, struct cfuse3_init_additions added);

/// Hands an open file to the kernel, so that opens can be answered with it
/// (FUSE_DEV_IOC_BACKING_OPEN; Linux 6.9, CAP_SYS_ADMIN). Returns a number above 0 or a negative errno.
int32_t cfuse3_open_backing(struct fuse_session *session, int descriptor);

/// Takes it back (FUSE_DEV_IOC_BACKING_CLOSE): opens that were answered with it keep it.
int cfuse3_close_backing(struct fuse_session *session, int32_t backing);

/// As fuse_reply_open, for a file that the kernel reads, writes and maps by itself, except for what
/// `info` leaves to the driver by `direct_io`.
int cfuse3_reply_open_backed(fuse_req_t request, const struct fuse_file_info *info, int32_t backing);

/// As fuse_reply_create, for such a file.
int cfuse3_reply_create_backed(
    fuse_req_t request, const struct fuse_entry_param *entry, const struct fuse_file_info *info,
    int32_t backing);

/// Names the calling thread; Swift does not see pthread_setname_np, a GNU extension.
void cfuse3_set_thread_name(const char *name);

/// Gives free memory back to the system: malloc_trim, a GNU extension that Swift does not see.
void cfuse3_return_memory(void);

/// Has all threads allocate from two arenas from now on: mallopt. By itself the allocator makes one
/// for nearly every thread, each as big as the most that thread ever needed.
void cfuse3_share_memory(void);

#endif
