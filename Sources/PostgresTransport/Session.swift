import CLibPQ
import Glibc

/// One connection to one server, used by one task.
///
/// Closed and freed with its owner, wherever that stops.
@safe
struct Session: ~Copyable {
    private let pointer: OpaquePointer
    let endpoint: String
    let thread: PollThread

    /// Begins to connect; `establish` completes it.
    init(starting parameters: SessionParameters, endpoint: String, thread: PollThread) throws(PostgresError) {
        guard let pointer = unsafe parameters.start() else {
            throw PostgresError(code: .noResources, endpoint: endpoint, detail: "no memory for a connection")
        }
        unsafe self.pointer = pointer
        self.endpoint = endpoint
        self.thread = thread
        // libpq would print warnings on standard error.
        unsafe PQsetNoticeReceiver(pointer, { _, _ in }, nil)
        unsafe PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
    }

    deinit { unsafe PQfinish(pointer) }

    /// Connects and logs in.
    ///
    /// `connectDeadline` is for the network connection alone, for when there is another address to try.
    func establish(
        connectingUntil connectDeadline: ContinuousClock.Instant, until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) {
        guard unsafe PQstatus(pointer) != CONNECTION_BAD else { throw failure(otherwise: .badEndpoint) }
        var wants = PGRES_POLLING_WRITING
        while wants != PGRES_POLLING_OK {
            guard wants != PGRES_POLLING_FAILED else { throw failure(otherwise: .connectionLost) }
            let state = unsafe PQstatus(pointer)
            let isConnecting = state == CONNECTION_STARTED || state == CONNECTION_NEEDED
            try await wait(
                for: wants == PGRES_POLLING_READING ? .readable : .writable,
                until: isConnecting ? connectDeadline : deadline, phase: isConnecting ? .connecting : .startingSession)
            // May have closed one socket and opened another: `wait` asks for it anew each time.
            wants = unsafe PQconnectPoll(pointer)
        }
        guard unsafe PQsetnonblocking(pointer, 1) == 0 else { throw failure(otherwise: .noResources) }
    }

    /// Sends all statements at once, each followed by a sync, so that each is a transaction of its own.
    func send(_ statements: [String]) throws(PostgresError) {
        guard unsafe PQenterPipelineMode(pointer) == 1 else { throw failure(otherwise: .protocolViolation) }
        for statement in statements {
            guard unsafe PQsendQueryParams(pointer, statement, 0, nil, nil, nil, nil, 0) == 1,
                unsafe PQpipelineSync(pointer) == 1
            else { throw failure(otherwise: .connectionLost) }
        }
    }

    /// Has the statement whose results come next delivered row by row, so that a limit can be held while it streams.
    func expectRowByRow() throws(PostgresError) {
        guard unsafe PQsetSingleRowMode(pointer) == 1 else {
            throw PostgresError(code: .protocolViolation, endpoint: endpoint, detail: "no statement is running")
        }
    }

    /// The next piece of an answer; `nil` after the last of a statement.
    ///
    /// Sends what is still unsent meanwhile.
    func next(until deadline: ContinuousClock.Instant) async throws(PostgresError) -> Answer? {
        while true {
            // -1 is a broken connection: reading then says why, and may still bring the server's last words.
            let isUnsent = unsafe PQflush(pointer) == 1
            guard unsafe PQisBusy(pointer) == 1 else { break }
            try await wait(for: isUnsent ? [.readable, .writable] : .readable, until: deadline, phase: .querying)
            guard unsafe PQconsumeInput(pointer) == 1 else { throw failure(otherwise: .connectionLost) }
        }
        guard let result = unsafe PQgetResult(pointer) else { return nil }
        return unsafe Answer(adopting: result)
    }

    /// What libpq says about the connection.
    func failure(otherwise code: PostgresError.Code) -> PostgresError {
        ServerMessage(verbose: unsafe String(cString: PQerrorMessage(pointer))).error(at: endpoint, otherwise: code)
    }

    private func wait(
        for interest: PollThread.Interest, until deadline: ContinuousClock.Instant, phase: PostgresError.Phase
    ) async throws(PostgresError) {
        let descriptor = unsafe PQsocket(pointer)
        guard descriptor >= 0 else { throw failure(otherwise: .connectionLost) }
        switch await thread.wait(for: interest, on: descriptor, until: deadline) {
        case .ready: break
        case .timedOut: throw PostgresError(timedOutWhile: phase, endpoint: endpoint)
        case .cancelled: throw PostgresError(cancelledAt: endpoint)
        }
    }
}

extension PostgresError {
    init(timedOutWhile phase: Phase, endpoint: String) {
        let hint: String? =
            switch phase {
            case .lookingUpName: "the resolver does not answer"
            case .connecting: "a firewall may drop the packets, or the node is down"
            case .startingSession: "something accepts connections there and does not answer: a hung server or a pooler"
            case .querying: nil
            }
        self.init(code: .timedOut(phase), endpoint: endpoint, detail: "no answer within the time limit", hint: hint)
    }

    init(cancelledAt endpoint: String) {
        self.init(code: .cancelled, endpoint: endpoint, detail: "the caller no longer wants the answer")
    }
}
