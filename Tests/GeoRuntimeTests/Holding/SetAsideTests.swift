import GeoCore
import GeoRuntime
import Testing

/// What was set aside on a node, and the only removal of GitLab's own data, under a real `sh`.
@Suite struct SetAsideTests {
    private static let old = "data.1700000000"

    private static func ask(_ operation: KeeperScript.Operation, _ node: LocalNode) throws -> KeeperAnswer? {
        let script = KeeperScript(
            operation, run: "none", holder: Actor(user: "anna", host: "laptop"), epoch: 0,
            boundary: "geo-keeper-test", base: node.base, root: node.base)
        return KeeperAnswer(try LocalNode.sh(script.text), boundary: script.boundary)
    }

    private static func list(_ node: LocalNode) throws -> [SetAside] {
        guard case .setAside(let found)? = try ask(.listSetAside, node) else {
            Issue.record("no list")
            return []
        }
        return found
    }

    private static func remove(_ node: LocalNode, _ name: String, older: Int = 60) throws -> KeeperAnswer? {
        try ask(
            .removeSetAside(
                path: "\(node.base)/var/opt/gitlab/postgresql/\(name)", olderThanSeconds: older), node)
    }

    /// A database, two that were moved aside, one of them a minute ago at most, and what else may lie there.
    private static func node() throws -> LocalNode {
        let node = try LocalNode()
        _ = try LocalNode.sh(
            """
            cd '\(node.base)' && mkdir -p var/opt/gitlab/postgresql etc/gitlab && cd var/opt/gitlab/postgresql
            mkdir data \(old) data.$(date +%s) data.backup
            echo 15 >\(old)/PG_VERSION; echo 15 >data/PG_VERSION
            ln -s data data.1700000001
            touch '\(node.base)/etc/gitlab/gitlab.rb.before-20260102-030405' '\(node.base)/etc/gitlab/gitlab.rb'
            """)
        return node
    }

    @Test func whatWasMovedAsideIsListedWithItsSizeAndAgeAndNothingElse() throws {
        let node = try Self.node()
        let found = try Self.list(node)
        #expect(found.map(\.kind) == [.database, .database, .configuration], "\(found)")
        let former = try #require(found.first { $0.name.hasSuffix(Self.old) })
        #expect((former.kibibytes ?? 0) > 0 && (former.ageSeconds ?? 0) > 80_000_000)
        let young = try #require(found.first { $0.kind == .database && !$0.name.hasSuffix(Self.old) })
        #expect((0...60).contains(young.ageSeconds ?? -1))
        #expect(try Self.list(LocalNode()) == [])
    }

    @Test func formerTrackingDatabasesAreListedAndOneThatCannotBeAskedIsSaidToBe() throws {
        let node = try LocalNode()
        func install(_ body: String) throws {
            _ = try LocalNode.sh(
                """
                cd '\(node.base)' && mkdir -p opt/gitlab/etc opt/gitlab/bin && touch opt/gitlab/etc/gitlab-geo-psql-rc
                printf '#!/bin/sh\n%s\n' '\(body)' >opt/gitlab/bin/gitlab-geo-psql; chmod +x opt/gitlab/bin/gitlab-geo-psql
                """)
        }
        try install("echo 81 gitlabhq_geo_production_20260102030405")
        let former = SetAside(
            kind: .tracking, name: "gitlabhq_geo_production_20260102030405", kibibytes: 81, ageSeconds: nil)
        #expect(try Self.list(node) == [former])
        try install(":")
        #expect(try Self.list(node) == [])
        try install("echo connection refused >&2; exit 2")
        #expect(try Self.list(node).map(\.name) == ["(not known: connection refused)"])
    }

    @Test func onlyAnOldDatabaseThatDoesNotRunIsRemovedAndItIsWrittenDown() async throws {
        let node = try Self.node()
        func refused(_ name: String, _ words: String, older: Int = 60) throws {
            guard case .refused(let text)? = try Self.remove(node, name, older: older) else {
                Issue.record("\(name) was not refused")
                return
            }
            #expect(text.contains(words), "\(name): \(text)")
        }
        try refused("data", "no data directory that was moved aside")
        try refused("data.backup", "no data directory that was moved aside")
        try refused("data.1700000000/../data", "no data directory that was moved aside")
        try refused("data.1700000001", "is no directory")
        try refused("data.1700000002", "is not there")
        try refused(Self.old, "set aside", older: 2_000_000_000)
        let young = try #require(try Self.list(node).first { ($0.ageSeconds ?? .max) < 61 && $0.kind == .database })
        try refused(String(young.name.split(separator: "/").last ?? ""), "set aside")
        try node.write("7 run anna@laptop 1\n", to: "lease")
        try refused(Self.old, "held for run run by anna@laptop")
        try node.write("", to: "lease")
        #expect(try Self.list(node).count == 3)
        // The directory that runs may have any name.
        _ = try LocalNode.sh("cd '\(node.base)/var/opt/gitlab/postgresql' && rm -r data && ln -s \(Self.old) data")
        try refused(Self.old, "is the database that runs")
        _ = try LocalNode.sh("cd '\(node.base)/var/opt/gitlab/postgresql' && rm data && mkdir data")

        #expect(try Self.remove(node, Self.old) == .removed)
        while try Self.list(node).contains(where: { $0.kind == .removing }) { await Task.yield() }
        #expect(try Self.list(node).map(\.kind) == [.database, .configuration])
        #expect(node.has("var/opt/gitlab/postgresql/data"))
        #expect(node.read("purged")?.contains("anna@laptop") == true && node.read("purged")?.contains(Self.old) == true)
    }

    @Test func noOtherPathReachesACommandThatRemoves() {
        #expect(SetAside.isFormerDatabase("/var/opt/gitlab/postgresql/data.1790000000"))
        for path in [
            "/var/opt/gitlab/postgresql/data", "/var/opt/gitlab/postgresql/data.", "/var/opt/gitlab/postgresql/data.17",
            "/var/opt/gitlab/postgresql/data.179000000x", "/var/opt/gitlab/postgresql/data.1790000000/base",
            "/data.1790000000",
        ] { #expect(!SetAside.isFormerDatabase(path), "\(path)") }
    }
}
