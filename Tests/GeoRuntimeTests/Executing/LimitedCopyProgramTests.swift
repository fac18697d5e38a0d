import Foundation
import GeoCore
import GeoTestSupport
import Testing

/// What the program does on a node that looks like one, between real PostgreSQL servers.
@Suite struct LimitedCopyProgramTests {
    /// Of a server that has to stream in the end; longer than any busy machine takes.
    private static let megabytes = 1 << 10

    private func expectStreams(_ copy: CopyNode, _ location: SourceLocation = #_sourceLocation) throws {
        let seen = try copy.own(
            "SELECT pg_is_in_recovery(), status, sender_host, slot_name FROM pg_stat_wal_receiver")
        #expect(seen == "t|streaming|\(copy.address)|tokyo\n", sourceLocation: location)
        #expect(copy.data("postgresql.conf")?.hasSuffix("# own\n") == true, sourceLocation: location)
        #expect(copy.data("standby.signal") == "" && copy.data("geo-pitr-file") == nil, sourceLocation: location)
    }

    @Test func aCopyKeepsItsRateAndTheStandbyItsOwnConfigurationAndTheFormerDatabaseIsKept() throws {
        let copy = try CopyNode()
        _ = try copy.sh(": >source/geo-pitr-file; mkdir \(CopyNode.place)/data-copy; : >\(CopyNode.place)/data-copy/x")
        let said = try copy.run(copy.program(rate: 8 * Self.megabytes))
        #expect(said.hasSuffix("exit 0\n"), "\(said)")
        try expectStreams(copy)
        let kept = try copy.beside()
        #expect(kept.count == 1 && kept[0].wholeMatch(of: /data\.\d+/) != nil, "\(kept)")
        #expect(
            try copy.sh("opt/gitlab/embedded/bin/pg_controldata \(CopyNode.place)/\(kept[0])")
                .contains("in production"))
        // At its rate: not faster by more than the WAL, which is not limited, and not slower without end.
        let size = try #require(
            said.firstMatch(of: /copying (\d+) KiB from .*, at most 8MB a second/).flatMap { Double($0.1) })
        let log = copy.node.read("said") ?? ""
        let milliseconds = try #require(log.firstMatch(of: /ended 0 after (\d+) ms/).flatMap { Double($0.1) })
        let ratio = size / (milliseconds / 1000) / (8 * 1024)
        #expect(ratio > 0.05 && ratio < 1.3, "\(ratio): \(size) KiB in \(milliseconds) ms")
        #expect(log.contains("--max-rate=8M ") && log.contains("--slot=tokyo") && !log.contains("fast"), "\(log)")
        // The password is where the server reads it, and nowhere else.
        #expect(!said.contains("a'b") && !log.contains("a'b"))
        // Again nothing happens.
        #expect(try copy.run(copy.program(rate: 32)).hasSuffix("exit 0\n"))
        #expect(copy.copies == 1)
        #expect(try copy.beside() == kept)
    }

    @Test func whatIsNotAsItHasToBeIsNotTouched() throws {
        let copy = try CopyNode()
        let usual = copy.program(rate: 1024 * Self.megabytes)
        func isRefused(
            _ says: String, before: String = "", after: String = "", program: String? = nil,
            _ location: SourceLocation = #_sourceLocation
        ) throws {
            _ = try copy.sh(before)
            let said = try copy.run(program ?? usual)
            _ = try copy.sh(after)
            #expect(said.contains("NOT COPIED: "), "\(said)", sourceLocation: location)
            #expect(said.contains(says) && said.hasSuffix("exit 1\n"), "\(said)", sourceLocation: location)
            #expect(try copy.beside() == [], sourceLocation: location)
            #expect(copy.data("standby.signal") == nil && copy.copies == 0, sourceLocation: location)
        }
        try isRefused("has the database \(copy.system), and not 9", program: copy.program(rate: 32, system: "9"))
        let wrong = copy.program(rate: 32, password: "of last year")
        try isRefused("password authentication failed", program: wrong)
        try isRefused(
            "PostgreSQL runs here", before: "bin/pg_ctl -D \(CopyNode.place)/data -w -l log start",
            after: "bin/pg_ctl -D \(CopyNode.place)/data -m fast -w stop")
        // A database of another lineage.
        let bin = "opt/gitlab/embedded/bin"
        try isRefused(
            "here lies the database 9",
            before:
                "mv \(bin)/pg_controldata \(bin)/real; printf '#!/bin/sh\\necho \"Database system identifier: 9\"\\n'"
                + " >\(bin)/pg_controldata; chmod 755 \(bin)/pg_controldata",
            after: "mv \(bin)/real \(bin)/pg_controldata")
        // `df` says that there is room for nothing.
        let full = "printf '#!/bin/sh\\necho; echo d 1 1 0 1\\n' >bin/df; chmod 755 bin/df"
        try isRefused("and 0 are free", before: full, program: "PATH=$PWD/bin:$PATH; export PATH; " + usual)
        _ = try copy.sh("mkdir space; [ \"$(id -u)\" != 0 ] || chown postgres space")
        #expect(try copy.sql("CREATE TABLESPACE other LOCATION '\(copy.node.base)/space'") == "")
        try isRefused("has tablespaces, which would be written to its paths here: other")
        #expect(try copy.sql("SELECT count(*) FROM pg_replication_slots") == "0\n")
    }

    @Test func whatDoesNotStreamIsStoppedAndTheFormerDatabaseIsPutBack() throws {
        let copy = try CopyNode()
        _ = try copy.sh("sed -i '/include_if_exists/d' \(CopyNode.place)/data/postgresql.conf")
        let said = try copy.run(copy.program(rate: 1024 * Self.megabytes, streamsWithin: 2))
        #expect(said.contains("did not stream within 2 s") && said.hasSuffix("exit 1\n"), "\(said)")
        #expect(try copy.beside() == [])
        #expect(copy.data("standby.signal") == nil && copy.copies == 1)
        #expect(try copy.sh("opt/gitlab/bin/gitlab-ctl status").hasPrefix("down:"))
    }

    @Test func killedInTheMiddleItIsRunAgainAndNothingOfItIsLeft() throws {
        let copy = try CopyNode()
        let fast = copy.program(rate: 1024 * Self.megabytes)
        let pid = try copy.sh("\(copy.program(rate: 512)) >output 2>&1 &\necho $!")
            .trimmingCharacters(in: .whitespacesAndNewlines)
        // By the question that a run asks the source for how far the copy is.
        let streams = "SELECT count(*) FROM pg_stat_progress_basebackup WHERE backup_streamed > 0"
        _ = try copy.sh(
            "n=0; until [ \"$(psql -XAtqh \"$PWD\" -U postgres -c '\(streams)' postgres)\" = 1 ] || [ $n = 1200 ]; do"
                + " sleep 0.05; n=$((n + 1)); done")
        let seen = try BaseBackupReadings.copies(Array(try copy.sql(DatabaseQuery.baseBackups.sql).utf8))
        #expect(seen.count == 1 && seen[0].measure.total ?? 0 > 1 << 20, "\(seen) \(copy.node.read("output") ?? "")")
        // While it is at it, another one is refused.
        let second = try copy.run(fast)
        #expect(second.contains("an earlier attempt is still at it, process \(pid)"), "\(second)")
        _ = try copy.sh("kill -9 \(pid)")
        #expect(try copy.beside() == [".pgpass-copy", "data-copy"])
        let said = try copy.run(fast)
        #expect(said.contains("of an earlier attempt") && said.hasSuffix("exit 0\n"), "\(said)")
        try expectStreams(copy)
        let kept = try copy.beside()
        #expect(kept.count == 1 && copy.copies == 2, "\(kept)")
        #expect(try copy.sql("SELECT count(*) FROM pg_stat_progress_basebackup") == "0\n")

        // Between the two renames: the step makes an empty directory first, as root.
        let place = CopyNode.place
        _ = try copy.sh("opt/gitlab/bin/gitlab-ctl stop; cd \(place); mv data data-copy; mkdir data")
        let renamed = try copy.run(fast)
        #expect(renamed.contains("was about to put it in its place") && renamed.hasSuffix("exit 0\n"), "\(renamed)")
        try expectStreams(copy)
        #expect(try copy.beside() == kept)

        // In the same place, with a copy that is not whole.
        _ = try copy.sh("opt/gitlab/bin/gitlab-ctl stop; cd \(place); rm -rf data; mkdir data data-copy")
        let anew = try copy.run(fast)
        #expect(anew.contains("copying") && anew.hasSuffix("exit 0\n"), "\(anew)")
        try expectStreams(copy)
        #expect(try copy.beside() == kept)
        #expect(copy.copies == 3)

        // After both, before it was seen to stream: the node went down, and comes back.
        _ = try copy.sh("opt/gitlab/bin/gitlab-ctl stop")
        let started = try copy.run(fast)
        #expect(started.contains("an earlier attempt may have made") && started.hasSuffix("exit 0\n"), "\(started)")
        #expect(copy.copies == 3)

        // What cannot stream any more is copied anew, and kept.
        _ = try copy.sh("opt/gitlab/bin/gitlab-ctl stop")
        #expect(try copy.sql("SELECT pg_drop_replication_slot('tokyo')") == "\n")
        let again = try copy.run(copy.program(rate: 1024 * Self.megabytes, streamsWithin: 10))
        #expect(again.contains("it does not stream") && again.hasSuffix("exit 0\n"), "\(again)")
        try expectStreams(copy)
        #expect(try copy.beside().count == 2 && copy.copies == 4)
    }
}
