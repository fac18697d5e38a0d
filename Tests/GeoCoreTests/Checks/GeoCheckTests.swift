import GeoCore
import GeoTestSupport
import Testing

/// Items, checksums and events: what GitLab's percentages do not say.
@Suite struct GeoCheckTests {
    private static func status(_ site: String, _ change: @escaping @Sendable (inout GeoStatus) -> Void)
        -> @Sendable (inout Observation) -> Void
    {
        { observation in
            observation.row(site, on: "tokyo-pg-1") { row in
                guard var status = row.status else { return }
                change(&status)
                row.status = status
            }
        }
    }

    @Test(arguments: [
        CheckCase("known", "geo.site-registered", is: .pass),
        CheckCase("unknown name", "geo.site-registered", is: .fail, says: ["no row named seoul", "Seoul"]) {
            $0.row("seoul", on: "tokyo-pg-1") { $0.name = "Seoul" }
        },
        CheckCase("disabled", "geo.site-registered", is: .fail, says: ["paused"]) {
            $0.row("seoul", on: "tokyo-pg-1") { $0.isEnabled = false }
        },
        CheckCase("selected groups", "geo.selective-sync", is: .fail, says: ["namespaces", "would be lost"]) {
            $0.row("seoul", on: "tokyo-pg-1") { $0.selectiveSync = "namespaces" }
        },
        CheckCase("selected storages", "geo.selective-sync", is: .fail, says: ["other storages"]) {
            $0.row("seoul", on: "tokyo-pg-1") { $0.selectiveSync = "shards" }
        },
        CheckCase("the primary's own selection", "geo.selective-sync", is: .pass) {
            $0.row("tokyo", on: "tokyo-pg-1") { $0.selectiveSync = "shards" }
        },
        CheckCase("no row", "geo.selective-sync", is: .fail) { $0.geo(on: "tokyo-pg-1") { $0.nodes.removeLast() } },
        CheckCase("buckets left out", "geo.object-storage", is: .warn) {
            $0.row("seoul", on: "tokyo-pg-1") { $0.syncsObjectStorage = false }
        },
        CheckCase(
            "buckets left out, and the primary lost", "geo.object-storage", limits: ["may_be_left_out": 0], is: .fail,
            says: ["only if their provider replicates it"]
        ) {
            $0.row("seoul", on: "tokyo-pg-1") { $0.syncsObjectStorage = false }
        },
        CheckCase(
            "by the candidate's copy", "geo.selective-sync", is: .fail, says: ["seoul replicates selected shards"]
        ) {
            $0 = $0.losing("tokyo-pg-1")
            $0.row("seoul", on: "seoul-pg-1") { $0.selectiveSync = "shards" }
        },
        CheckCase("all is well by the candidate's copy alone", "geo.selective-sync", is: .unknown) {
            $0 = $0.losing("tokyo-pg-1")
        },
        CheckCase("no row", "geo.object-storage", is: .fail) { $0.geo(on: "tokyo-pg-1") { $0.nodes.removeLast() } },
        // The row was 5 s old evidence itself: 595 s then are 600 s now.
        CheckCase("600 s old", "geo.status-fresh", is: .pass, change: status("seoul") { $0.ageSeconds = 595 }),
        CheckCase(
            "older", "geo.status-fresh", is: .fail, says: ["600.1 s old", "seoul"],
            change: status("seoul") { $0.ageSeconds = 595.1 }),
        CheckCase(
            "the primary's own", "geo.status-fresh", is: .fail, says: ["tokyo"],
            change: status("tokyo") { $0.ageSeconds = 4000 }),
        CheckCase("own limit", "geo.status-fresh", limits: ["status_age": 10], is: .fail),
        CheckCase("from the future", "geo.status-fresh", is: .fail, change: status("seoul") { $0.ageSeconds = -120 }),
        CheckCase("never reported", "geo.status-fresh", is: .fail, says: ["never reported"]) {
            $0.row("seoul", on: "tokyo-pg-1") { $0.status = nil }
        },
    ])
    func thePrimaryKnowsBothSitesAndHearsOfThem(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "all there", "geo.complete", is: .pass,
            says: ["all 34 items of 4 data types", "zero of zero: lfs_objects"]),
        CheckCase(
            "100 % of the rows that exist", "geo.complete", is: .fail, says: ["uploads: 1 of 3", "no registry row"]
        ) {
            $0.registry("uploads") { $0 = Fixtures.registry(2) }
        },
        CheckCase("rows gone altogether", "geo.complete", is: .fail, says: ["uploads: 3 of 3"]) {
            $0.registry("uploads") { $0 = Fixtures.registry(0) }
        },
        CheckCase("no table", "geo.complete", is: .fail, says: ["uploads: 3 on tokyo and no registry"]) {
            $0.tracking { $0.registries["uploads"] = nil }
        },
        CheckCase("pending", "geo.complete", is: .fail, says: ["uploads: 1 of 3 are not synchronised"]) {
            $0.registry("uploads") { ($0.synced, $0.verified) = (2, 2) }
        },
        CheckCase("pending within the limit", "geo.complete", limits: ["at_most_pending": 1], is: .pass) {
            $0.registry("uploads") { ($0.synced, $0.verified) = (2, 2) }
        },
        CheckCase("missing is not pending", "geo.complete", limits: ["at_most_pending": 100], is: .fail) {
            $0.registry("uploads") { $0 = Fixtures.registry(2) }
        },
        CheckCase("failed", "geo.complete", limits: ["at_most_pending": 100], is: .fail, says: ["1 of 3 failed"]) {
            $0.registry("uploads") {
                $0.synced = 2
                $0.failed = 1
            }
        },
        CheckCase("rows too many", "geo.complete", is: .warn, says: ["1 row too many"]) {
            $0.registry("uploads") { $0 = Fixtures.registry(4) }
        },
        CheckCase(
            "primary does not count", "geo.complete", is: .unknown, says: ["uploads: 3 registered"],
            change: status("tokyo") { $0.counts["uploads_count"] = nil }),
        CheckCase(
            "a type of a newer release", "geo.complete", is: .fail, says: ["moon_rocks: 2 on tokyo"],
            change: status("tokyo") { $0.counts["moon_rocks_count"] = 2 }),
        CheckCase(
            "a type with nothing on either side", "geo.complete", is: .pass, says: ["moon_rocks"],
            change: status("tokyo") { $0.counts["moon_rocks_count"] = 0 }),
        CheckCase(
            "stale count", "geo.complete", limits: ["status_age": 595], is: .unknown, says: ["595.1"],
            change: status("tokyo") { $0.ageSeconds = 590.1 }),
        CheckCase("no count", "geo.complete", is: .unknown) { $0.row("tokyo", on: "tokyo-pg-1") { $0.status = nil } },
        CheckCase("half of the old table was left behind", "geo.complete", is: .pass) {
            $0.tracking { $0.unread = ["project_registry"] }
        },
        CheckCase(
            "the old table in a form that nobody knows", "geo.complete", is: .unknown,
            says: ["keeps project_registry", "was not counted"]
        ) {
            $0.tracking {
                $0.registries["project_wiki_repositories"] = nil
                $0.unread = ["project_registry"]
            }
            $0.row("tokyo", on: "tokyo-pg-1") { $0.status?.counts["project_wiki_repositories_count"] = nil }
        },
        CheckCase("a table of a form that nobody knows", "geo.verified", is: .unknown, says: ["keeps moon_registry"]) {
            $0.tracking { $0.unread = ["moon_registry"] }
        },
        CheckCase("zero of zero", "geo.complete", is: .warn, says: ["nothing to replicate"]) {
            $0.tracking { $0.registries = $0.registries.mapValues { _ in Fixtures.registry(0) } }
            $0.row("tokyo", on: "tokyo-pg-1") { $0.status?.counts = ["uploads_count": 0] }
        },
        CheckCase("no tables", "geo.complete", is: .fail, says: ["no registry table"]) {
            $0.tracking { $0.registries = [:] }
        },
    ])
    func completeIsMeasuredAgainstThePrimarysCount(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase("all equal", "geo.verified", is: .pass, says: ["all 34 verifiable items"]),
        CheckCase("more verified than there are", "geo.verified", is: .unknown, says: ["contradict each other"]) {
            $0.registry("uploads") { $0.verified = 9 }
        },
        CheckCase(
            "failed of none", "geo.verified", is: .fail, says: ["2 of none on tokyo"],
            change: status("tokyo") {
                $0.counts["lfs_objects_checksum_failed_count"] = 2
            }),
        CheckCase("not compared yet", "geo.verified", is: .fail, says: ["job_artifacts: 2 of 7"]) {
            $0.registry("job_artifacts") { $0.verified = 5 }
        },
        CheckCase("within the limit", "geo.verified", limits: ["at_most_pending": 2], is: .pass) {
            $0.registry("job_artifacts") { $0.verified = 5 }
        },
        CheckCase("switched off", "geo.verified", is: .pass, says: ["2 have verification switched off"]) {
            $0.registry("job_artifacts") {
                $0.verified = 5
                $0.verificationDisabled = 2
            }
        },
        CheckCase("differ", "geo.verified", limits: ["at_most_pending": 100], is: .fail, says: ["1 of 7 differ"]) {
            $0.registry("job_artifacts") {
                $0.verified = 6
                $0.verificationFailed = 1
            }
        },
        CheckCase(
            "no checksum on the primary", "geo.verified", is: .fail, says: ["1 of 3 on tokyo have no checksum"],
            change: status("tokyo") { $0.counts["uploads_checksummed_count"] = 2 }),
        CheckCase(
            "cannot be checksummed", "geo.verified", is: .fail, says: ["cannot be checksummed"],
            change: status("tokyo") { $0.counts["uploads_checksum_failed_count"] = 1 }),
        CheckCase(
            "checksums not told", "geo.verified", is: .unknown,
            change: status("tokyo") { $0.counts["uploads_checksummed_count"] = nil }),
        CheckCase("stale", "geo.verified", is: .unknown, change: status("tokyo") { $0.ageSeconds = 700 }),
    ])
    func verifiedMeansComparedOnBothSides(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase("level", "geo.log-cursor", is: .pass, says: ["event 4711, 0 behind"]),
        CheckCase("one behind", "geo.log-cursor", is: .fail, says: ["1 behind"]) {
            $0.tracking { $0.cursorEventID = 4710 }
        },
        CheckCase("within the limit", "geo.log-cursor", limits: ["at_most_events": 1], is: .pass) {
            $0.tracking { $0.cursorEventID = 4710 }
        },
        CheckCase("a moment later", "geo.log-cursor", is: .pass) { $0.tracking { $0.cursorEventID = 5711 } },
        CheckCase("of another past", "geo.log-cursor", is: .fail, says: ["another past"]) {
            $0.tracking { $0.cursorEventID = 5712 }
        },
        CheckCase("log pruned", "geo.log-cursor", is: .pass, says: ["empty"]) {
            $0.geo(on: "tokyo-pg-1") { $0.lastEventID = nil }
        },
        CheckCase("nothing processed", "geo.log-cursor", is: .fail) { $0.tracking { $0.cursorEventID = nil } },
        CheckCase("nothing ever", "geo.log-cursor", is: .warn) {
            $0.tracking { $0.cursorEventID = nil }
            $0.geo(on: "tokyo-pg-1") { $0.lastEventID = nil }
        },
    ])
    func theCursorIsLevelWithTheLog(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase("everything", "replication.complete", is: .pass),
        CheckCase("asked of the site", "replication.complete", .at("seoul"), is: .pass),
        CheckCase("a byte of WAL", "replication.complete", is: .fail, says: ["replication.caught-up", "1 byte short"]) {
            $0.put(
                \.database, Fixtures.standby(replayed: LogPosition(bytes: Fixtures.current.bytes - 1)), on: "seoul-pg-1"
            )
        },
        CheckCase("level and not streaming", "replication.complete", is: .fail, says: ["replication.streaming"]) {
            $0.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        },
        CheckCase("paused", "replication.complete", is: .fail, says: ["replication.not-paused"]) {
            $0.put(\.database, Fixtures.standby(isReplayPaused: true), on: "seoul-pg-1")
        },
        CheckCase(
            "one item", "replication.complete", limits: ["at_most_pending": 10], is: .fail, says: ["geo.complete"]
        ) {
            $0.registry("uploads") { ($0.synced, $0.verified) = (2, 2) }
        },
        CheckCase("one checksum", "replication.complete", is: .fail, says: ["geo.verified"]) {
            $0.registry("uploads") { $0.verified = 2 }
        },
        CheckCase(
            "one event", "replication.complete", limits: ["at_most_events": 10], is: .fail, says: ["geo.log-cursor"]
        ) {
            $0.tracking { $0.cursorEventID = 4710 }
        },
        CheckCase("stale count", "replication.complete", limits: ["status_age": 24], is: .unknown, says: ["25 s old"]),
        CheckCase("300 s old", "replication.complete", is: .pass, change: status("tokyo") { $0.ageSeconds = 295 }),
        CheckCase("older", "replication.complete", is: .unknown, change: status("tokyo") { $0.ageSeconds = 295.1 }),
        CheckCase("a warning is no proof", "replication.complete", is: .unknown, says: ["row too many"]) {
            $0.registry("uploads") { $0 = Fixtures.registry(4) }
        },
    ])
    func completionIsAllOfItAndNothingLess(_ line: CheckCase) { line.verify() }
}
