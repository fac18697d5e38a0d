internal import CLinux
internal import Glibc

/// The bytes below one SSH session: a TCP socket, or a channel of the jump host's session.
///
/// Sending always takes everything into a buffer that is flushed at the end of the loop's turn. So no libssh2 call is
/// ever left with a half-sent packet, which in libssh2 would block every other sender of the session
/// (measured), and packets of one turn travel together. Whoever sends much must first ask
/// `hasRoom`, which bounds the buffer.
final class Wire {
    enum Link {
        case none
        case socket(descriptor: Int32, token: UInt64)
        case tunnel(Channel)
    }

    private(set) var link = Link.none
    /// Why there will be no more bytes; `nil` while the wire lives.
    private(set) var failure: String?
    /// When the last byte came.
    private(set) var lastByte = EventLoop.clock()
    /// Bytes received in all; limits what a peer may say before the key exchange is done.
    private(set) var received = 0
    var receivedLimit = Int.max
    /// Called after bytes came in or were put out, to arrange the end of the turn.
    var onActivity: (_ received: Bool) -> Void = { _ in }

    /// Edge triggered: true until a read would block.
    private var isReadable = true
    private var inbound = ByteQueue()
    private var outbound = ByteQueue()
    private static let room = 256 * 1024
    private static let inboundCapacity = 16 * 1024

    var hasRoom: Bool { outbound.count < Self.room }
    var isAlive: Bool { failure == nil }

    /// The socket at the bottom, through all tunnels; -1 when there is none.
    var descriptor: Int32 {
        switch link {
        case .none: -1
        case .socket(let descriptor, _): descriptor
        case .tunnel(let channel): channel.connection.wire.descriptor
        }
    }

    func attach(_ link: Link) { self.link = link }

    func becameReadable() { isReadable = true }

    func fail(_ reason: String) {
        if failure == nil { failure = reason }
    }

    // MARK: libssh2's side

    /// Gives bytes to libssh2: their number, 0 at the end, or a negative errno.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard failure == nil else { return -Int(ECONNRESET) }
        // libssh2 reads the version line byte by byte; a buffer turns forty system calls into one.
        if inbound.isEmpty && buffer.count < 1024 { fill() }
        if !inbound.isEmpty {
            return unsafe inbound.take { waiting in
                let count = min(waiting.count, buffer.count)
                unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: waiting[..<count]))
                return count
            }
        }
        return unsafe receiveDirectly(into: buffer)
    }

    /// Takes all bytes; what cannot be sent later is lost with the connection.
    func send(_ buffer: UnsafeRawBufferPointer) -> Int {
        if failure == nil {
            unsafe outbound.append(buffer)
            onActivity(false)
        }
        return buffer.count
    }

    private func receiveDirectly(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard failure == nil else { return -Int(ECONNRESET) }
        guard isReadable else { return -Int(EAGAIN) }
        let count: Int
        switch link {
        case .none: return -Int(EAGAIN)
        case .socket(let descriptor, _): count = unsafe receive(from: descriptor, into: buffer)
        case .tunnel(let channel):
            count = unsafe channel.read(stream: 0, into: buffer)
            if count == Channel.wouldBlock { return -Int(EAGAIN) }
            if count < 0 || (count == 0 && channel.isAtEnd) { fail("the jump host closed the way to it") }
            if count == 0 && failure == nil { return -Int(EAGAIN) }
        }
        guard count > 0 else { return count == 0 || count == -Int(EAGAIN) ? count : -Int(ECONNRESET) }
        lastByte = EventLoop.shared.now
        received += count
        if received > receivedLimit {
            fail("the other side sends too much before the key exchange")
            return -Int(ECONNRESET)
        }
        onActivity(true)
        return count
    }

    private func receive(from descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 { return count }
            if count == 0 {
                fail("the other side closed the connection")
                return 0
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                isReadable = false
                return -Int(EAGAIN)
            case let code:
                fail("the connection broke: \(Files.describe(code))")
                return -Int(code)
            }
        }
    }

    /// Reads ahead into the own buffer, at most its capacity.
    private func fill() {
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.inboundCapacity, alignment: 16) { buffer in
            let count = unsafe receiveDirectly(into: buffer)
            if count > 0 {
                unsafe inbound.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
            }
        }
    }

    // MARK: The loop's side

    /// Reads ahead while nobody calls libssh2, so that the end of an idle connection is noticed.
    ///
    /// False when an idle peer says more than the buffer holds.
    func readAhead() -> Bool {
        for _ in 0..<64 {
            guard inbound.count < Self.inboundCapacity else { return false }
            let before = inbound.count
            fill()
            if inbound.count == before { break }
        }
        return true
    }

    /// For a tunnel: whether there is anything to look at.
    func hasNews() -> Bool {
        if inbound.isEmpty { fill() }
        return !inbound.isEmpty || failure != nil || !outbound.isEmpty
    }

    /// Sends what has gathered, as far as the network takes it.
    func flush() {
        while !outbound.isEmpty && failure == nil {
            let link = self.link
            var problem: Int32 = 0
            let sent = unsafe outbound.take { waiting in
                switch link {
                case .none: return 0
                case .socket(let descriptor, _):
                    let count = unsafe Glibc.send(descriptor, waiting.baseAddress, waiting.count, Int32(MSG_NOSIGNAL))
                    if count < 0 { problem = errno }
                    return max(count, 0)
                case .tunnel(let channel):
                    guard channel.connection.wire.hasRoom else { return 0 }
                    let count = unsafe channel.write(waiting)
                    if count < 0 && count != Channel.wouldBlock { problem = EPIPE }
                    return max(count, 0)
                }
            }
            if problem == EINTR { continue }
            if problem != 0 && problem != EAGAIN { fail("the connection broke: \(Files.describe(problem))") }
            if sent == 0 { return }
        }
    }

    /// Gives the socket or the jump host's channel back.
    ///
    /// Once is enough, more does no harm.
    func close() {
        flush()
        fail("the connection was closed")
        switch link {
        case .none: break
        case .socket(let descriptor, let token):
            EventLoop.shared.forget(descriptor, token: token)
            Glibc.close(descriptor)
        case .tunnel(let channel): channel.connection.release(channel)
        }
        link = .none
        onActivity = { _ in }
    }
}
