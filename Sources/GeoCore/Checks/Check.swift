/// A question over an observation. Preflight, a step's precondition and its verification are the same thing.
package struct Check: Sendable {
    /// What kind of subject it speaks of; the planner and the linter refuse a reference to another kind.
    package enum Scope: String, Sendable, Hashable, Codable { case deployment, site, node, failover }

    package var id: CheckID
    package var scope: Scope
    package var question: String
    package var rationale: String
    /// Where the facts behind it are documented.
    package var source: String
    /// What to do about it in general: the command or the edit. A finding's own remedy names nodes and values.
    package var remedy: String
    /// GitLab versions that the question makes sense for.
    package var versions: String
    /// Names of limits with their defaults and units, in the order to print them.
    package var limits: [LimitDefault]
    /// A check that holds up a promise (docs/INVARIANTS.md) cannot be waived.
    package var isInvariant: Bool
    /// What has to be asked of whom before it can be answered.
    package var needs: @Sendable (CheckContext) -> ObservationScope
    package var evaluate: @Sendable (CheckContext, Observation) -> [Finding]

    package init(
        id: CheckID, scope: Scope, question: String, rationale: String, source: String, remedy: String,
        versions: String = everyVersion, limits: [LimitDefault] = [],
        isInvariant: Bool = false, needs: @escaping @Sendable (CheckContext) -> ObservationScope,
        evaluate: @escaping @Sendable (CheckContext, Observation) -> [Finding]
    ) {
        self.id = id
        self.scope = scope
        self.question = question
        self.rationale = rationale
        self.source = source
        self.remedy = remedy
        self.versions = versions
        self.limits = limits
        self.isInvariant = isInvariant
        self.needs = needs
        self.evaluate = evaluate
    }

    /// The oldest GitLab with `gitlab-ctl geo promote` for all kinds of nodes.
    package static let everyVersion = "GitLab 14.5 and later"

    /// The answers about the context's subject, with the defaults of the limits filled in.
    package func findings(_ context: CheckContext, _ observation: Observation) -> [Finding] {
        var context = context
        for limit in limits where context.limits[limit.name] == nil {
            context.limits.values[limit.name] = limit.value
        }
        return evaluate(context, observation)
    }
}

/// A number that a check compares with.
package struct LimitDefault: Sendable, Hashable {
    package enum Unit: String, Sendable, Hashable { case seconds, bytes, milliseconds, percent, count }
    package var name: String
    package var value: Int
    package var unit: Unit
    package var meaning: String
    package init(name: String, value: Int, unit: Unit, meaning: String) {
        self.name = name
        self.value = value
        self.unit = unit
        self.meaning = meaning
    }
}

/// What a check is asked about: the inventory, the subject, and the author's limits.
package struct CheckContext: Sendable {
    package var inventory: Inventory
    package var subject: Subject
    package var limits: Limits
    /// See ``CheckReference/names``.
    package var names: [String]?
    /// The two parts, where the check runs for a failover; a site check of a run can tell which it is.
    package var from: SiteID?
    package var to: SiteID?
    /// A site that is given up: that it does not answer is no reason to know nothing of the others.
    package var lostSite: SiteID?
    /// Words of named persons for nodes that do not answer.
    package var attestations: [Attestation] = []
    /// Cron jobs that were off before the run, and are to be.
    package var cronJobsLeftOff: [String] = []
    /// The step that asks has begun (``Step/hasBegun(_:)``): what it does may be seen already.
    package var hasBegun = false
    /// The step that asks has started a command before, in this attempt or an earlier one: what runs may be its doing.
    package var isTriedAgain = false
    /// Outcomes of the step's own commands, for checks that judge a step; empty elsewhere.
    package var transcript: TranscriptSummary?

    package init(
        inventory: Inventory, subject: Subject, limits: Limits = .init(), from: SiteID? = nil, to: SiteID? = nil,
        transcript: TranscriptSummary? = nil
    ) {
        self.inventory = inventory
        self.subject = subject
        self.limits = limits
        self.from = from
        self.to = to
        self.transcript = transcript
    }

    /// The site that the subject is or belongs to; `nil` for deployment and failover subjects.
    package var site: Site? {
        switch subject {
        case .deployment, .failover: nil
        case .site(let id): inventory.site(id)
        case .node(let id): inventory.site(of: id)
        }
    }

    package var node: Node? {
        if case .node(let id) = subject { inventory.node(id) } else { nil }
    }

    package var fromSite: Site? { from.flatMap(inventory.site) }
    package var toSite: Site? { to.flatMap(inventory.site) }

    /// The author's limit, or the catalogue's default, which ``Check/findings(_:_:)`` has filled in.
    package func limit(_ name: String) -> Int {
        guard let value = limits[name] else {
            preconditionFailure("a check asked for the limit \(name), which its catalogue entry does not name")
        }
        return value
    }
}

/// What a command's saved output says, where its exit status does not.
package struct TranscriptSummary: Sendable, Hashable, Codable {
    /// A progress line ended in `NOT OK`, or Chef printed `Infra Phase failed`.
    package var saysNotOK: Bool
    /// The last lines, without control characters, for people.
    package var lastLines: [String]
    package init(saysNotOK: Bool, lastLines: [String]) {
        self.saysNotOK = saysNotOK
        self.lastLines = lastLines
    }
}

/// A check by name with the limits to hold it to.
package struct CheckReference: Sendable, Hashable, Codable {
    package var check: CheckID
    package var subject: Subject
    package var limits: Limits
    /// What of the subject it asks about, where that has to be said: slots. `nil`: all of it.
    package var names: [String]?
    package init(check: CheckID, subject: Subject, limits: Limits = .init(), names: [String]? = nil) {
        self.check = check
        self.subject = subject
        self.limits = limits
        self.names = names
    }
}
