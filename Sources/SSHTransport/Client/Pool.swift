internal import CLibSSH2

/// Lets a number of calls through at a time, first come, first served.
final class Turnstile {
    private var free: Int
    private var waiting: [Call] = []

    init(_ count: Int) { free = count }

    func enter(_ call: Call) async throws(SSHError) {
        guard free == 0 || !waiting.isEmpty else {
            free -= 1
            return
        }
        waiting.append(call)
        defer { waiting.removeAll { $0 === call } }
        while free == 0 || waiting.first !== call {
            do throws(SSHError) {
                try await call.wait()
            } catch {
                waiting.removeAll { $0 === call }
                waiting.first?.wake()
                throw error
            }
        }
        free -= 1
    }

    func leave() {
        free += 1
        waiting.first?.wake()
    }
}

/// The connections of a client, one per destination; confined to the loop's thread.
final class Pool: @unchecked Sendable {
    /// A connection's place.
    ///
    /// Only jump hosts get spare ones, while others are busy with dead nodes.
    private struct Place: Hashable {
        var destination: SSHDestination
        var spare = 0
    }

    /// One place: its connection, or the attempt to make one, which calls share with its failure.
    private final class Slot {
        var connection: Connection?
        var attempt = 0
        var isConnecting = false
        var failure: (attempt: Int, error: SSHError)?
        var waiting: [Call] = []
    }

    private let configuration: SSHConfiguration
    private let knownHosts: KnownHosts
    private let credentials: [Credential]
    private let turnstile: Turnstile
    private let ledger: Ledger
    private var slots: [Place: Slot] = [:]
    private var calls: [ObjectIdentifier: Call] = [:]
    private(set) var isClosed = false
    /// sshd drops connections at random when many log in at once (MaxStartups); so often one is tried again.
    private static let bannerAttempts = 5
    /// So many dead nodes behind one jump host at once delay nobody.
    private static let jumpConnections = 16

    init(_ configuration: SSHConfiguration, knownHosts: KnownHosts, credentials: [Credential], ledger: Ledger) {
        self.configuration = configuration
        self.knownHosts = knownHosts
        self.credentials = credentials
        self.ledger = ledger
        turnstile = Turnstile(configuration.handshakesAtOnce)
    }

    func enter(_ call: Call) {
        calls[ObjectIdentifier(call)] = call
        if isClosed { call.interrupt(.closed) }
    }

    func leave(_ call: Call) { calls[ObjectIdentifier(call)] = nil }

    func close() {
        isClosed = true
        for call in calls.values { call.interrupt(.closed) }
        for slot in slots.values { slot.connection?.shutDown() }
        slots = [:]
    }

    /// A connection to the destination, to which the call is attached.
    ///
    /// `isFresh` when it was made for this call.
    func connection(
        to destination: SSHDestination, spare: Int = 0, for call: Call
    ) async throws(SSHError) -> (connection: Connection, isFresh: Bool) {
        let place = Place(destination: destination, spare: spare)
        let slot = slots[place] ?? Slot()
        slots[place] = slot
        while true {
            try call.check()
            if let connection = slot.connection, connection.isUsable {
                connection.attach(call)
                return (connection, false)
            }
            guard slot.isConnecting else { break }
            let attempt = slot.attempt
            slot.waiting.append(call)
            defer { slot.waiting.removeAll { $0 === call } }
            while slot.isConnecting && slot.attempt == attempt { try await call.wait() }
            if let failure = slot.failure, failure.attempt == attempt { throw failure.error }
        }
        return (try await lead(slot, to: destination, for: call), true)
    }

    /// Makes the connection for this call and all that wait for it.
    private func lead(_ slot: Slot, to destination: SSHDestination, for call: Call) async throws(SSHError) -> Connection
    {
        slot.attempt += 1
        slot.isConnecting = true
        defer {
            slot.isConnecting = false
            for waiting in slot.waiting { waiting.wake() }
        }
        let limit = call.limitConnecting(to: configuration.connectTimeLimit)
        defer { call.lift(limit) }
        do throws(SSHError) {
            let connection = try await connect(to: destination, for: call)
            slot.connection = connection
            return connection
        } catch {
            // What ended only this call says nothing about the destination.
            if call.interruption == nil || call.interruption == .connectLimit { slot.failure = (slot.attempt, error) }
            throw error
        }
    }

    private func connect(to destination: SSHDestination, for call: Call) async throws(SSHError) -> Connection {
        for attempt in 1... {
            do throws(SSHError) {
                return try await connectOnce(to: destination, for: call)
            } catch {
                let isDropped = error.code == .protocolFailure && error.hint.contains("MaxStartups")
                guard isDropped && attempt < Self.bannerAttempts else { throw error }
                let most = UInt64(100_000_000) << UInt64(attempt)
                try await call.pause(nanoseconds: UInt64.random(in: most / 4...most))
            }
        }
        preconditionFailure("the last attempt returns or throws")
    }

    private func connectOnce(to destination: SSHDestination, for call: Call) async throws(SSHError) -> Connection {
        let wire = Wire()
        guard let made = Connection(destination: destination, wire: wire) else {
            throw SSHError(code: .localFailure, destination: destination.name, detail: "libssh2 gives no session")
        }
        made.attach(call)
        do throws(SSHError) {
            // Outside the turnstile: a tunnel needs its jump host's connection to get through it first.
            let tunnel = try await tunnel(to: destination, for: call)
            if let tunnel { join(made, tunnel) }
            call.phase = .waitingForTurn
            try await turnstile.enter(call)
            defer { turnstile.leave() }
            if tunnel == nil { try await dial(made, for: call) }
            let descriptor = made.wire.descriptor
            try await made.shakeHands(knownHosts: knownHosts, descriptor: descriptor, for: call)
            try await made.logIn(with: credentials, for: call)
            if tunnel == nil { Dialing.acknowledgeQuickly(descriptor) }
        } catch {
            made.shutDown()
            throw error
        }
        made.keepAlive(everySeconds: configuration.keepaliveSeconds, idleLimitSeconds: configuration.idleLimitSeconds)
        ledger.note(destination) { $0.connectionsOpened += 1 }
        return made
    }

    /// A channel through the last jump host, or `nil` when the destination is reached directly.
    ///
    /// All share one connection to the jump host. Only while that is busy with a node that does not answer, a spare one
    /// is used: libssh2 opens one channel at a time, and one dead node must not hold the others up.
    private func tunnel(to destination: SSHDestination, for call: Call) async throws(SSHError) -> Channel? {
        guard var jump = destination.jump.last else { return nil }
        jump.jump = destination.jump.dropLast()
        for spare in 0..<Self.jumpConnections {
            let outer = try await outerConnection(jump, spare: spare, of: destination, for: call)
            defer { outer.detach(call) }
            let patience = spare + 1 < Self.jumpConnections ? configuration.jumpPatience : nil
            let kind = ChannelKind.tcp(host: destination.host, port: destination.port)
            if let channel = try await outer.open(
                kind, patience: patience.map { UInt64(0).advanced(by: $0) }, for: call)
            {
                return channel
            }
        }
        preconditionFailure("the last one is waited for")
    }

    private func outerConnection(
        _ jump: SSHDestination, spare: Int, of destination: SSHDestination, for call: Call
    ) async throws(SSHError) -> Connection {
        do throws(SSHError) {
            return try await connection(to: jump, spare: spare, for: call).connection
        } catch {
            guard error.destination == jump.name else { throw error }
            var error = error
            error.detail = "the jump host \(jump.name): " + error.detail
            error.destination = destination.name
            throw error
        }
    }

    private func join(_ made: Connection, _ channel: Channel) {
        made.wire.attach(.tunnel(channel))
        channel.connection.addTunnel(made)
    }

    private func dial(_ made: Connection, for call: Call) async throws(SSHError) {
        let descriptor = try await Dialing.connect(to: made.destination, for: call)
        guard let token = EventLoop.shared.watch(descriptor, made) else {
            Posix.close(descriptor)
            throw SSHError(
                code: .localFailure, destination: made.destination.name, detail: "epoll takes no more sockets")
        }
        made.wire.attach(.socket(descriptor: descriptor, token: token))
    }
}
