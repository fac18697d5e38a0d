import GeoCore
import GeoTestSupport
import Testing

/// Rules that hold for every check of the catalogue.
@Suite struct CheckPropertyTests {
    @Test(arguments: CheckScenario.all)
    func passesWhereEverythingIsAsItShouldBe(_ scenario: CheckScenario) {
        let findings = scenario.findings
        #expect(!findings.isEmpty)
        for finding in findings {
            #expect(finding.verdict == .pass, "\(finding.summary)")
            #expect(finding.remedy == nil)
            #expect(!finding.summary.isEmpty)
        }
    }

    @Test func everyCheckHasAScenarioAndAUniqueName() {
        let covered = Set(CheckScenario.all.map(\.check))
        #expect(CheckCatalog.all.map(\.id).filter { !covered.contains($0) } == [])
        #expect(Set(CheckCatalog.all.map(\.id)).count == CheckCatalog.all.count)
        #expect(CheckCatalog.plannedPreflight.allSatisfy { CheckCatalog.check($0.check) != nil })
    }

    @Test(arguments: CheckCatalog.all.map(\.id))
    func saysWhatItAsksWhyAndByWhichLimits(_ id: CheckID) throws {
        let check = try #require(CheckCatalog.check(id))
        #expect(check.question.hasSuffix("?"))
        #expect(check.rationale.hasSuffix("."))
        #expect(!check.source.isEmpty)
        #expect(check.remedy.count > 20 && check.versions.hasPrefix("GitLab "))
        let coverage = check.coverage
        #expect(coverage.asksURLs || coverage.asksHere || !coverage.components.isEmpty && !coverage.probes.isEmpty)
        #expect(check.limits.contains { $0.name == "fact_age" })
        #expect(Set(check.limits.map(\.name)).count == check.limits.count)
    }

    @Test func onlyPromisesCannotBeWaived() {
        #expect(
            Set(CheckCatalog.all.filter(\.isInvariant).map(\.id)) == [
                "site.fenced", "database.zero-loss", "candidate.not-promoted", "reseed.direction",
                "reseed.own-database", "reseed.stands-still", "replication.slots-abandoned",
            ])
    }

    /// A check must not lean on what it did not ask for: the executor observes only that.
    @Test(arguments: CheckScenario.all)
    func answersFromExactlyWhatItAskedFor(_ scenario: CheckScenario) throws {
        let check = try #require(CheckCatalog.check(scenario.check))
        let restricted = scenario.observation.restricted(to: check.needs(scenario.context))
        #expect(scenario.findings(with: restricted) == scenario.findings)
    }

    /// Any fact it asked for, made unknown, changes the answer to something that is not pass.
    @Test(arguments: CheckScenario.all.filter { !Self.optionalFacts.contains($0.check) })
    func noUnknownFactIsEverPass(_ scenario: CheckScenario) throws {
        let check = try #require(CheckCatalog.check(scenario.check))
        let scope = check.needs(scenario.context)
        for (node, probes) in scope.probes {
            // What others see of a fence can break it; that they could not look takes nothing from what was seen on the node.
            for probe in probes where scenario.check != "site.fenced" || probe != .views {
                // The identity probe is only the question that a visit asks; whether it answered is `connection`.
                let other = scenario.observation.changing(node) { facts in
                    facts.markUnknown(probe, reason: "made unknown")
                    if scenario.check == "node.reachable" { facts.connection = .unknown(reason: "made unknown") }
                }
                let findings = scenario.findings(with: other)
                #expect(findings.worst == .unknown, "\(probe) of \(node): \(findings.map(\.summary))")
                #expect(findings.contains { $0.summary.contains("made unknown") }, "\(findings.map(\.summary))")
                #expect(findings.allSatisfy { $0.verdict == .pass || $0.remedy?.isEmpty == false })
            }
        }
        for site in scope.siteURLs {
            var other = scenario.observation
            other.siteReadiness[site] = .unknown(reason: "made unknown")
            #expect(scenario.findings(with: other).worst == .unknown)
        }
        for site in scope.siteNames {
            var other = scenario.observation
            other.siteAddresses[site] = .unknown(reason: "made unknown")
            #expect(scenario.findings(with: other).worst == .unknown)
        }
        for site in scope.siteRecords {
            var other = scenario.observation
            other.siteRecords[site] = .unknown(reason: "made unknown")
            #expect(scenario.findings(with: other).worst == .unknown)
        }
        guard scope.asksOperator else { return }
        var other = scenario.observation
        other.operatorMachine = .unknown(reason: "made unknown")
        #expect(scenario.findings(with: other).worst == .unknown)
    }

    /// Checks that need several sources and can do without one; each has tests of its own for how few are too few.
    static let optionalFacts: Set<CheckID> = [
        "site.role", "primary.not-out-of-reach", "site.stands-back", "geo.selective-sync", "geo.object-storage",
        // A former primary's database is down, and does not answer.
        "reseed.direction",
        // Either it is fenced, or its database and its row say what it is.
        "reseed.stands-still",
        // That a database answers, or how it was stopped, are two ways to know that it wants no slot.
        "replication.slots-abandoned",
        // One Rails node of the primary is enough to compare with.
        "node.secrets-shared", "node.host-keys-shared",
        // That its server runs, other facts tell as well.
        "database.reseeded",
        // A member that is to be seeded is down; one whose Patroni runs and whose database does not answer is no replica yet.
        "patroni.replica-replaceable", "patroni.replica-follows",
    ]

    @Test(arguments: CheckScenario.all.filter(\.asksSomething))
    func noStaleFactIsEverPass(_ scenario: CheckScenario) {
        // Facts of the fixtures are 5 s old: 295 s later they are just young enough.
        // The status row was 20 s old then, and replication.complete wants it no older than 300 s either.
        let wait: Double = scenario.check == "replication.complete" ? 275 : 295
        let young = scenario.findings(with: scenario.observation.aged(bySeconds: wait))
        #expect(young.worst == .pass, "\(young.map(\.summary))")
        let old = scenario.findings(with: scenario.observation.aged(bySeconds: 295.1))
        #expect(old.allSatisfy { $0.verdict == .unknown || $0.summary.contains("runs no GitLab service") })
        #expect(old.worst == .unknown)
        #expect(scenario.findings(with: scenario.observation.aged(bySeconds: -7)).worst == .unknown)
    }

    @Test(arguments: CheckScenario.all)
    func deadNodesAreUnknownAndNothingElse(_ scenario: CheckScenario) throws {
        let check = try #require(CheckCatalog.check(scenario.check))
        let everything = scenario.inventory.nodes.reduce(scenario.observation) { $0.losing($1.id) }
        let findings = scenario.findings(with: everything)
        let asksNodes = !check.needs(scenario.context).probes.isEmpty
        #expect(findings.worst == (asksNodes ? .unknown : .pass), "\(findings.map(\.summary))")
    }

    @Test(arguments: CheckScenario.all)
    func everyEvidenceSaysWhereAndWhenItWasSeen(_ scenario: CheckScenario) {
        let seen = scenario.findings.flatMap(\.evidence).filter { $0.from != nil }
        #expect(seen.allSatisfy { $0.at != nil })
        #expect(
            !seen.isEmpty
                || scenario.findings.allSatisfy {
                    $0.summary.contains("runs no") || $0.summary.contains("nothing that")
                })
    }

    /// "All 0 of 0 nodes agree" is no answer.
    @Test(arguments: CheckCatalog.all.filter { $0.scope != .node }.map(\.id))
    func nobodyToAskIsNeverPass(_ id: CheckID) throws {
        // These ask every node or a URL, and get their answers.
        // These ask the resolver or this machine, or nobody where no URL is https.
        guard
            ![
                "nodes.distinct", "gitlab.versions-equal", "secrets.equal", "site.fenced", "site.ready", "site.dns",
                "site.dns-ttl",
                "operator.independent", "operator.last-check", "operator.last-drill", "operator.left-proven",
                "operator.observation-window", "certificate.served", "primary.not-out-of-reach", "reseed.window",
            ].contains(id)
        else { return }
        var inventory = Fixtures.inventory()
        for site in inventory.sites.indices {
            for node in inventory.sites[site].nodes.indices {
                inventory.sites[site].nodes[node].components = [.monitoring]
            }
        }
        let check = try #require(CheckCatalog.check(id))
        for subject in CheckCatalog.subjects(of: check, inventory: inventory, from: "tokyo", to: "seoul") {
            let findings = askCheck(id, Fixtures.healthy(), about: subject, inventory: inventory)
            #expect(findings.worst >= .unknown, "\(findings.map(\.summary))")
        }
    }

    @Test(arguments: CheckCatalog.all.map(\.id))
    func aStrangersSubjectIsUnknown(_ id: CheckID) throws {
        let check = try #require(CheckCatalog.check(id))
        guard check.scope != .deployment else { return }
        let context = CheckContext(inventory: Fixtures.inventory(), subject: .site(id: "atlantis"))
        #expect(check.findings(context, Fixtures.healthy()).worst == .unknown)
        #expect(check.needs(context).probes.isEmpty)
    }

    @Test func preflightAsksEveryNodeThatAQuestionAppliesTo() throws {
        func subjects(_ id: CheckID) throws -> [String] {
            let check = try #require(CheckCatalog.check(id))
            return CheckCatalog.subjects(of: check, inventory: Fixtures.inventory(), from: "tokyo", to: "seoul")
                .map(\.description)
        }
        #expect(try subjects("node.reachable").count == 15)
        #expect(try subjects("node.services-up").count == 13)
        #expect(try subjects("node.ready") == ["tokyo-rails-1", "tokyo-rails-2", "seoul-rails-1", "seoul-rails-2"])
        #expect(try subjects("site.role") == ["tokyo", "seoul"])
        #expect(try subjects("site.maintenance-mode") == ["tokyo"])
        #expect(try subjects("rails.tracking-database") == ["seoul"])
        #expect(try subjects("replication.lag") == ["tokyo->seoul"])
        #expect(try subjects("deployment.one-primary") == ["deployment"])
        #expect(try subjects("node.promoted").count == 11)
        #expect(try subjects("site.fenced") == ["tokyo", "seoul"])
    }
}
