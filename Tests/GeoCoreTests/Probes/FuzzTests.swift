import Foundation
import GeoCore
import GeoTestSupport
import Testing

/// Answers that nobody has thought of. Every run is repeatable: the seed is fixed, and a failure names the iteration.
///
/// `GEO_FAILOVER_TESTS=thorough` makes 25 times as many, the same ones every time: 7,500 of each probe and 10,000 of a
/// broken node (`scripts/reliability fuzz`; docs/RELIABILITY.md has the number in all).
@Suite struct FuzzTests {
    private static let seed: UInt64 = 20_261_121
    private static let factor = ProcessInfo.processInfo.environment["GEO_FAILOVER_TESTS"] == "thorough" ? 25 : 1

    private static let noise: [[UInt8]] = [
        [0], [0xFF, 0xFE], Array("\u{1B}[31m".utf8), Array("\r\n".utf8), Array("\u{202E}".utf8), Array("}".utf8),
        Array("{\"a\":".utf8), Array("\n0123456789abcdef end services 0\n".utf8), Array("-9223372036854775809".utf8),
        Array("1e999".utf8), Array("null".utf8), Array("\\u0000".utf8), Array("true".utf8),
        [UInt8](repeating: 0x41, count: 300), Array("0123456789abcdef.sql done\n".utf8), Array(" ".utf8),
    ]

    private static func mutate(_ bytes: [UInt8], _ generator: inout SplitMix) -> [UInt8] {
        var mutated = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            guard !mutated.isEmpty else { return mutated }
            let index = Int.random(in: mutated.indices, using: &generator)
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: mutated[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: mutated[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: mutated.remove(at: index)
            case 3: mutated.insert(contentsOf: mutated[max(0, index - 40)...index], at: index)
            case 4: mutated.removeSubrange(index..<min(mutated.count, index + 60))
            case 5: mutated.insert(contentsOf: noise.randomElement(using: &generator) ?? [], at: index)
            default: mutated.removeLast(min(mutated.count, Int.random(in: 1...200, using: &generator)))
            }
        }
        return mutated
    }

    /// Each reader by itself, so that most mutations hit what it reads.
    @Test(arguments: Probe.allCases) func noAnswerOfAProbeCrashesItsReaderOrGivesNonsense(probe: Probe) {
        let script = RecordedAnswer.script([probe])
        let bytes = RecordedAnswer.whole.bytes(script)
        let whole = RecordedAnswer.facts(bytes, script)
        var generator = SplitMix(seed: Self.seed &+ UInt64(Probe.allCases.firstIndex(of: probe) ?? 0))
        var different = 0
        for iteration in 0..<(300 * Self.factor) {
            let facts = RecordedAnswer.facts(Self.mutate(bytes, &generator), script)
            if facts != whole { different += 1 }
            guard let nonsense = Self.nonsense(in: facts) else { continue }
            Issue.record("\(probe), iteration \(iteration): \(nonsense)")
            return
        }
        #expect(different > 100 * Self.factor)
    }

    /// What no node can mean, whatever it says.
    private static func nonsense(in facts: NodeFacts) -> String? {
        if let disks = facts.disks.value, disks.contains(where: { $0.freeBytes < 0 || $0.freeBytes > $0.totalBytes }) {
            return "\(disks)"
        }
        if let ports = facts.listeningPorts.value, ports.contains(where: { !(1...65535).contains($0) }) {
            return "\(ports)"
        }
        if let queues = facts.queues.value, queues.values.contains(where: { $0 < 0 }) { return "\(queues)" }
        if let machine = facts.machine.value, machine.processors < 1 || machine.memoryBytes < 1 { return "\(machine)" }
        if let server = facts.server.value, server.databaseBytes < 1 { return "\(server)" }
        if let identity = facts.identity.value, identity.machineID.utf8.count != 32 { return "\(identity)" }
        if let digest = facts.secretsDigest.value, digest.utf8.count < 64 { return digest }
        // A reason reaches a terminal.
        let reasons = ProbeAnswerTests.facts(in: facts).values.map { String(describing: $0.base) }
        return reasons.first { text in
            text.hasPrefix("unknown") && text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
        }
    }

    /// A node about which several things are wrong at once. No damage to what it says may turn any of them into a pass:
    /// to do that, at least two places would have to say something else that fits.
    @Test func noDamagedAnswerOfABrokenNodeIsEverAPass() throws {
        let script = RecordedAnswer.script(Set(Self.broken.flatMap(\.probes)))
        let bytes = Self.answer.bytes(script)
        var generator = SplitMix(seed: Self.seed)
        var asked = 0
        for iteration in 0..<(400 * Self.factor) {
            let facts = RecordedAnswer.facts(iteration == 0 ? bytes : Self.mutate(bytes, &generator), script)
            for line in Self.broken {
                let findings = Self.findings(line.check, facts)
                asked += findings.count
                guard findings.worst == .pass else { continue }
                Issue.record("\(line.check), iteration \(iteration): \(findings.map(\.summary))")
                return
            }
            if iteration == 0 {
                for line in Self.broken { #expect(Self.findings(line.check, facts).worst == .fail, "\(line.check)") }
            }
        }
        #expect(asked >= 400 * Self.factor * Self.broken.count)
    }

    private static let broken: [(check: CheckID, probes: [Probe])] = [
        ("node.services-up", [.services]), ("node.disk", [.disks]), ("geo.verified", [.tracking]),
        ("geo.complete", [.tracking]), ("geo.log-cursor", [.tracking]),
        ("database.same-lineage", [.database]), ("database.standby-settings", [.database, .server]),
        ("replication.lag", [.database]), ("geo.tracking-schema", [.registryDetails, .trackingSchema]),
    ]

    private static let answer: RecordedAnswer = {
        var answer = RecordedAnswer.whole
        answer.sayings["services"] = .init(
            output: "down: postgresql: 12s, normally up\ndown: puma: 12s, normally up\ndown: gitaly: 9s, normally up\n"
                + "down: redis: 9s\ndown: sidekiq: 9s\ndown: geo-logcursor: 4s\ndown: geo-postgresql: 3s\n", status: 21)
        let paths = ["/etc/gitlab", "/opt/gitlab", "/var/opt/gitlab", "/var/log/gitlab"].map { "path \($0)\n" }
        let full = paths.map { _ in "/dev/vda1 263840404 263840404 0 100% /\n" }
        answer.sayings["disks"] = .init(
            output: (paths + ["Filesystem 1024-blocks Used Available Capacity Mounted on\n"] + full).joined())
        let empty = "\"verified\" : 0, \"verification_failed\" : 700, \"verification_disabled\" : 0}"
        let tables = ["project_repository_registry", "file_registry", "job_artifact_registry"].map {
            "\"\($0)\" : {\"total\" : 900, \"synced\" : 100, \"failed\" : 800, \(empty)"
        }
        let tracking =
            "{\"registries\" : {\(tables.joined(separator: ", "))}, \"unread\" : [], \"cursor_event_id\" : 12}"
        let server = """
            {"settings" : {"max_connections" : "11", "max_worker_processes" : "1", "max_wal_senders" : "1", \
            "max_prepared_transactions" : "0", "max_locks_per_transaction" : "12", "hot_standby" : "off"}, \
            "pending_restart" : [], "database_bytes" : 12884901888, "locale" : "en_US.UTF-8 en_US.UTF-8", \
            "collation_version" : "2.36", "transactions" : [], "prepared" : 0, "writing" : null}
            """
        answer.sayings["sql-main"] = .init(
            output: RecordedAnswer.psql([("replication", RecordedAnswer.standbyJSON), ("server", server)]))
        answer.sayings["sql-tracking"] = .init(
            output: RecordedAnswer.psql([
                ("tracking", tracking),
                (
                    "registry-details",
                    RecordedAnswer.registryDetailsJSON.replacing("20260729140502", with: "20200101000000")
                ),
            ]))
        return answer
    }()

    /// The broken node in the place of the candidate's, beside a healthy primary.
    private static func findings(_ check: CheckID, _ facts: NodeFacts) -> [Finding] {
        var observation = Fixtures.healthy()
        for node in ["seoul-pg-1", "seoul-geo-1"] as [NodeID] {
            observation.change(node) { known in
                known.services = moved(facts.services)
                known.disks = moved(facts.disks)
                known.database = moved(facts.database)
                known.server = moved(facts.server)
                known.tracking = moved(facts.tracking)
                known.registryDetails = moved(facts.registryDetails)
                known.trackingSchema = moved(facts.trackingSchema)
            }
        }
        let subject: Subject =
            CheckCatalog.check(check)?.scope == .node ? .on("seoul-pg-1") : .failover(from: "tokyo", to: "seoul")
        return askCheck(check, observation, about: subject)
    }

    /// As if it had been seen when the fixtures were.
    private static func moved<Value>(_ fact: Observed<Value>) -> Observed<Value> {
        switch fact {
        case .known(let value, _, _): Fixtures.seen(value, on: "seoul-pg-1")
        case .unknown: fact
        }
    }
}
