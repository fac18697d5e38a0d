internal import CLinux
internal import Glibc

/// Carries bytes between one accepted unix socket and one channel, in both directions, until both have ended.
///
/// A side that does not read holds only its own direction back: at most `capacity` bytes wait per direction, besides
/// SSH's window.
final class Relay: Stepper, EventHandler {
    private let descriptor: Int32
    private let connection: Connection
    private let opening: Opening
    private var channel: Channel?
    private var token: UInt64?
    private var toNode = ByteQueue()
    private var fromNode = ByteQueue()
    private var hasClientEnded = false
    private var hasSentEnd = false
    private var hasNodeEnded = false
    private var hasShutDown = false
    private var isEnded = false
    private static let capacity = 64 * 1024
    private static let chunk = 32 * 1024
    /// Pieces per turn, so that one relay leaves room for the others.
    private static let share = 32
    var onEnd: (Relay) -> Void = { _ in }

    init(_ descriptor: Int32, opening: Opening, channel: Channel?, on connection: Connection) {
        self.descriptor = descriptor
        self.opening = opening
        self.channel = channel
        self.connection = connection
    }

    func begin() {
        token = EventLoop.shared.watch(descriptor, self)
        if token == nil { end() }
        connection.add(self)
    }

    func ready(_ events: Readiness) { _ = step() }

    func step() -> Bool {
        guard !isEnded else { return true }
        guard connection.wire.isAlive else { return end() }
        if channel == nil {
            guard opening.step() else { return false }
            guard let opened = opening.take() else { return end() }
            channel = opened
        }
        guard let channel else { return end() }
        for _ in 0..<Self.share {
            let moved = [readClient(), writeNode(channel), readNode(channel), writeClient()]
            if moved.contains(nil) { return end() }
            if hasSentEnd && hasNodeEnded && fromNode.isEmpty { return end() }
            if moved.allSatisfy({ $0 == false }) { return false }
        }
        EventLoop.shared.perform { [connection] in connection.wakeAll() }
        return false
    }

    // Each gives whether anything moved, or `nil` when its side broke.

    private func readClient() -> Bool? {
        guard !hasClientEnded, toNode.count < Self.capacity else { return false }
        return unsafe withUnsafeTemporaryAllocation(byteCount: Self.chunk, alignment: 16) { buffer in
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count < 0 { return errno == EAGAIN || errno == EINTR ? false : nil }
            if count == 0 {
                hasClientEnded = true
            } else {
                unsafe toNode.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
            }
            return true
        }
    }

    private func writeNode(_ channel: Channel) -> Bool? {
        guard !toNode.isEmpty else {
            guard hasClientEnded && !hasSentEnd else { return false }
            hasSentEnd = true
            _ = channel.sendEnd()
            return true
        }
        guard connection.wire.hasRoom else { return false }
        var code = 0
        let taken = unsafe toNode.take { waiting in
            code = unsafe channel.write(waiting)
            return max(code, 0)
        }
        return code < 0 && code != Channel.wouldBlock ? nil : taken > 0
    }

    private func readNode(_ channel: Channel) -> Bool? {
        guard !hasNodeEnded, fromNode.count < Self.capacity else { return false }
        return unsafe withUnsafeTemporaryAllocation(byteCount: Self.chunk, alignment: 16) { buffer in
            let count = unsafe channel.read(stream: 0, into: buffer)
            if count == Channel.wouldBlock { return false }
            guard count >= 0 else { return nil }
            if count == 0 {
                hasNodeEnded = channel.isAtEnd
                return hasNodeEnded
            }
            unsafe fromNode.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
            return true
        }
    }

    private func writeClient() -> Bool? {
        guard !fromNode.isEmpty else {
            guard hasNodeEnded && !hasShutDown else { return false }
            hasShutDown = true
            shutdown(descriptor, Int32(SHUT_WR))
            return true
        }
        var problem: Int32 = 0
        let taken = unsafe fromNode.take { waiting in
            let count = unsafe send(descriptor, waiting.baseAddress, waiting.count, Int32(MSG_NOSIGNAL))
            if count < 0 { problem = errno }
            return max(count, 0)
        }
        return problem == 0 || problem == EAGAIN || problem == EINTR ? taken > 0 : nil
    }

    /// Ends both sides.
    ///
    /// Once is enough, more does no harm. Gives `true`, for `step`.
    @discardableResult
    func end() -> Bool {
        guard !isEnded else { return true }
        isEnded = true
        if let token { EventLoop.shared.forget(descriptor, token: token) }
        close(descriptor)
        if let channel { connection.release(channel) } else { opening.abandon() }
        channel = nil
        onEnd(self)
        return true
    }
}
