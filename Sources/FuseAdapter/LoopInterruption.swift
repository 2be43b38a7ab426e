import Glibc

/// Ends libfuse's loop without a request from the kernel.
///
/// Its main thread waits in sem_wait(3) and looks at the session's exit flag when a signal
/// interrupts that; then it ends its worker threads, which wait in read(2) (fuse_loop_mt.c). So an
/// interruption is a signal that does nothing. SIGURG, because its default is to do nothing either.
enum LoopInterruption {
    /// Makes the calling thread interruptible: the signal gets a handler, because an ignored one
    /// interrupts nothing, and is let in, because threads of Dispatch, and what they start, block it.
    static func prepare() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGURG, &action, nil)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGURG)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    static func interrupt(_ thread: pthread_t) { pthread_kill(thread, SIGURG) }
}
