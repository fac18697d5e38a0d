/// A check at work: what it saw becomes evidence, what it makes of it remarks, and the worst remark the finding.
///
/// Only a check that read every fact it asked for, fresh, and had nothing to say against them can pass.
struct Examination {
    struct Remark: Hashable {
        var verdict: Verdict
        var sentence: String
        var remedy: String
    }

    let check: CheckID
    let context: CheckContext
    let observation: Observation
    private(set) var evidence: [Evidence] = []
    private(set) var remarks: [Remark] = []
    /// For who waits; see ``Finding/progress``.
    var progress: Measure?
    // What was said already: a check of a thousand nodes must not compare each with all before it.
    private var noted: Set<Evidence> = []
    private var remarked: Set<Remark> = []

    init(_ check: CheckID, _ context: CheckContext, _ observation: Observation) {
        self.check = check
        self.context = context
        self.observation = observation
    }

    static let ageLimit = LimitDefault(
        name: "fact_age", value: 300, unit: .seconds,
        meaning: "a fact seen longer before the end of the observation counts as unknown")

    func limit(_ name: String) -> Int { context.limit(name) }

    // MARK: Reading facts

    /// A node's fact, kept as evidence; `nil`, with a remark, when it is unknown or too old to count.
    mutating func read<Value>(
        _ fact: KeyPath<NodeFacts, Observed<Value>>, _ name: String, of node: Node,
        as text: (Value) -> String = { "\($0)" }
    ) -> Value? {
        read(
            observation[node.id][keyPath: fact], "\(name) of \(node.id)", remedy: Self.lookAgain(at: node), on: node,
            as: text)
    }

    /// The same of what PostgreSQL was asked for, whose answer may come another way than over SSH.
    mutating func readRows<Value>(
        _ fact: KeyPath<NodeFacts, Observed<Value>>, _ name: String, of node: Node, as text: (Value) -> String
    ) -> Value? {
        let access = context.inventory.database
        guard access.via == .direct || access.password != nil else { return read(fact, name, of: node, as: text) }
        let remedy =
            "psql -h \(node.access.address) -U \(access.user ?? "gitlab-psql") -d postgres -c 'SELECT 1'"
            + "  # `database:` of \(context.inventory.source.path), then check again"
        return read(observation[node.id][keyPath: fact], "\(name) of \(node.id)", remedy: remedy, on: node, as: text)
    }

    mutating func read<Value>(
        _ fact: Observed<Value>, _ name: String, remedy: String, on node: Node? = nil, as text: (Value) -> String
    ) -> Value? {
        switch fact {
        case .unknown(let reason):
            note(Evidence("\(name): unknown, \(reason)"))
            lacking("\(name) is not known: \(reason)", remedy: remedy, on: node)
            return nil
        case .known(let value, let at, let from):
            note(Evidence("\(name): \(text(value))", from: from, at: at))
            if let staleness = staleness(of: at) {
                lacking("\(name) \(staleness)", remedy: remedy, on: node)
                return nil
            }
            return value
        }
    }

    /// A fact of a site that is given up is a loss, and not a reason to know nothing.
    private mutating func lacking(_ sentence: String, remedy: String, on node: Node?) {
        let isLost =
            context.lostSite != nil && node.flatMap { context.inventory.site(of: $0.id)?.id } == context.lostSite
        remark(isLost ? .warn : .unknown, sentence, remedy)
    }

    /// Why a fact of that moment does not count any more; `nil` when it does.
    private func staleness(of at: Timestamp) -> String? {
        let age = observation.endedAt.seconds(since: at)
        if age > Double(limit("fact_age")) {
            return "is stale: seen \(Quantity.seconds(age)) before the end of the observation,"
                + " at most \(limit("fact_age")) s counts"
        }
        // One second of slack for rounding; more means that a clock was set while looking.
        return age < -1 ? "is dated \(Quantity.seconds(-age)) after the end of the observation" : nil
    }

    /// Seconds from a moment to the end of the observation, for ages that were measured at that moment.
    func seconds(since at: Timestamp) -> Double { max(0, observation.endedAt.seconds(since: at)) }

    /// How a remark is marked that is not the finding's own.
    static func lesser(_ verdict: Verdict) -> String { "\(verdict.rawValue): " }

    static func lookAgain(at node: Node) -> String {
        let access = node.access
        let become = access.become == .sudo ? " sudo -n true" : " true"
        return "ssh -p \(access.port) \(access.user)@\(access.address)\(become)  # then check again"
    }

    // MARK: Judging

    mutating func note(_ new: Evidence) {
        if noted.insert(new).inserted { evidence.append(new) }
    }

    mutating func note(_ text: String) { note(Evidence(text)) }

    mutating func fail(_ sentence: String, remedy: String) { remark(.fail, sentence, remedy) }
    mutating func warn(_ sentence: String, remedy: String) { remark(.warn, sentence, remedy) }
    mutating func unknown(_ sentence: String, remedy: String) { remark(.unknown, sentence, remedy) }

    private mutating func remark(_ verdict: Verdict, _ sentence: String, _ remedy: String) {
        let new = Remark(verdict: verdict, sentence: sentence, remedy: remedy)
        if remarked.insert(new).inserted { remarks.append(new) }
    }

    /// Takes over another check's answer as a part of a proof, in which a warning is a gap: it is not proven.
    mutating func prove(_ finding: Finding) {
        finding.evidence.forEach { note($0) }
        if finding.verdict == .pass {
            note("\(finding.check): \(finding.summary)")
        } else {
            let verdict = max(finding.verdict, .unknown)
            remark(verdict, "\(finding.check): \(finding.summary)", finding.remedy ?? "")
        }
    }

    /// The answer: the worst remarks, or the sentence for a pass when there are none.
    func finding(about subject: Subject? = nil, pass sentence: String) -> Finding {
        let subject = subject ?? context.subject
        guard let worst = remarks.map(\.verdict).max() else {
            return Finding(check: check, subject: subject, verdict: .pass, summary: sentence, evidence: evidence)
        }
        let told = remarks.filter { $0.verdict == worst }
        let lesser = remarks.filter { $0.verdict != worst }
        let more = told.count > 4 ? "; and \(told.count - 4) more, see the evidence" : ""
        let untold = told.dropFirst(4) + lesser
        var remedies: [String] = []
        for remedy in told.map(\.remedy) where !remedy.isEmpty && !remedies.contains(remedy) { remedies.append(remedy) }
        return Finding(
            check: check, subject: subject, verdict: worst,
            summary: told.prefix(4).map(\.sentence).joined(separator: "; ") + more,
            evidence: evidence + untold.map { Evidence(Self.lesser($0.verdict) + $0.sentence) },
            remedy: remedies.joined(separator: "\n"), progress: progress)
    }
}
