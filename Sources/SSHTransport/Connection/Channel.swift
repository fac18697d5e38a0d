internal import CLibSSH2
internal import Glibc

/// One libssh2 channel with one owner.
///
/// It keeps its connection, hence the session, alive, so it can never outlive it.
@safe
final class Channel {
    let connection: Connection
    private var pointer: OpaquePointer?

    /// Bytes that a node may send ahead: enough for the speed, small enough for a hundred nodes.
    static let window: UInt32 = 256 * 1024
    static let wouldBlock = Int(LIBSSH2_ERROR_EAGAIN)

    init(adopting pointer: OpaquePointer, of connection: Connection) {
        unsafe self.pointer = pointer
        self.connection = connection
    }

    /// What libssh2 refuses to free now, it frees with the session.
    deinit { _ = free() }

    /// Closes and frees.
    ///
    /// False when the node has not confirmed yet and the call must be made again.
    func free() -> Bool {
        guard let pointer = unsafe pointer else { return true }
        guard unsafe libssh2_channel_free(pointer) != LIBSSH2_ERROR_EAGAIN else { return false }
        unsafe self.pointer = nil
        return true
    }

    /// Starts a command; EAGAIN until the node has answered.
    ///
    /// The request is on its way after the first call.
    func start(command: String) -> Int32 {
        guard let pointer = unsafe pointer else { return LIBSSH2_ERROR_CHANNEL_CLOSED }
        return unsafe libssh2_channel_process_startup(pointer, "exec", 4, command, UInt32(command.utf8.count))
    }

    /// Bytes of stdout (0) or stderr (1): their number, 0 when there are none, or a libssh2 error.
    func read(stream: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let pointer = unsafe pointer else { return Int(LIBSSH2_ERROR_CHANNEL_CLOSED) }
        return unsafe libssh2_channel_read_ex(
            pointer, stream, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
    }

    func write(_ buffer: UnsafeRawBufferPointer) -> Int {
        guard let pointer = unsafe pointer else { return Int(LIBSSH2_ERROR_CHANNEL_CLOSED) }
        return unsafe libssh2_channel_write_ex(
            pointer, 0, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
    }

    func sendEnd() -> Int32 {
        guard let pointer = unsafe pointer else { return LIBSSH2_ERROR_CHANNEL_CLOSED }
        return unsafe libssh2_channel_send_eof(pointer)
    }

    /// The node will send nothing more, and everything it sent has been read.
    var isAtEnd: Bool {
        guard let pointer = unsafe pointer else { return true }
        return unsafe libssh2_channel_eof(pointer) != 0
    }

    /// 0 once the node has closed the channel in order.
    func waitClosed() -> Int32 {
        guard let pointer = unsafe pointer else { return LIBSSH2_ERROR_CHANNEL_CLOSED }
        return unsafe libssh2_channel_wait_closed(pointer)
    }

    /// How the command ended.
    ///
    /// Only meaningful after `waitClosed` gave 0; signal and status are both asked because the status is 0 after a
    /// signal.
    var outcome: SSHCommandResult.Outcome {
        guard let pointer = unsafe pointer else { return .exited(status: -1) }
        var name: UnsafeMutablePointer<CChar>?
        var length = 0
        unsafe libssh2_channel_get_exit_signal(pointer, &name, &length, nil, nil, nil, nil)
        if let name = unsafe name {
            defer { unsafe Glibc.free(name) }
            return .signalled(name: unsafe String(cString: name))
        }
        return .exited(status: Int(unsafe libssh2_channel_get_exit_status(pointer)))
    }
}
