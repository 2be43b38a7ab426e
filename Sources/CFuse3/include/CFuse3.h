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

/// Receives the kernel's first message, which is INIT, and has libfuse answer it, with
/// `added_flags` set in the flags of the answer (linux/fuse.h, `fuse_init_out.flags`): libfuse 3.14
/// never puts FUSE_PARALLEL_DIROPS there, although it says that it wants it.
///
/// The kernel has taken the answer when this returns. Returns a positive number, 0 where the
/// session has ended, or a negative errno.
int cfuse3_answer_init(struct fuse_session *session, uint32_t added_flags);

/// Names the calling thread; Swift does not see pthread_setname_np, a GNU extension.
void cfuse3_set_thread_name(const char *name);

#endif
