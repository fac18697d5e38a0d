import CLinux
import Glibc

/// An eventfd: readable from the first `signal()` until `clear()`.
///
/// Closed with its last reference.
final class EventDescriptor: Sendable {
    let descriptor: Int32

    /// `nil` when the process has no descriptor left.
    init?() {
        let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    // Both fail only with EAGAIN, which means the descriptor already is in the state asked for.
    func signal() {
        var one: UInt64 = 1
        _ = unsafe write(descriptor, &one, 8)
    }

    func clear() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
    }
}
