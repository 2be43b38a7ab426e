import Glibc

/// A buffer for answers that each thread keeps for itself, until it ends.
enum ThreadBuffer {
    /// Bytes: as much as the kernel asks for at once (`FuseMountOptions.requestSize`).
    static let capacity = 1 << 20

    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, { free($0) }) == 0 ? key : nil
    }()

    /// The first `count` bytes of the calling thread's buffer; nil where there is no such room.
    static func ofThisThread(count: Int) -> UnsafeMutableRawBufferPointer? {
        guard let key, count <= capacity else { return nil }
        if let present = pthread_getspecific(key) {
            return UnsafeMutableRawBufferPointer(start: present, count: count)
        }
        guard let fresh = aligned_alloc(4096, capacity) else { return nil }
        guard pthread_setspecific(key, fresh) == 0 else {
            free(fresh)
            return nil
        }
        return UnsafeMutableRawBufferPointer(start: fresh, count: count)
    }
}
