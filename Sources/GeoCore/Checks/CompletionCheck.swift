/// The one question before the database is stopped: is there anything that only the primary has?
enum CompletionCheck {
    static let all = [complete]

    private static let parts = [
        ReplicationChecks.streaming, ReplicationChecks.caughtUp, ReplicationChecks.notPaused, DataTypeChecks.complete,
        DataTypeChecks.verified, GeoChecks.logCursor,
    ]

    static let complete = Check.aboutFailover(
        "replication.complete",
        CheckText(
            question: "Does the candidate have everything: WAL, items of every data type, and every Geo event?",
            rationale: "Each part alone can be complete while another is behind. No limit can be relaxed here:"
                + " what is pending now is lost with the promotion.",
            source: cite(.plannedFailover, .siteStatus),
            remedy: "wait; what does not shrink is named by the check that it belongs to"),
        limits: [
            // Younger than elsewhere: the count has to be of the time after users were kept out.
            LimitDefault(
                name: "status_age", value: 300, unit: .seconds, meaning: Examination.statusAge.meaning),
            ReplicationChecks.messageAge,
        ],
        needs: { scope, _, context in
            for part in parts { scope.formUnion(part.needs(context)) }
        }
    ) { examination, pair in
        var context = examination.context.about(.failover(from: pair.from.id, to: pair.to.id))
        // Only ages are the author's; amounts stay at their defaults, which are zero.
        context.limits = Limits(
            examination.context.limits.values.filter { ["status_age", "message_age", "fact_age"].contains($0.key) })
        for part in parts {
            for finding in part.findings(context, examination.observation) { examination.prove(finding) }
        }
        return "\(pair.to.id) has everything that \(pair.from.id) has: WAL, items, checksums and events"
    }
}
