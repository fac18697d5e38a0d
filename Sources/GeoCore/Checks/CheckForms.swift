/// The two sites of a failover.
struct SitePair {
    var from: Site
    var to: Site
    var nodes: [Node] { from.nodes + to.nodes }
    var databaseNodes: [Node] { from.databaseNodes + to.databaseNodes }
}

extension CheckContext {
    /// The failover that the subject is, or that the check runs in.
    var pair: SitePair? {
        var (from, to) = (from, to)
        if case .failover(let left, let right) = subject { (from, to) = (left, right) }
        guard let from = from.flatMap(inventory.site), let to = to.flatMap(inventory.site) else { return nil }
        return SitePair(from: from, to: to)
    }

    /// The same question about something else: for checks that other checks are made of.
    func about(_ subject: Subject) -> CheckContext {
        var context = self
        context.subject = subject
        return context
    }
}

/// What a check is, in words; the same for every form of check.
struct CheckText {
    var question: String
    var rationale: String
    var source: String
    /// The general form; a finding's own remedy names nodes, files and values.
    var remedy: String
    var versions = Check.everyVersion
}

/// One form per kind of subject. `examine` returns the sentence of a pass, which is used only if it made no remark.
extension Check {
    static func aboutNode(
        _ id: CheckID, _ text: CheckText, probes: Set<Probe>, limits: [LimitDefault] = [],
        examine: @escaping @Sendable (inout Examination, Node) -> String
    ) -> Check {
        aboutNode(
            id, text, limits: limits, needs: { scope, node, _ in scope.ask(probes, of: [node]) }, examine: examine)
    }

    static func aboutNode(
        _ id: CheckID, _ text: CheckText, limits: [LimitDefault] = [], isInvariant: Bool = false,
        needs: @escaping @Sendable (inout ObservationScope, Node, CheckContext) -> Void,
        examine: @escaping @Sendable (inout Examination, Node) -> String
    ) -> Check {
        Check(
            id: id, scope: .node, text: text, limits: limits, isInvariant: isInvariant,
            part: { $0.node }, needs: needs, examine: examine)
    }

    static func aboutSite(
        _ id: CheckID, _ text: CheckText, limits: [LimitDefault] = [],
        needs: @escaping @Sendable (inout ObservationScope, Site, CheckContext) -> Void,
        examine: @escaping @Sendable (inout Examination, Site) -> String
    ) -> Check {
        Check(
            id: id, scope: .site, text: text, limits: limits, part: { $0.site }, needs: needs, examine: examine)
    }

    static func aboutFailover(
        _ id: CheckID, _ text: CheckText, limits: [LimitDefault] = [], isInvariant: Bool = false,
        needs: @escaping @Sendable (inout ObservationScope, SitePair, CheckContext) -> Void,
        examine: @escaping @Sendable (inout Examination, SitePair) -> String
    ) -> Check {
        Check(
            id: id, scope: .failover, text: text, limits: limits, isInvariant: isInvariant,
            part: { $0.pair }, needs: needs, examine: examine)
    }

    static func aboutDeployment(
        _ id: CheckID, _ text: CheckText, limits: [LimitDefault] = [],
        needs: @escaping @Sendable (inout ObservationScope, Inventory, CheckContext) -> Void,
        examine: @escaping @Sendable (inout Examination, Inventory) -> String
    ) -> Check {
        Check(
            id: id, scope: .deployment, text: text, limits: limits, part: { $0.inventory }, needs: needs,
            examine: examine)
    }

    private init<Part>(
        id: CheckID, scope: Scope, text: CheckText, limits: [LimitDefault], isInvariant: Bool = false,
        part: @escaping @Sendable (CheckContext) -> Part?,
        needs: @escaping @Sendable (inout ObservationScope, Part, CheckContext) -> Void,
        examine: @escaping @Sendable (inout Examination, Part) -> String
    ) {
        self.init(
            id: id, scope: scope, question: text.question, rationale: text.rationale, source: text.source,
            remedy: text.remedy, versions: text.versions,
            limits: limits + [Examination.ageLimit], isInvariant: isInvariant,
            needs: { context in
                var scope = ObservationScope()
                if let part = part(context) { needs(&scope, part, context) }
                return scope
            },
            evaluate: { context, observation in
                var examination = Examination(id, context, observation)
                guard let part = part(context) else {
                    examination.unknown(
                        "\(context.subject) is not a \(scope.rawValue) that the inventory knows",
                        remedy: "ask about a \(scope.rawValue) of the inventory, with --from and --to")
                    return [examination.finding(pass: "")]
                }
                let sentence = examine(&examination, part)
                return [examination.finding(pass: sentence)]
            })
    }
}
