import Foundation
import GeoCore
import GeoTestSupport
import Testing

/// What the program does on a node, on a folder that looks like one, with a real shell and a real git.
@Suite struct DivergenceProgramTests {
    private static let divergence = Divergence(
        old: "tokyo", new: "seoul", systemIdentifier: "7301234567890123456", oldTimeline: 1, newTimeline: 2,
        fork: LogPosition(bytes: 0x300_9588), since: nil)
    private static let repository = "var/opt/gitlab/git-data/repositories/@hashed/aa/bb/aabb.git"
    private static let uploads = "var/opt/gitlab/gitlab-rails/uploads"

    /// Git and files as a node has them, one name with every kind of quote.
    private static func node() throws -> LocalNode {
        let node = try LocalNode()
        let script = """
            cd '\(node.base)'; mkdir -p \(repository) \(uploads)/-/system opt/gitlab/embedded/bin
            export GIT_CONFIG_NOSYSTEM=1 HOME=/ GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
            git init -q --bare \(repository)
            export GIT_DIR=\(repository)
            commit=$(git commit-tree -m only-here "$(git hash-object -t tree -w /dev/null)")
            git update-ref refs/heads/main "$commit"
            git config gitlab.fullpath 'shop/we"b'
            echo only-here >"\(uploads)/-/system/what's \\"new\\".txt"
            """
        _ = try LocalNode.sh(script)
        return node
    }

    private static func save(_ node: LocalNode, _ parts: [DivergenceProgram.Part]) throws -> String {
        let program = DivergenceProgram(divergence, parts: parts, root: node.base)
        let text = program.arguments.map(RemoteCommand.quoted).joined(separator: " ")
        return String(decoding: try LocalNode.sh("\(text) 2>&1; echo \"exit $?\""), as: UTF8.self)
    }

    private static func archive(_ node: LocalNode, _ file: String) -> String? {
        node.read("var/opt/gitlab/geo-failover-divergence/\(divergence.archiveName)/\(file)")
    }

    /// Everything outside of the archive: names, sizes, owners, modes, and when it was last written.
    private static func outside(_ node: LocalNode) throws -> String {
        let text =
            "cd '\(node.base)' && find . -path ./var/opt/gitlab/geo-failover-divergence -prune -o ! -path ./var/opt/gitlab"
            + " -printf '%p %s %u %m %T@ %C@\\n' | sort"
        return String(decoding: try LocalNode.sh(text), as: UTF8.self)
    }

    @Test func itWritesIntoItsArchiveAndNowhereElse() throws {
        let node = try Self.node()
        let before = try Self.outside(node)
        #expect(before.contains("aabb.git/refs/heads/main"))
        let said = try Self.save(node, [.repositories, .files])
        #expect(said.contains("saved into") && said.hasSuffix("exit 0\n"), "\(said)")
        #expect(try Self.outside(node) == before)
        let state = Self.archive(node, "STATE") ?? ""
        #expect(
            state.contains("part repositories changed=1 bundles=1\n") && state.contains("part files found=1 copied=1\n")
        )
        #expect(state.split(separator: "\n").last?.hasPrefix("complete ") == true)
        #expect(!state.contains("left "))
        let loose = try LocalNode.sh("find '\(node.base)/var/opt/gitlab/geo-failover-divergence/'* -perm /077")
        #expect(loose.isEmpty)
    }

    @Test func whatItSavedIsThereWithItsNamesAndCanBeUnpacked() throws {
        let node = try Self.node()
        _ = try Self.save(node, [.repositories, .files])
        let lines = (Self.archive(node, "divergence.jsonl") ?? "").split(separator: "\n")
        #expect(lines.count == 2)
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let named = object?["project"] as? String == "shop/we\"b"
            let found = (object?["path"] as? String)?.hasSuffix("what's \"new\".txt") == true
            #expect(named || found && object?["saved"] as? Bool == true, "\(line)")
        }
        let folder = "\(node.base)/var/opt/gitlab/geo-failover-divergence/\(Self.divergence.archiveName)"
        let unpacked = try LocalNode.sh(
            """
            cd '\(folder)'; cut -f 2- MANIFEST | sha256sum --check --quiet && cat files/data/uploads/-/system/* &&
            git clone -q --mirror repositories/@hashed_aa_bb_aabb.git/all.bundle copy.git && git --git-dir copy.git log --format=%s main
            """)
        #expect(String(decoding: unpacked, as: UTF8.self) == "only-here\nonly-here\n")
    }

    @Test func aCompleteArchiveIsNeverTouchedAgain() throws {
        let node = try Self.node()
        _ = try Self.save(node, [.files])
        let state = Self.archive(node, "STATE")
        _ = try LocalNode.sh("mv '\(node.base)/\(Self.uploads)' '\(node.base)/\(Self.uploads).old'")
        #expect(try Self.save(node, [.files]).hasPrefix("saved before"))
        #expect(Self.archive(node, "STATE") == state && Self.archive(node, "files/list.tsv")?.isEmpty == false)
    }

    @Test func whatCannotBeReadIsNamedAndTheRestIsSaved() throws {
        let node = try Self.node()
        _ = try LocalNode.sh(
            "cd '\(node.base)/var/opt/gitlab/git-data/repositories'; mkdir -p bad.git/objects; echo x >bad.git/objects/x"
        )
        _ = try Self.save(node, [.repositories])
        let state = Self.archive(node, "STATE") ?? ""
        #expect(state.contains("left repositories: bad.git cannot be read") && state.contains("changed=2 bundles=1\n"))
        #expect(state.contains("\ncomplete "))
    }

    @Test(arguments: [
        ("7301234567890123456", 2, "on timeline 2, and not 7301234567890123456 on 1"),
        ("7", 1, "lies the database 7 on"),
    ])
    func anotherDatabaseIsNotSaved(system: String, timeline: Int, says: String) throws {
        let node = try Self.node()
        try node.install(
            controlData: """
                echo 'Database system identifier:           \(system)'
                echo "Latest checkpoint's TimeLineID:       \(timeline)"
                """)
        let said = try Self.save(node, [.database])
        #expect(said.contains("NOT SAVED: in ") && said.contains(says) && said.hasSuffix("exit 1\n"), "\(said)")
        #expect(Self.archive(node, "STATE")?.contains("complete") == false)
    }

    @Test func aDatabaseThatRunsIsNotSaved() throws {
        let node = try Self.node()
        try node.install(
            controlData: """
                echo 'Database system identifier:           7301234567890123456'
                echo "Latest checkpoint's TimeLineID:       1"
                """)
        let data = "\(node.base)\(ProbeCatalog.dataDirectory)"
        _ = try LocalNode.sh(
            "mkdir -p '\(data)' && cd '\(data)' && { sleep 60 & echo $! >postmaster.pid; } >/dev/null 2>&1 </dev/null")
        defer { _ = try? LocalNode.sh("kill \"$(cat '\(data)/postmaster.pid')\"") }
        let said = try Self.save(node, [.database])
        #expect(said.contains("NOT SAVED: PostgreSQL runs on") && said.contains("fence the node first"), "\(said)")
    }
}
