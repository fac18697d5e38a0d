import GeoCore
import GeoTestSupport
import Testing

/// Something that a plan stands on, and that became another behind its back.
struct Drifted: Sendable, CustomTestStringConvertible {
    var fact: String
    var planned: String
    var now: String
    var apply: @Sendable (inout SimulatedState) -> Void
    /// Somebody puts it right, where that makes sense still.
    var undo: @Sendable (inout SimulatedState) -> Void

    var testDescription: String { fact + " is " + now }

    static let changes: [Drifted] = [
        Drifted(
            fact: "GitLab version", planned: "19.3.0-ee.0", now: "19.3.1-ee.0",
            apply: { $0["seoul-rails-1"].version = "19.3.1-ee.0" },
            undo: { $0["seoul-rails-1"].version = "19.3.0-ee.0" }
        ),
        another(machine: "seoul-pg-1"), another(machine: "tokyo-lb-1"),
        Drifted(
            fact: "timeline", planned: "1", now: "3",
            apply: { $0.nodes[$0.index("seoul-pg-1")].database?.timeline = 3 },
            undo: { state in
                guard !state.database(of: "seoul").isPrimary else { return }
                state.nodes[state.index("seoul-pg-1")].database?.timeline = 1
            }),
        Drifted(
            fact: "database role", planned: "standby", now: "unknown: no route to host",
            apply: { $0["seoul-pg-1"].isReachable = false }, undo: { $0["seoul-pg-1"].isReachable = true }),
        Drifted(
            fact: "Geo's primary", planned: "tokyo", now: "seoul",
            apply: { state in
                state.isReplicationCut = true
                state.nodes[state.index("seoul-pg-1")].database?.rows.primary = "seoul"
            },
            undo: { state in
                guard !state.database(of: "seoul").isPrimary else { return }
                state.nodes[state.index("seoul-pg-1")].database?.rows.primary = "tokyo"
                state.isReplicationCut = false
            }),
    ]

    private static func another(machine node: NodeID) -> Drifted {
        Drifted(
            fact: "machine id", planned: "machine-\(node)", now: "another", apply: { $0[node].machineID = "another" },
            undo: { $0[node].machineID = "machine-\(node)" })
    }
}
