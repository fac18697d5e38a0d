internal import CLibSSH2

/// Work on a connection that no task waits for: closing channels, finishing abandoned openings, relaying.
protocol Stepper: AnyObject {
    /// Goes as far as possible without blocking.
    ///
    /// True when it is done and can be dropped.
    func step() -> Bool
}

/// One SSH session with everything that happens on it.
///
/// Confined to the loop's thread.
///
/// libssh2 hands packets of one channel to whoever reads another; so after any byte everyone on the connection looks
/// again: the steppers, the calls, and the sessions that run through this one as
/// their jump host.
final class Connection: EventHandler, TurnEnding, @unchecked Sendable {
    let destination: SSHDestination
    let wire: Wire
    let session: Session

    /// The calls that run here now.
    private var calls: [ObjectIdentifier: Call] = [:]
    private var steppers: [any Stepper] = []
    /// Sessions whose wire is a channel of this one.
    private var tunnels: [ObjectIdentifier: Connection] = [:]
    /// Forwards keep the connection although no call runs.
    private var forwards: [ObjectIdentifier: ForwardListener] = [:]
    /// libssh2 can open one channel at a time per session; who is at it, and who waits.
    var opener: Opening?
    private var isEndOfTurnPending = false
    private var isRoundPending = false
    private var timer: UInt64?
    private var idleSince = EventLoop.clock()
    /// No new calls; the connection ends with the last one it has.
    private(set) var isRetired = false
    private(set) var isShutDown = false

    init?(destination: SSHDestination, wire: Wire) {
        guard let session = Session(over: wire) else { return nil }
        self.destination = destination
        self.wire = wire
        self.session = session
        wire.onActivity = { [weak self] received in self?.arrangeEndOfTurn(received: received) }
    }

    var isUsable: Bool { !isRetired && !isShutDown && wire.isAlive }
    private var isIdle: Bool { calls.isEmpty && tunnels.isEmpty && forwards.isEmpty }

    // MARK: Who is here

    func attach(_ call: Call) { calls[ObjectIdentifier(call)] = call }

    func detach(_ call: Call) {
        calls[ObjectIdentifier(call)] = nil
        idleSince = EventLoop.clock()
        endIfDone()
    }

    func add(_ stepper: any Stepper) {
        if stepper.step() || isShutDown { return }
        steppers.append(stepper)
    }

    func addTunnel(_ inner: Connection) { tunnels[ObjectIdentifier(inner)] = inner }

    func removeTunnel(_ inner: Connection) {
        tunnels[ObjectIdentifier(inner)] = nil
        idleSince = EventLoop.clock()
        endIfDone()
    }

    func add(_ forward: ForwardListener) { forwards[ObjectIdentifier(forward)] = forward }

    func remove(_ forward: ForwardListener) {
        forwards[ObjectIdentifier(forward)] = nil
        idleSince = EventLoop.clock()
        endIfDone()
    }

    /// Takes no new calls from now on.
    func retire() {
        isRetired = true
        endIfDone()
    }

    private func endIfDone() {
        if isIdle && (isRetired || !wire.isAlive) { shutDown() }
    }

    /// Closes a channel without waiting for the node's word.
    func release(_ channel: Channel) {
        guard !channel.free(), !isShutDown else { return }
        add(Closing(channel))
    }

    // MARK: Turns

    func ready(_ events: Readiness) {
        if !events.isDisjoint(with: [.readable, .ending]) { wire.becameReadable() }
        wire.flush()
        wakeAll()
    }

    private func arrangeEndOfTurn(received: Bool) {
        // A single call reads on by itself until nothing is left.
        if received && calls.count + steppers.count + tunnels.count > 1 { isRoundPending = true }
        guard !isEndOfTurnPending else { return }
        isEndOfTurnPending = true
        EventLoop.shared.atEndOfTurn(self)
    }

    func endOfTurn() {
        isEndOfTurnPending = false
        wire.flush()
        if isRoundPending || !wire.isAlive {
            isRoundPending = false
            wakeAll()
        }
    }

    /// Lets everyone look again.
    func wakeAll() {
        guard !isShutDown else { return }
        let current = steppers
        steppers = []
        let unfinished = current.filter { !$0.step() }
        // A stepper may have added another one meanwhile.
        if !isShutDown { steppers = unfinished + steppers }
        for call in calls.values { call.wake() }
        for inner in tunnels.values where inner.wire.hasNews() {
            inner.wire.flush()
            inner.wakeAll()
        }
        if calls.isEmpty && steppers.isEmpty && tunnels.isEmpty && !wire.readAhead() { isRetired = true }
        if !wire.isAlive { lose() }
        endIfDone()
    }

    private func lose() {
        isRetired = true
        for forward in forwards.values { forward.end() }
        for inner in tunnels.values {
            inner.wire.fail("the connection to the jump host \(destination.name) was lost")
            inner.wakeAll()
        }
    }

    // MARK: Living and ending

    /// Starts the keepalive once the connection is logged in.
    func keepAlive(everySeconds interval: Int, idleLimitSeconds: Int) {
        let nanoseconds = UInt64(interval) * 1_000_000_000
        timer = EventLoop.shared.schedule(at: EventLoop.clock() + nanoseconds) { [weak self] in
            guard let self, !isShutDown else { return }
            let now = EventLoop.clock()
            if now - wire.lastByte > 3 * nanoseconds {
                wire.fail("no sign of life for \((now - wire.lastByte) / 1_000_000_000) s")
                wakeAll()
                return
            }
            if isIdle && now - idleSince > UInt64(idleLimitSeconds) * 1_000_000_000 { return shutDown() }
            session.sendKeepalive()
            keepAlive(everySeconds: interval, idleLimitSeconds: idleLimitSeconds)
        }
    }

    /// Ends the connection and everything on it.
    ///
    /// Once is enough, more does no harm.
    func shutDown() {
        guard !isShutDown else { return }
        isShutDown = true
        isRetired = true
        if let timer { EventLoop.shared.cancel(timer: timer) }
        for forward in forwards.values { forward.end() }
        if wire.isAlive { session.disconnect() }
        let outer: Connection? = if case .tunnel(let channel) = wire.link { channel.connection } else { nil }
        wire.close()
        // With the wire closed, freeing a channel never waits.
        steppers = []
        opener = nil
        for inner in tunnels.values { inner.shutDown() }
        tunnels = [:]
        for call in calls.values { call.wake() }
        outer?.removeTunnel(self)
    }
}

/// A channel whose closing the node has not confirmed yet.
private final class Closing: Stepper {
    private let channel: Channel
    private let timer: UInt64

    init(_ channel: Channel) {
        self.channel = channel
        // A node that does not answer in this time keeps the connection from being used again: its session slot is not
        // free.
        let limit = EventLoop.clock() + 2_000_000_000
        timer = EventLoop.shared.schedule(at: limit) { [weak connection = channel.connection] in connection?.retire() }
    }

    deinit { EventLoop.shared.cancel(timer: timer) }

    func step() -> Bool { channel.free() }
}
