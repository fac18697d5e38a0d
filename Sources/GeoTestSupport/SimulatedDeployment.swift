package import GeoCore
package import GeoRuntime
import Synchronization

/// A deployment of two sites in memory that obeys the argument vectors of plans, answers job scripts as a node's shell
/// would, and can be looked at. Time is a ``ManualClock``; faults strike at numbered remote operations.
///
/// Holds every promise against what is true: see ``SimulatedState/violations``.
package final class SimulatedDeployment: Sendable {
    /// What befalls one remote operation: a job exchange, or a visit of one node by an observation.
    package enum Fault: String, Sendable, Hashable, CaseIterable {
        case refusesConnection, hangs, cutBeforeEffect, cutAfterEffect, garbage, truncated, reboot
        /// The node is out of reach until ``SimulatedState/heal()``.
        case partition
        /// A command that starts with this exchange does nothing and exits with 1; so do all programs of a look.
        case fails
    }

    package let clock: ManualClock
    private let truth: Mutex<SimulatedState>
    private let traffic: Mutex<Traffic>

    private struct Traffic {
        var operations = 0
        var exchanges: Set<Int> = []
        var faults: [Int: Fault] = [:]
        var struck: [String] = []
        var random = SeededGenerator(seed: 7)
    }

    package init(
        inventory: Inventory = Fixtures.inventory(), from: SiteID = Fixtures.tokyo, to: SiteID = Fixtures.seoul,
        clock: ManualClock = ManualClock()
    ) {
        self.clock = clock
        self.truth = Mutex(SimulatedState(inventory: inventory, from: from, to: to, now: clock.now))
        self.traffic = Mutex(Traffic())
    }

    /// Another deployment of which the same is true, with a clock of its own and no faults.
    package init(copying state: SimulatedState) {
        self.clock = ManualClock(at: state.now)
        self.truth = Mutex(state)
        self.traffic = Mutex(Traffic())
    }

    /// Reads or changes what is true, at this moment.
    @discardableResult
    package func withState<Value: Sendable>(_ body: (inout SimulatedState) -> Value) -> Value {
        let now = clock.now
        return truth.withLock { state in
            state.pass(until: now)
            return body(&state)
        }
    }

    /// Faults by the number of the remote operation that they strike, the first being 0.
    package func inject(_ faults: [Int: Fault], seed: UInt64 = 7) {
        traffic.withLock {
            $0.faults = faults
            $0.random = SeededGenerator(seed: seed)
        }
    }

    package var operations: Int { traffic.withLock { $0.operations } }
    /// The numbers of the operations that were job exchanges.
    package var exchanges: Set<Int> { traffic.withLock { $0.exchanges } }
    package var faultsThatStruck: [String] { traffic.withLock { $0.struck } }

    private func strike(_ what: String) -> Fault? {
        traffic.withLock { traffic in
            defer { traffic.operations += 1 }
            guard let fault = traffic.faults[traffic.operations] else { return nil }
            traffic.struck.append("\(fault.rawValue) at operation \(traffic.operations) (\(what))")
            return fault
        }
    }

    private func random(below bound: Int) -> Int {
        traffic.withLock { Int.random(in: 0..<max(1, bound), using: &$0.random) }
    }

    // MARK: Looking

    package func observe(_ scope: ObservationScope) -> Observation {
        let startedAt = clock.now
        var nodes: [NodeID: NodeFacts] = [:]
        for node in withState({ $0.inventory }).nodes {
            guard let probes = scope.probes[node.id] else { continue }
            let reason: String?
            let fault = strike("look at \(node.id)")
            switch fault {
            case nil, .fails: reason = nil
            case .hangs:
                clock.advance(seconds: 20)
                reason = "no answer within 20 s"
            case .reboot:
                withState { $0.reboot(node.id) }
                reason = "the connection was lost"
            case .partition:
                withState { $0.nodes[$0.index(node.id)].isReachable = false }
                reason = nil
            case .refusesConnection, .cutBeforeEffect, .cutAfterEffect, .garbage, .truncated:
                reason = "the answer was cut off"
            }
            nodes[node.id] = withState { state in
                if let reason { return .unreachable(reason) }
                guard state[node.id].answers else { return .unreachable("no route to host") }
                if fault == .fails { return state.facts(of: node.id, failing: probes) }
                let sites = (scope.watched[node.id] ?? []).union(scope.linked[node.id] ?? [])
                return state.facts(of: node.id, asking: probes, lookingAt: sites)
            }
        }
        let sites = scope.siteURLs.sorted().map { site -> (SiteID, Observed<Int>) in
            let isReady = withState {
                $0.whyNotTrue(CheckReference(check: "site.ready", subject: .site(id: site))) == nil
            }
            return (site, .known(value: isReady ? 200 : 502, at: clock.now, from: "operator"))
        }
        let isolation = scope.isolation.sorted().compactMap { id -> (NodeID, Observed<Isolation>)? in
            let (fence, isOff) = withState { state in
                (state.inventory.node(id).flatMap { state.inventory.fences(for: $0).first }, state[id].isOff)
            }
            guard nodes[id]?.services.value == nil, let fence else { return nil }
            return (id, .known(value: isOff ? .proven(by: fence.name) : .open, at: clock.now, from: "operator"))
        }
        return Observation(
            startedAt: startedAt, endedAt: clock.now, nodes: nodes,
            siteReadiness: Dictionary(uniqueKeysWithValues: sites),
            siteAddresses: Fixtures.siteAddresses().filter { scope.siteNames.contains($0.key) }.mapValues { addresses in
                .known(value: addresses.value ?? [], at: clock.now, from: "operator")
            },
            operatorMachine: scope.asksOperator
                ? .known(value: Fixtures.operatorMachine(), at: clock.now, from: "operator") : .notAsked,
            isolation: Dictionary(uniqueKeysWithValues: isolation))
    }

    // MARK: Changing

    package var shell: NodeShell {
        NodeShell { script, offset, node in self.exchange(script, offset, node) }
    }

    package func exchange(_ script: JobScript, _ offset: Int, _ node: Node) -> NodeVisit {
        traffic.withLock { _ = $0.exchanges.insert($0.operations) }
        let fault = strike("\(script.key) on \(node.id)")
        switch fault {
        case .refusesConnection: return Self.failed(.unreachable, "connection refused")
        case .hangs:
            clock.advance(seconds: 17)
            return Self.failed(.timedOut, "no answer within 17 s")
        case .cutBeforeEffect: return Self.failed(.lost, "the connection was lost")
        case .partition: withState { $0.nodes[$0.index(node.id)].isReachable = false }
        case .cutAfterEffect, .garbage, .truncated, .reboot, .fails, nil: break
        }
        guard withState({ $0[node.id].answers }) else { return Self.failed(.unreachable, "no route to host") }
        // One exchange costs a moment, and waits on the node while the command runs.
        clock.advance(seconds: 0.05)
        let isRunning = withState { $0.accept(script, on: node.id, isFailing: fault == .fails) }
        if isRunning { clock.advance(seconds: Double(JobScript.waitSeconds)) }
        if fault == .reboot { withState { $0.reboot(node.id) } }
        let answer = withState { $0.answer(script, offset: offset, on: node.id) }
        switch fault {
        case .cutAfterEffect, .reboot: return Self.failed(.lost, "the connection was lost")
        case .garbage: return .answered(output: [0x1B, 0xFF, 0x00] + Array(answer.reversed()), elapsedMilliseconds: 50)
        case .truncated:
            return .answered(output: Array(answer.prefix(random(below: answer.count))), elapsedMilliseconds: 50)
        default: return .answered(output: answer, elapsedMilliseconds: 50)
        }
    }

    private static func failed(_ kind: NodeFailure.Kind, _ text: String) -> NodeVisit {
        .failed(NodeFailure(kind: kind, text: text, mayHaveStarted: kind != .unreachable))
    }
}

extension SimulatedState {
    private func refusal(_ script: JobScript, _ node: SimulatedNode) -> String? {
        if node.identity.hostName != script.expected.hostName || node.machineID != script.expected.machineID {
            return "this is \(node.identity.hostName) with machine id \(node.machineID)"
        }
        if !node.jobs.contains(where: { $0.run == script.run && $0.key == script.key }) {
            if let expected = script.marks.siteName, expected != node.siteName {
                return "this node says that it belongs to the site \(node.siteName)"
            }
            if let expected = script.marks.systemIdentifier, node.database == nil || expected != node.systemIdentifier {
                return "the database is another one: its system identifier is \(node.systemIdentifier)"
            }
        }
        return node.epoch > script.epoch ? "another run holds this node: its epoch is \(node.epoch)" : nil
    }

    private func job(_ script: JobScript, _ index: Int) -> Int? {
        nodes[index].jobs.firstIndex { $0.run == script.run && $0.key == script.key }
    }

    /// Starts the job unless its key is known; tells whether it runs.
    fileprivate mutating func accept(_ script: JobScript, on id: NodeID, isFailing: Bool) -> Bool {
        let index = index(id)
        guard refusal(script, nodes[index]) == nil else { return false }
        nodes[index].epoch = max(nodes[index].epoch, script.epoch)
        if job(script, index) == nil {
            begin(script.command, script.run, script.key, on: index, isFailing: isFailing)
        }
        return job(script, index).map { !nodes[index].jobs[$0].isOver } ?? false
    }

    /// The text that the script prints.
    fileprivate func answer(_ script: JobScript, offset: Int, on id: NodeID) -> [UInt8] {
        let index = index(id)
        let mark = script.boundary
        if let refusal = refusal(script, nodes[index]) { return Array("\(mark) refused \(refusal)\n".utf8) }
        guard let position = job(script, index) else { return [] }
        let job = nodes[index].jobs[position]
        let state: String
        if let status = job.status, let ended = job.endedAt {
            state = "exited \(status) \(ended.milliseconds) \(job.startedAt.milliseconds)"
        } else if job.isLost {
            state = "lost the node was started again while the command ran"
        } else {
            state = "running"
        }
        let count = min(max(0, job.output.count - offset), JobScript.chunkBytes)
        let part = count > 0 ? Array(job.output[offset..<(offset + count)]) : []
        return Array("\(mark) \(state)\n\(mark) output \(offset) \(count) \(job.output.count)\n".utf8) + part
            + Array("\n\(mark) end\n".utf8)
    }
}
