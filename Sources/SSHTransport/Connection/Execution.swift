internal import CLibSSH2

/// A stream of a command, kept up to a limit and counted beyond.
private struct Output {
    let limit: Int
    var bytes: [UInt8] = []
    var isTruncated = false

    mutating func append(_ buffer: UnsafeRawBufferPointer) {
        let kept = min(limit - bytes.count, buffer.count)
        if kept < buffer.count { isTruncated = true }
        if kept > 0 { unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<kept])) }
    }
}

/// One command on one channel, as far as it has come.
private struct Execution: ~Copyable {
    let channel: Channel
    let command: SSHCommand
    var output: Output
    var errors: Output
    private var isStarted = false
    private var written = 0
    private var hasSentEnd = false
    private static let chunk = 32 * 1024
    /// Bytes per turn, so that a talkative node leaves room for the others.
    private static let share = 512 * 1024

    enum Step { case waiting, more, done, refused, broken }

    init(_ command: SSHCommand, on channel: Channel) {
        self.command = command
        self.channel = channel
        output = Output(limit: command.outputLimit)
        errors = Output(limit: command.outputLimit)
    }

    /// Goes as far as possible without blocking.
    ///
    /// The input follows the request at once, without waiting for the node's word: that saves a round trip.
    mutating func step() -> Step {
        if !isStarted {
            switch channel.start(command: command.line) {
            case 0: isStarted = true
            case LIBSSH2_ERROR_EAGAIN: break
            case LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED: return .refused
            default: return .broken
            }
        }
        guard writeInput() else { return .broken }
        var taken = 0
        for (stream, _) in [(0, 1), (1, 0)] as [(Int32, Int32)] {
            let count = read(stream)
            guard count >= 0 else { return .broken }
            taken += count
        }
        if taken >= Self.share { return .more }
        guard isStarted, channel.isAtEnd else { return .waiting }
        switch channel.waitClosed() {
        case 0: return .done
        case LIBSSH2_ERROR_EAGAIN: return .waiting
        default: return .broken
        }
    }

    private mutating func writeInput() -> Bool {
        while written < command.standardInput.count && channel.connection.wire.hasRoom {
            let end = min(written + Self.chunk, command.standardInput.count)
            let count = unsafe command.standardInput[written..<end].withUnsafeBytes { unsafe channel.write($0) }
            if count == Channel.wouldBlock || count == 0 { return true }
            // A command may end without having read its input; that is its business.
            if count < 0 {
                written = command.standardInput.count
                return channel.connection.wire.isAlive
            }
            written += count
        }
        if written == command.standardInput.count && !hasSentEnd {
            hasSentEnd = channel.sendEnd() != LIBSSH2_ERROR_EAGAIN
        }
        return true
    }

    /// Reads one stream; the number of bytes, or -1 when the connection broke.
    private mutating func read(_ stream: Int32) -> Int {
        unsafe withUnsafeTemporaryAllocation(byteCount: Self.chunk, alignment: 16) { buffer in
            var total = 0
            while total < Self.share / 2 {
                let count = unsafe channel.read(stream: stream, into: buffer)
                if count == 0 || count == Channel.wouldBlock { return total }
                guard count > 0 else { return -1 }
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count])
                if stream == 0 { unsafe output.append(bytes) } else { unsafe errors.append(bytes) }
                total += count
            }
            // Twice the half share means "more" even when only one stream talks.
            return Self.share
        }
    }
}

extension Connection {
    /// Runs one command to its end.
    ///
    /// The call is attached. Whatever happens, the channel is closed or being closed on return.
    func run(_ command: SSHCommand, for call: Call, onStart: () -> Void) async throws(SSHError) -> SSHCommandResult {
        let channel = try await open(.session, for: call)
        defer { release(channel) }
        try call.check()
        call.phase = .command
        call.mayHaveStarted = true
        onStart()
        var execution = Execution(command, on: channel)
        while true {
            switch execution.step() {
            case .waiting: try await call.wait()
            case .more: try await call.yield()
            case .refused:
                throw SSHError(
                    code: .channelRefused, destination: call.destination, detail: "the node refuses to run commands",
                    hint: "look at ForceCommand, restrict options of the key, and the user's shell",
                    mayHaveStarted: false)
            case .broken:
                if wire.isAlive { wire.fail(session.lastError) }
                throw lostError(call)
            case .done:
                return SSHCommandResult(
                    standardOutput: execution.output.bytes, standardError: execution.errors.bytes,
                    standardOutputTruncated: execution.output.isTruncated,
                    standardErrorTruncated: execution.errors.isTruncated, outcome: channel.outcome,
                    elapsed: call.elapsed)
            }
        }
    }
}
