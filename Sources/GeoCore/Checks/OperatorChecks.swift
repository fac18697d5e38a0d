/// The tool's own place and memory: what a failover depends on before any node is asked.
enum OperatorChecks {
    static let all = [independent, lastCheck, lastDrill, leftProven, observationWindow]

    static let ask: @Sendable (inout ObservationScope, SitePair, CheckContext) -> Void = { scope, _, _ in
        scope.asksOperator = true
    }

    static let independent = Check.aboutFailover(
        "operator.independent",
        CheckText(
            question: "Would this machine, and its way to the candidate, survive the loss of the primary's site?",
            rationale: "A tool on a node of the primary, or behind a bastion there, is gone with the site that it is"
                + " kept for.",
            source: cite(.promise(10), .disasterRecovery),
            remedy: "run the tool from a machine outside both sites, with a jump host that is not one of the primary's"),
        needs: ask
    ) { examination, pair in
        guard let facts = examination.readOperator() else { return "" }
        if facts.addresses.isEmpty {
            examination.unknown("this machine told no address of its own", remedy: "ip address  # then check again")
        }
        for node in pair.from.nodes where facts.addresses.contains(node.access.address) {
            examination.fail(
                "this machine is \(node.id) (\(node.access.address)), a node of the site to be left",
                remedy: "run the tool from a machine outside \(pair.from.id)")
        }
        let addresses = Dictionary(
            pair.from.nodes.map { ($0.access.address, $0.id) }, uniquingKeysWith: { first, _ in first })
        for node in pair.to.nodes {
            for jump in node.access.jump {
                guard let host = addresses[jump.address] else { continue }
                examination.fail(
                    "the way to \(node.id) leads over \(host) (\(jump.address)), a node of the site to be left",
                    remedy: "give \(node.id) another jump host in \(examination.context.inventory.source.path)")
            }
        }
        return "neither this machine nor a jump host to \(pair.to.id) is a node of \(pair.from.id)"
    }

    static let lastCheck = Check.aboutFailover(
        "operator.last-check",
        CheckText(
            question: "Was the deployment checked from here lately?",
            rationale: "A failover that nobody looked at for weeks is found impossible in the outage. Faults of"
                + " replication are repaired in weeks, not in a night.",
            source: cite(.plannedFailover),
            remedy: "run geo-failover check every night, and tell somebody when its exit status is not 0"),
        limits: [
            LimitDefault(
                name: "at_most_seconds", value: 691_200, unit: .seconds,
                meaning: "age of the check before this one, beyond which it warns")
        ],
        needs: ask
    ) { examination, _ in
        guard let facts = examination.readOperator() else { return "" }
        let remedy = "geo-failover check  # every night, from a timer on this machine"
        guard let last = facts.lastCheckAt else {
            examination.warn("no earlier check is written down on this machine", remedy: remedy)
            return ""
        }
        let age = examination.age(since: last, of: "the last check")
        if age > Double(examination.limit("at_most_seconds")) {
            examination.warn("the last check from here was \(Quantity.days(age)) ago", remedy: remedy)
        }
        return "the last check from here was \(Quantity.days(age)) ago"
    }

    static let lastDrill = Check.aboutFailover(
        "operator.last-drill",
        CheckText(
            question: "Did anybody finish a failover with this tool in the last months, as a drill or in earnest?",
            rationale: "What was never tried does not work; GitLab's own advice is to rehearse.",
            source: cite(.plannedFailover, .disasterRecovery),
            remedy: "geo-failover plan --drill --from SITE --to SITE, and one back"),
        limits: [
            LimitDefault(
                name: "at_most_seconds", value: 15_552_000, unit: .seconds,
                meaning: "since the last run that finished, beyond which it warns")
        ],
        needs: ask
    ) { examination, _ in
        guard let facts = examination.readOperator() else { return "" }
        let remedy = "geo-failover plan --drill --from SITE --to SITE  # in a quiet hour"
        guard let last = facts.lastFinishedRunAt else {
            examination.warn("no finished run is known on this machine", remedy: remedy)
            return ""
        }
        let age = examination.age(since: last, of: "the last finished run")
        if age > Double(examination.limit("at_most_seconds")) {
            examination.warn("the last finished run was \(Quantity.days(age)) ago", remedy: remedy)
        }
        return "the last finished run was \(Quantity.days(age)) ago"
    }
}

extension OperatorChecks {
    static let leftProven = Check.aboutFailover(
        "operator.left-proven",
        CheckText(
            question: "Was every node of a site that was left from here seen to be fenced?",
            rationale:
                "A person's word, and a program's, hold only until the node comes back. It is then a second primary"
                + " for as long as nobody looks.",
            source: cite(.promise(1), .disasterRecovery),
            remedy: "geo-failover guard RUN, until every node is seen to be fenced"),
        needs: ask
    ) { examination, _ in
        guard let facts = examination.readOperator() else { return "" }
        guard let unproven = facts.unproven else {
            examination.warn(
                "what runs of this machine left without a proof was not looked up",
                remedy: "geo-failover check  # with this version")
            return ""
        }
        for left in unproven where left.isOf(examination.context.inventory.deployment) {
            examination.warn(left.sentence, remedy: "geo-failover guard \(left.run)")
        }
        return "no run of this machine left a node without a proof of its fence"
    }

    static let observationWindow = Check.aboutFailover(
        "operator.observation-window",
        CheckText(
            question: "Was the site that is to be seeded anew left long enough ago?",
            rationale:
                "A re-seed is the end of what only that site has, and of the way back. In the first hours after a"
                + " failover people find out what they miss.",
            source: cite(.promise(9), .disasterRecovery),
            remedy: "wait, and use the time to compare what people miss with what the former primary has"),
        limits: [
            LimitDefault(
                name: "at_least_seconds", value: FinishedFailover.observationSeconds, unit: .seconds,
                meaning: "since the failover away from the site, before which it fails")
        ],
        needs: ask
    ) { examination, pair in
        guard let facts = examination.readOperator() else { return "" }
        guard let failovers = facts.failovers else {
            examination.warn(
                "when the site was left was not looked up", remedy: "geo-failover check  # with this version")
            return ""
        }
        let left = failovers.first {
            $0.deployment == examination.context.inventory.deployment && $0.from == pair.to.id
                && $0.to == pair.from.id
        }
        guard let left else { return "no run of this machine left \(pair.to.id) for \(pair.from.id)" }
        let age = examination.age(since: left.at, of: "the failover")
        let window = Double(examination.limit("at_least_seconds"))
        if age < window {
            // The same sentence at every look: a waiver is bound to it.
            examination.fail(
                "\(pair.to.id) was left at \(left.at.toSeconds) UTC; until"
                    + " \(left.at.adding(seconds: window).toSeconds) nothing of it is given up",
                remedy: "look at it: geo-failover report \(left.run); then wait, or waive this by name")
        }
        return "\(pair.to.id) was left \(Quantity.days(age)) ago"
    }
}

extension Examination {
    /// What is dated ahead was written down by a clock that was wrong, or is read by one: how long ago it was is not known.
    fileprivate mutating func age(since last: Timestamp, of what: String) -> Double {
        let age = observation.endedAt.seconds(since: last)
        if age < -60 {
            warn(
                "\(what) from here is dated \(Quantity.days(-age)) ahead, so that its age is not known",
                remedy: "chronyc tracking  # on this machine")
        }
        return max(0, age)
    }

    mutating func readOperator() -> OperatorFacts? {
        read(
            observation.operatorMachine, "this machine",
            remedy: "geo-failover check  # as a user who may read the state directory"
        ) { facts in "addresses \(Quantity.list(facts.addresses, atMost: 8))" }
    }
}
