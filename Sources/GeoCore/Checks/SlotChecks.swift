/// WAL that is held back for nobody: the primary's disk fills, and PostgreSQL stops on the day nobody looks.
enum SlotChecks {
    static let all = [orphaned, abandoned, dropped]

    static let orphaned = Check.aboutFailover(
        "replication.orphaned-slots",
        CheckText(
            question: "Does no replication slot of the primary hold back WAL for a standby that is gone?",
            rationale: "An inactive slot keeps WAL until the disk is full, and then the primary stops. GitLab shows how"
                + " many slots are used, and not how long the disk will last.",
            source: cite(.slots, .troubleshootingPostgreSQL),
            remedy: "geo-failover plan drop-slots --slot NAME, if nobody needs it; else bring back what uses it"
        ),
        limits: [
            LimitDefault(
                name: "disk_lasts_seconds", value: 172_800, unit: .seconds,
                meaning: "an inactive slot fails when the disk would be full sooner, at the rate WAL is written now")
        ],
        needs: { scope, pair, _ in
            scope.ask([.database, .server, .disks], of: pair.from.databaseNodes)
            if let member = pair.to.nodes(running: .patroni).first { scope.ask([.geoSettings], of: [member]) }
        }
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
        let own = examination.ownSlots(of: pair.to)
        for slot in primary.state.slots where !slot.isActive && !own.contains(slot.name) {
            let held = slot.retainedBytes.map(Quantity.bytes) ?? "an unknown amount"
            let sentence =
                "slot \(slot.name) on \(node.id) is inactive and holds back \(held) of WAL;"
                + " \(lasts ?? "how long the disk lasts is not known: too little WAL was written to tell a rate")"
            // Whether somebody may want it for another reason, the plan asks: it looks at more.
            let remedy =
                Slots.site(named: slot.name, besides: pair.from.id, in: examination.context.inventory).map {
                    "bring \($0) back, or take it out of the inventory: it is its slot"
                }
                ?? "geo-failover plan drop-slots --from \(pair.from.id) --to \(pair.to.id) --slot \(slot.name)"
                + "  # if nobody needs it"
            if let seconds, seconds < Double(examination.limit("disk_lasts_seconds")) {
                examination.fail(sentence, remedy: remedy)
            } else {
                examination.warn(sentence, remedy: remedy)
            }
        }
        return "all \(Quantity.count(primary.state.slots.count, "slot")) of \(node.id) are in use"
            + (lasts.map { "; with an inactive one \($0)" } ?? "")
    }

    static let abandoned = Check.aboutFailover(
        "replication.slots-abandoned",
        CheckText(
            question: "Can nobody of the inventory want the slots that are to be dropped, or any that is not in use?",
            rationale:
                "A standby whose slot is dropped while it is away has to be copied as a whole when it comes back."
                + " Whose a slot is, its name says, or what streams through it; a standby that streams from nobody may"
                + " want any of them.",
            source: cite(.slots, .replicationViews),
            remedy: "bring the standby back that may use it, or take its site out of the inventory"),
        isInvariant: true,
        needs: { scope, pair, context in
            for site in context.inventory.sites { scope.ask([.database], of: site.databaseNodes) }
            for site in context.inventory.sites where site.id != pair.from.id {
                scope.ask([.controlData], of: site.databaseNodes)
            }
        }
    ) { examination, pair in
        guard let primary = examination.primaryState(of: pair.from) else { return "" }
        let names = examination.context.names ?? primary.state.slots.filter { !$0.isActive }.map(\.name)
        for name in names {
            if let slot = primary.state.slots.first(where: { $0.name == name }), slot.isActive {
                examination.fail(
                    "slot \(name) of \(primary.database.node.id) is in use",
                    remedy: "sudo gitlab-psql -c 'SELECT * FROM pg_stat_replication'  # on \(primary.database.node.id)")
            }
            if let owner = Slots.owner(
                of: name, primary: pair.from.id, in: examination.context.inventory, examination.observation)
            {
                examination.fail(
                    "slot \(name) may be wanted: \(owner.reason)",
                    remedy: "bring \(owner.site) back, or take it out of the inventory and plan again")
            }
        }
        return names.isEmpty
            ? "every slot of \(primary.database.node.id) is in use"
            : "nobody of the inventory can want \(names.joined(separator: ", "))"
    }

    static let dropped = Check.aboutFailover(
        "replication.slots-dropped",
        CheckText(
            question: "Are the slots that were to be dropped gone, or all that are not in use?",
            rationale: "A slot that was taken into use in the very moment is not dropped, and its WAL stays.",
            source: cite(.slots), remedy: "look who uses it: sudo gitlab-psql -c 'SELECT * FROM pg_replication_slots'"),
        needs: { scope, pair, _ in scope.ask([.database], of: pair.from.databaseNodes) }
    ) { examination, pair in
        guard let primary = examination.primaryState(of: pair.from) else { return "" }
        let names = examination.context.names ?? primary.state.slots.filter { !$0.isActive }.map(\.name)
        for slot in primary.state.slots where names.contains(slot.name) {
            examination.fail(
                "slot \(slot.name) of \(primary.database.node.id) is there, \(slot.isActive ? "in use" : "not in use")",
                remedy: "sudo gitlab-psql -c 'SELECT * FROM pg_replication_slots'  # on \(primary.database.node.id)")
        }
        return names.isEmpty
            ? "every slot of \(primary.database.node.id) is in use"
            : "\(primary.database.node.id) has no slot \(names.joined(separator: ", "))"
    }

    private static func hours(_ seconds: Double) -> String {
        let hours = seconds / 3600
        return hours > 10_000 ? "more than a year" : "\(Int(hours.rounded(.down))) h"
    }
}
