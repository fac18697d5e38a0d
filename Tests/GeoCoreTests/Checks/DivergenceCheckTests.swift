import GeoCore
import GeoTestSupport
import Testing

/// Before the data of a former primary is set aside.
@Suite struct DivergenceCheckTests {
    private static func archives(_ change: @escaping @Sendable (inout DivergenceArchive) -> Void)
        -> @Sendable (inout Observation) -> Void
    {
        { observation in
            guard let node = Fixtures.inventory().node("tokyo-pg-1") else { return }
            var archive = Fixtures.archive(of: node)
            change(&archive)
            observation.put(\.divergence, [archive], on: node.id)
        }
    }

    @Test(arguments: [
        CheckCase(
            "in the archive's last line", "divergence.saved", .on("tokyo-pg-1"), on: Fixtures.parted(), is: .pass,
            says: ["is complete"]),
        CheckCase(
            "nothing saved", "divergence.saved", .on("tokyo-pg-1"), on: Fixtures.parted(), is: .fail,
            says: ["has saved nothing of what is after 0/50000000"]
        ) { $0.put(\.divergence, [], on: "tokyo-pg-1") },
        CheckCase(
            "interrupted", "divergence.saved", .on("tokyo-pg-1"), on: Fixtures.parted(), is: .fail,
            says: ["is not complete"], change: archives { $0.completedAt = nil }),
        CheckCase(
            "of an earlier failover", "divergence.saved", .on("tokyo-pg-1"), on: Fixtures.parted(), is: .fail,
            says: ["has saved nothing"], change: archives { $0.name = "7-1-0-1" }),
        CheckCase(
            "without a part", "divergence.saved", .on("tokyo-pg-1"), on: Fixtures.parted(), is: .fail,
            says: ["has no database"], change: archives { $0.parts = [] }),
        CheckCase(
            "no room for the rows", "divergence.saved", .on("tokyo-pg-1"), on: Fixtures.parted(), is: .warn,
            says: ["left out: database: rows"], change: archives { $0.leftOut = ["database: rows, no room"] }),
        CheckCase(
            "already seeded again", "divergence.saved", .on("tokyo-pg-1"), on: Fixtures.parted(), is: .unknown,
            says: ["cannot be told any more"]
        ) { observation in
            observation.put(\.controlData, Fixtures.controlData("in archive recovery", timeline: 2), on: "tokyo-pg-1")
            guard let copied = observation["seoul-pg-1"].timelines.value else { return }
            observation.put(\.timelines, copied, on: "tokyo-pg-1")
        },
        CheckCase("a node with nothing", "divergence.saved", .on("tokyo-redis-1"), on: Fixtures.parted(), is: .pass),
        CheckCase(
            "before any promotion", "divergence.known", is: .pass, says: ["neither went on alone"]),
        CheckCase(
            "parted", "divergence.known", on: Fixtures.parted(), is: .pass,
            says: ["seoul left timeline 1 of tokyo at 0/50000000"]),
        CheckCase(
            "a history file that is gone", "divergence.known", on: Fixtures.parted(), is: .unknown,
            says: ["no history file"]
        ) { observation in
            observation.put(\.controlData, Fixtures.controlData("in production", timeline: 2), on: "seoul-pg-1")
            observation.put(\.timelines, TimelineFacts(branches: [], segments: []), on: "seoul-pg-1")
        },
    ])
    func onlyACompleteArchiveOfThisForkCounts(_ line: CheckCase) { line.verify() }
}
