/// The facts that a plan stands on. If one of them is no longer what it was, the plan changes nothing (promise 6).
package enum LoadBearing {
    package enum Moment: Sendable {
        /// Before the first change: everything that the plan was decided from.
        case firstChange
        /// Just before the point of no return: the candidate must still be what it was; the former primary's machines
        /// too, but its roles and services have been changed by the run itself. Of a re-seed it is the other way round: a
        /// secondary that follows nobody was stopped by the run, and what is to be replaced is looked at by a check.
        case pointOfNoReturn
    }

    /// What differs, side by side. A fact that was known and is unknown now is drift; one that was never known is not.
    ///
    /// Nodes that a person vouched for since are no longer what they were. When the site to leave `isGivenUp`, neither are
    /// those of it that run no GitLab: nobody has to vouch for them.
    package static func drift(
        _ plan: Plan, now: Observation, at moment: Moment, attestations: [Attestation] = [],
        isGivenUp: Bool = false
    ) -> [Drift] {
        let others = isGivenUp ? plan.inventory.site(plan.from)?.nodes.filter { !$0.isManagedByOmnibus } ?? [] : []
        let gone = Set((attestations.map(\.node) + others.map(\.id)).map { Subject.node(id: $0) })
        let before = facts(of: plan.basis, plan, moment).filter { !gone.contains($0.subject) }
        let after = facts(of: now, plan, moment)
        return before.compactMap { fact in
            guard let planned = fact.value.value else { return nil }
            let current = after.first { $0.subject == fact.subject && $0.name == fact.name }?.value ?? .notAsked
            switch current {
            case .known(let value, _, _) where value == planned: return nil
            case .known(let value, _, _):
                return Drift(subject: fact.subject, fact: fact.name, planned: planned, now: value)
            case .unknown(let reason):
                return Drift(subject: fact.subject, fact: fact.name, planned: planned, now: "unknown: \(reason)")
            }
        }
    }

    /// What to ask of whom for ``drift(_:now:at:)``.
    package static func scope(_ plan: Plan) -> ObservationScope {
        var scope = ObservationScope()
        for site in sites(plan) {
            scope.ask([.identity, .version, .database, .geo], of: site.nodes)
            if plan.scenario == .changeURL { scope.ask([.configuration], of: site.nodes) }
            guard plan.scenario == .reseed, site.id == plan.to else { continue }
            scope.ask([.geoSettings], of: site.nodes)
            scope.ask([.configurationFiles], of: site.nodes.filter { !site.configuration(of: $0).files.isEmpty })
            scope.ask([.controlData], of: site.databaseNodes)
        }
        return scope
    }

    /// What touches the primary alone stands on nothing of the other site but what its checks say of it.
    private static func sites(_ plan: Plan) -> [Site] {
        let sites =
            switch plan.scenario {
            case .changeURL: [plan.to]
            case .dropSlots: [plan.from]
            case .planned, .unplanned, .reseed, .failback, .abort: [plan.from, plan.to]
            }
        return sites.compactMap(plan.inventory.site)
    }

    private struct Fact {
        var subject: Subject
        var name: String
        var value: Observed<String>
    }

    private static func facts(of observation: Observation, _ plan: Plan, _ moment: Moment) -> [Fact] {
        sites(plan).flatMap { site in
            site.nodes.flatMap { node -> [Fact] in
                let facts = observation[node.id]
                let subject = Subject.node(id: node.id)
                var found = [
                    Fact(subject: subject, name: "host name", value: facts.identity.map(\.hostName)),
                    Fact(subject: subject, name: "machine id", value: facts.identity.map(\.machineID)),
                ]
                if node.isManagedByOmnibus {
                    found.append(Fact(subject: subject, name: "GitLab version", value: facts.gitlabVersion))
                }
                if plan.scenario == .changeURL, moment == .firstChange, node.isManagedByOmnibus {
                    found.append(
                        Fact(subject: subject, name: "external_url", value: facts.configuration.map(urlLines)))
                }
                if plan.scenario == .reseed, moment == .firstChange, site.id == plan.to, node.isManagedByOmnibus {
                    let lines = facts.geoSettings.map { $0.isEmpty ? "none" : $0.joined(separator: "; ") }
                    found.append(Fact(subject: subject, name: "Geo's settings in gitlab.rb", value: lines))
                    for file in site.configuration(of: node).files {
                        let digest = facts.configurationFiles.map { $0[file.path.text]?.text ?? "not there" }
                        found.append(Fact(subject: subject, name: file.path.text, value: digest))
                    }
                }
                guard !site.databaseNodes.filter({ $0.id == node.id }).isEmpty else { return found }
                if plan.scenario == .reseed, site.id == plan.to {
                    // Its server is down: what lies in the data directory tells whose it is.
                    found.append(
                        Fact(
                            subject: subject, name: "system identifier of the data directory",
                            value: facts.controlData.map(\.systemIdentifier)))
                    found.append(
                        Fact(
                            subject: subject, name: "timeline of the data directory",
                            value: facts.controlData.map { String($0.timeline) }))
                }
                if moment == .firstChange
                    || site.id == ([.reseed, .dropSlots].contains(plan.scenario) ? plan.from : plan.to)
                {
                    found.append(Fact(subject: subject, name: "database role", value: facts.database.map(role)))
                    found.append(
                        Fact(subject: subject, name: "timeline", value: facts.database.map { String($0.timeline) }))
                    found.append(
                        Fact(subject: subject, name: "system identifier", value: facts.database.map(\.systemIdentifier))
                    )
                    found.append(Fact(subject: subject, name: "Geo's primary", value: facts.geo.map(primaries)))
                }
                return found
            }
        }
    }

    private static func urlLines(_ facts: ConfigurationFacts) -> String {
        facts.urlLines.map { $0.isEmpty ? "not set" : $0.joined(separator: "; ") } ?? "not read"
    }
    private static func role(_ facts: DatabaseFacts) -> String { facts.isInRecovery ? "standby" : "primary" }
    private static func primaries(_ facts: GeoFacts) -> String {
        facts.primaries.isEmpty ? "none" : facts.primaries.map(\.name).sorted().joined(separator: ", ")
    }
}
