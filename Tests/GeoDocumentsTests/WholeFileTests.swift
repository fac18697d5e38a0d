import GeoCore
import GeoDocuments
import Testing

@Suite struct WholeFileTests {
    @Test func allProblemsOfAFileAppearAtOnceInItsOrder() {
        let text = """
            schema: 1
            deployment: Acme
            objectives: { rto: 60, rpo: 5 min }
            ssh:
              usr: geo-ops
              port: 70000
              become: su
            database: { via: tunnel, password: hunter2 }
            sites:
              primary:
                url: https://tokyo.example.com/
                nodes:
                  tokyo-rails-1: { adress: 10.1.0.11, components: [rails, sidekik] }
                  tokyo-pg-1: { address: 10.1.0.300, components: [] }
              seoul:
                url: seoul.example.com
                geo_node_name: primary
                nodes:
                  tokyo-pg-1: { address: 10.2.0.21, components: [redis] }
                  seoul-x: { address: 10.2.0.21 , components: [redis] }
            hooks: { dns: { run: "./dns x", time_limit: 0s } }
            fences: none

            """
        let expected: [Problem] = [
            .init(2, 13, "error: 'deployment' of the inventory is 'Acme'; expected lower-case letters"),
            .init(3, 20, "try: 60s"),
            .init(3, 29, "try: 5m"),
            .init(5, 3, "error: 'ssh' has no key 'usr'"),
            .init(6, 9, "error: 'port' of 'ssh' is '70000'"),
            .init(7, 11, "error: 'become' of 'ssh' is 'su'"),
            .init(8, 36, "must not hold the secret itself"),
            .init(10, 3, "warning: site 'primary' is named after a role"),
            .init(11, 10, "try: https://tokyo.example.com"),
            .init(13, 7, "error: node 'tokyo-rails-1' has no 'address'"),
            .init(13, 24, "has no key 'adress'"),
            .init(13, 63, "try: sidekiq"),
            .init(14, 30, "is '10.1.0.300'"),
            .init(14, 54, "is an empty list"),
            .init(15, 3, "error: site 'seoul' has no database node"),
            .init(15, 3, "error: site 'seoul' has no node with the component rails"),
            .init(16, 10, "has no scheme"),
            .init(17, 20, "has the same 'geo_node_name' 'primary'"),
            .init(19, 7, "was given to a node of another site in line 14"),
            .init(20, 27, "has the address and port of node 'tokyo-pg-1' in line 19"),
            .init(21, 22, "try: [./dns, x]"),
            .init(21, 45, "at least 1s"),
            .init(22, 9, "error: 'fences' is 'none'; expected a list"),
        ]
        let loaded = loadInventory(text)
        #expect(loaded.inventory == nil)
        #expect(
            loaded.diagnostics.count == expected.count,
            "\(loaded.diagnostics.map(\.description).joined(separator: "\n"))")
        for (problem, diagnostic) in zip(expected, loaded.diagnostics) {
            #expect(problem.matches(diagnostic), "\(problem) and \(diagnostic)")
        }
    }

    @Test func allProblemsOfARunbookAppearAtOnce() {
        let text = """
            schema: 1
            name: x
            title: X
            scenario: plan
            steps:
              - id: a
                do: promote
                after: [b]
              - id: a
                do: stop-database
                on: { site: form }
                until: { check: database.stopped }
              - do: hook
                why: Because.

            """
        let expected: [Problem] = [
            .init(4, 11, "try: planned"),
            .init(7, 9, "try: promote-node"),
            .init(8, 13, "names 'b', which is no step"),
            .init(9, 9, "the id 'a' is used again"),
            .init(9, 9, "changes something and has no 'why'"),
            .init(11, 17, "try: from"),
            .init(12, 12, "has no 'within'"),
            .init(13, 5, "a step has no 'id'"),
            .init(13, 5, "has no 'hook'"),
            .init(13, 5, "has no 'until'"),
        ]
        let diagnostics = loadRunbook(text).diagnostics
        #expect(diagnostics.count == expected.count, "\(diagnostics.map(\.description).joined(separator: "\n"))")
        for problem in expected { #expect(diagnostics.contains { problem.matches($0) }, "\(problem)") }
    }
}
