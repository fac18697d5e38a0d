import Foundation
import GeoCore
import GeoDocuments

/// A problem without its explanations: what tables compare.
struct Problem: Hashable, CustomStringConvertible {
    var line: Int
    var column: Int
    var part: String

    init(_ line: Int, _ column: Int, _ part: String) {
        self.line = line
        self.column = column
        self.part = part
    }

    func matches(_ diagnostic: Diagnostic) -> Bool {
        diagnostic.line == line && diagnostic.column == column && diagnostic.description.contains(part)
    }

    var description: String { "\(line):\(column) \(part)" }
}

func loadInventory(_ text: String) -> (inventory: Inventory?, diagnostics: [Diagnostic]) {
    InventoryDocument.load(text: text, path: "conf/geo.yaml", user: "olga", home: "/home/olga")
}

func loadRunbook(_ text: String, knownChecks: Set<String>? = nil) -> (runbook: Runbook?, diagnostics: [Diagnostic]) {
    RunbookDocument.load(text: text, path: "runbooks/x.yaml", knownChecks: knownChecks)
}

/// The repository's own file.
func repositoryFile(_ path: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: path), encoding: .utf8)
}

/// An inventory without problems, to be spoilt by tests. Lines 1-10, `tokyo` 5-10.
let soundInventory = """
    schema: 1
    deployment: acme
    ssh: { user: geo-ops, identity: ~/.ssh/geo, known_hosts: known_hosts }
    sites:
      tokyo:
        url: https://tokyo.example.com
        nodes:
          tokyo-rails-1: { address: 10.1.0.11, components: [rails, sidekiq] }
          tokyo-pg-1: { address: 10.1.0.21, components: [postgresql] }
      seoul:
        url: https://seoul.example.com
        nodes:
          seoul-rails-1: { address: 10.2.0.11, components: [rails, sidekiq] }
          seoul-pg-1: { address: 10.2.0.21, components: [postgresql] }

    """

/// A runbook without problems, to be spoilt by tests.
let soundRunbook = """
    schema: 1
    name: planned
    title: Planned failover
    scenario: planned
    preflight:
      - check: replication.lag
        limits: { at_most: 30s }
    steps:
      - id: block
        do: enable-maintenance-mode
        on: { site: from, component: rails, nodes: one }
        why: Later writes would be lost.
        until: { check: site.read-only, on: from, within: 5m }
      - id: confirm
        do: confirm
        after: [block]
        ask: Type the name of the site.

    """
