/// WAL that is held back for nobody: the primary's disk fills, and PostgreSQL stops on the day nobody looks.
enum SlotChecks {
    static let all = [orphaned]

    static let orphaned = Check.aboutFailover(
        "replication.orphaned-slots",
        CheckText(
            question: "Does no replication slot of the primary hold back WAL for a standby that is gone?",
            rationale: "An inactive slot keeps WAL until the disk is full, and then the primary stops. GitLab shows how"
                + " many slots are used, and not how long the disk will last.",
            source: cite(.slots, .troubleshootingPostgreSQL),
            remedy: "sudo gitlab-psql -c \"SELECT pg_drop_replication_slot('NAME')\" on the primary, if nobody needs it"
        ),
        limits: [
            LimitDefault(
                name: "disk_lasts_seconds", value: 172_800, unit: .seconds,
                meaning: "an inactive slot fails when the disk would be full sooner, at the rate WAL is written now")
        ],
        needs: { scope, pair, _ in scope.ask([.database, .server, .disks], of: pair.from.databaseNodes) }
    ) { examination, pair in
        guard let primary = examination.primaryState(of: pair.from) else { return "" }
        let node = primary.database.node
        let free = examination.freeBytes("/var/opt/gitlab", of: node)
        guard let server = examination.readServer(of: node), let free else { return "" }
        for other in pair.from.databaseNodes where other.id != node.id {
            _ = examination.readServer(of: other)
            _ = examination.freeBytes("/var/opt/gitlab", of: other)
        }
        let seconds = server.writing?.bytesPerSecond.map { Double(free) / $0 }
        let lasts = seconds.map { "the disk is full in \(hours($0)) at the present rate" }
        // The candidate's own slot is judged with its replication: it is to be used again, not dropped.
        let own: Set = [pair.to.id.rawValue, pair.to.geoNodeName]
        for slot in primary.state.slots where !slot.isActive && !own.contains(slot.name) {
            let held = slot.retainedBytes.map(Quantity.bytes) ?? "an unknown amount"
            let sentence =
                "slot \(slot.name) on \(node.id) is inactive and holds back \(held) of WAL;"
                + " \(lasts ?? "how long the disk lasts is not known: too little WAL was written to tell a rate")"
            let remedy =
                "sudo gitlab-psql -c \"SELECT pg_drop_replication_slot('\(slot.name)')\""
                + "  # on \(node.id), if nobody needs it"
            if let seconds, seconds < Double(examination.limit("disk_lasts_seconds")) {
                examination.fail(sentence, remedy: remedy)
            } else {
                examination.warn(sentence, remedy: remedy)
            }
        }
        return "all \(Quantity.count(primary.state.slots.count, "slot")) of \(node.id) are in use"
            + (lasts.map { "; with an inactive one \($0)" } ?? "")
    }

    private static func hours(_ seconds: Double) -> String {
        let hours = seconds / 3600
        return hours > 10_000 ? "more than a year" : "\(Int(hours.rounded(.down))) h"
    }
}
