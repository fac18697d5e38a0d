import Foundation
import GeoCore
import GeoTestSupport
import Testing

/// A watch over a long time, with everything in it that looks like a disaster for a moment. Repeatable: the seeds are
/// fixed. `GEO_FAILOVER_TESTS=thorough` watches 10,000 hours.
@Suite struct WatchSimulationTests {
    private static let interval = 30.0
    private static let hours = 1000

    private static let seeds: [UInt64] =
        ProcessInfo.processInfo.environment["GEO_FAILOVER_TESTS"] == "thorough"
        ? (0..<10).map { 20_261_121 + $0 } : [20_261_121]

    @Test(arguments: seeds) func inAThousandHoursOfNoiseNoDisasterIsCalled(seed: UInt64) {
        var world = WatchedWorld(seed: seed)
        var state = WatchState()
        var (calls, suspicions, kinds) = (0, 0, Set<Diagnosis.Kind>())
        let looks = Int(Double(Self.hours) * 3600 / Self.interval)
        for index in 0..<looks {
            let diagnosis = world.look(after: Self.interval * Double(index))
            kinds.insert(diagnosis.kind)
            for event in state.take(diagnosis) {
                switch event {
                case .called(_, let diagnosis):
                    calls += 1
                    Issue.record("look \(index): \(diagnosis.kind), \(diagnosis.reasons), \(world.effects)")
                case .suspected: suspicions += 1
                case .changed, .dismissed: break
                }
            }
            if calls > 0 { return }
        }
        #expect(state.looks == 120_000)
        // The noise is not so weak that it proves nothing.
        #expect(suspicions > 50, "\(suspicions) suspicions")
        #expect(kinds.isSuperset(of: [.healthy, .degraded, .unreachableFromHere, .replicationStalled, .databaseDown]))
    }

    @Test(arguments: WatchedWorld.Disaster.allCases)
    func aTrueDisasterIsCalledWithinThreeIntervals(_ disaster: WatchedWorld.Disaster) {
        for seed in UInt64(1)...100 {
            var world = WatchedWorld(seed: seed, isMild: true)
            var state = WatchState()
            let onset = 20 + Int(seed % 40)
            var called: Int?
            for index in 0..<(onset + 5) {
                if index == onset { world.disaster = disaster }
                let events = state.take(world.look(after: Self.interval * Double(index)))
                for case .called in events where called == nil { called = index }
            }
            // The looks of the first, second and third interval.
            let looks = called.map { $0 - onset + 1 }
            #expect(looks.map { $0 >= 1 && $0 <= 3 } == true, "seed \(seed): \(String(describing: looks))")
        }
    }
}

/// Two sites as a watch sees them, in a network and on machines that are as they are.
struct WatchedWorld {
    enum Disaster: String, Sendable, CaseIterable {
        case siteOff, databaseStopped, databaseMachineOff, nobodyWritable, twoWritable
    }

    /// What is different from all being well in one look.
    struct Effects: Hashable {
        enum Cut: Hashable { case operatorMachine, peer(NodeID), stream, siteLink }
        var cut: Cut?
        var isRestarting = false
        var slow: Set<NodeID> = []
        var lostVisits: Set<NodeID> = []
        var lostLooks: Set<[NodeID]> = []
        var isPageLost = false
        var disaster: Disaster?
    }

    var disaster: Disaster?
    private(set) var effects = Effects()
    private var random: SeededGenerator
    /// Losses, one peer cut, one slow sshd; without it also the longer cuts, whole sites that are slow, and restarts.
    private let isMild: Bool
    private var cut: (cut: Effects.Cut, looks: Int)?
    private var slow: (nodes: Set<NodeID>, looks: Int)?
    private var restart: (from: Double, until: Double)?
    private var known: [Effects: Diagnosis] = [:]

    private static let inventory = Fixtures.inventory()
    private static let nodes = inventory.nodes.map(\.id)
    private static let tokyo = inventory.site("tokyo")?.nodes.map(\.id) ?? []
    private static let databases: Set<NodeID> = ["tokyo-pg-1", "seoul-pg-1"]
    private static let peers = inventory.vantagePoints(at: "tokyo").map(\.id)

    init(seed: UInt64, isMild: Bool = false) {
        self.random = SeededGenerator(seed: seed)
        self.isMild = isMild
    }

    private mutating func happens(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &random) == 0 }
    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    mutating func look(after seconds: Double) -> Diagnosis {
        pass(seconds)
        if known[effects] == nil { known[effects] = Diagnosis(of: Self.inventory, observation) }
        guard var diagnosis = known[effects] else { preconditionFailure("it was judged") }
        diagnosis.at = Fixtures.moment(seconds)
        return diagnosis
    }

    private mutating func pass(_ seconds: Double) {
        effects = Effects(disaster: disaster)
        if cut == nil, happens(200) {
            let all: [Effects.Cut] = [.operatorMachine, .stream, .siteLink] + Self.peers.map { .peer($0) }
            let chosen = isMild ? Effects.Cut.peer(Self.peers[number(0...2)]) : all[number(0...(all.count - 1))]
            cut = (chosen, number(1...240))
        }
        if slow == nil, happens(150) {
            let one = Self.nodes[number(0...(Self.nodes.count - 1))]
            slow = (!isMild && happens(3) ? Set(Self.tokyo) : [one], number(1...20))
        }
        // Up to 55 s: PostgreSQL and Puma come back one after the other.
        if !isMild, restart == nil, happens(200) {
            let from = seconds + Double(number(0...29))
            restart = (from, from + Double(number(5...55)))
        }
        // That nobody can write is known only where every database was asked: a look without one of them is no look.
        let spared = disaster == .nobodyWritable ? Self.databases : []
        effects.cut = cut?.cut
        effects.slow = (slow?.nodes ?? []).subtracting(spared)
        effects.isRestarting = restart.map { $0.from <= seconds && seconds < $0.until } ?? false
        for node in Self.nodes where happens(500) && !spared.contains(node) { effects.lostVisits.insert(node) }
        for peer in Self.peers {
            for node in Self.tokyo where happens(500) { effects.lostLooks.insert([peer, node]) }
        }
        effects.isPageLost = happens(500)
        if let left = cut { cut = left.looks > 1 ? (left.cut, left.looks - 1) : nil }
        if let left = slow { slow = left.looks > 1 ? (left.nodes, left.looks - 1) : nil }
        if let left = restart, left.until <= seconds { restart = nil }
    }

    /// What such a world shows: first what is true, then what hides it.
    private var observation: Observation {
        var seen = Fixtures.healthy()
        switch disaster {
        case .siteOff: seen.powerOff(Self.tokyo)
        case .databaseStopped: seen.stopDatabase()
        case .databaseMachineOff: seen.powerOff(["tokyo-pg-1"])
        case .nobodyWritable: seen.put(\.database, Fixtures.standby(), on: "tokyo-pg-1")
        case .twoWritable: seen.put(\.database, Fixtures.primary(timeline: 2), on: "seoul-pg-1")
        case nil: if effects.isRestarting { seen.stopDatabase() }
        }
        for (peer, node) in effects.lostLooks.map({ ($0[0], $0[1]) }) { seen.see(node, .silent, from: peer) }
        switch effects.cut {
        case .operatorMachine: seen.cutOperator(from: Self.tokyo)
        case .peer(let peer): blind(peer, &seen)
        case .stream: cutStream(&seen)
        case .siteLink:
            for peer in Self.peers { blind(peer, &seen) }
            cutStream(&seen)
        case nil: break
        }
        for node in effects.slow.union(effects.lostVisits) {
            let isSlow = effects.slow.contains(node)
            guard seen[node].connection.value != nil else { continue }
            seen = seen.losing(node)
            if isSlow { seen.put(\.contact, .answered, on: node) }
        }
        if effects.isPageLost { seen.siteReadiness["tokyo"] = .unknown(reason: "connection timed out") }
        return seen
    }

    private func blind(_ peer: NodeID, _ seen: inout Observation) {
        seen.put(\.views, Fixtures.views(of: ["tokyo"], .silent, readiness: nil), on: peer)
    }

    private func cutStream(_ seen: inout Observation) {
        guard disaster != .twoWritable else { return }
        seen.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
    }
}
