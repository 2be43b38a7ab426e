import Glibc

/// Ends libfuse's loop without a request from the kernel.
///
/// Its main thread waits in sem_wait(3) and looks at the session's exit flag when a signal
/// interrupts that; then it ends its worker threads, which wait in read(2) (fuse_loop_mt.c). So an
/// interruption is a signal that does nothing. SIGURG, because its default is to do nothing either.
enum LoopInterruption {
    /// Gives the signal a handler: an ignored one would interrupt nothing.
    static func prepare() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGURG, &action, nil)
    }

    static func interrupt(_ thread: pthread_t) { pthread_kill(thread, SIGURG) }
}
