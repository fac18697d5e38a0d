import GeoCore
import GeoViews
import Testing

/// `docs/CATALOGUE.md` is what the catalogues say.
@Suite struct CatalogueTests {
    @Test func theDocumentIsThatOfTheCatalogues() throws {
        try Golden.expect(Self.document, "docs/CATALOGUE.md")
    }

    @Test(arguments: ActionName.allCases)
    func everyActionIsExplained(name: ActionName) {
        let text = ActionView.explain(ActionCatalog.action(name), on: nil, style: Style())
        #expect(text.hasPrefix(name.rawValue + "\n"))
        let action = ActionCatalog.action(name)
        #expect(action.summary.hasSuffix(".") && action.summary.count > 15)
        #expect(!action.source.isEmpty && !action.effectText.isEmpty && action.expectedSeconds > 0)
    }

    @Test func everyCheckIsExplainedAndAskedBySomething() throws {
        let runbooks = try Shipped.names(in: "runbooks").map(Shipped.runbook)
        let inRunbooks = runbooks.flatMap { runbook in
            runbook.steps.compactMap { $0.until?.check } + runbook.preflight.map(\.check)
        }
        let ofOthers = [CheckProfile.changeURL, .returning].flatMap(\.preflight).map(\.check)
        let asked = Set(inRunbooks + ofOthers + CheckCatalog.plannedPreflight.map(\.check))
        for check in CheckCatalog.all {
            #expect(CheckView.explain(check, style: Style()).hasPrefix(check.id.rawValue))
            #expect(Self.document.contains("#### \(check.id)\n"))
        }
        // Asked right before a promotion, on the way back, or by an operator's own runbook.
        let spare: Set<CheckID> = [
            "site.fenced", "node.stopped", "rails.role-primary", "database.is-primary", "geo.object-storage",
            "candidate.not-promoted", "node.in-service",
            // Asked before a site is re-seeded.
            "database.room-for-base-backup", "operator.observation-window",
            // Asked before slots are dropped.
            "replication.slots-abandoned",
            // Asked before the data of a former primary is set aside, by a runbook that does so.
            "divergence.known", "divergence.saved",
            // Asked right before a member's data is moved aside.
            "patroni.replica-replaceable",
            // Asked in a drill, before users may write.
            "site.silent",
            // Asked by `watch`, and of a site that is given up.
            "primary.not-out-of-reach",
        ]
        #expect(Set(CheckCatalog.all.map(\.id)).subtracting(asked).subtracting(spare) == [])
    }

    // MARK: The document

    private static var document: String {
        """
        # Actions and checks

        Made from the catalogues in `Sources/GeoCore` by the tests (`GOLDEN=record swift test --filter RunbookTests`); a test fails
        when it is out of date. `geo-failover runbook explain ACTION` and `geo-failover check --explain CHECK` print the same.

        ## Actions

        | action | what it does | on | site | users | takes about | limit per command |
        |---|---|---|---|---|---|---|
        \(ActionCatalog.all.map(row).joined(separator: "\n"))

        ## Checks

        Every check answers pass, warn, fail or unknown. `fact_age` is a limit of each: an answer that is older, at the end of
        the look, counts as unknown.

        \(CheckCatalog.groups.map(group).joined(separator: "\n"))
        """
    }

    private static func row(_ action: Action) -> String {
        let components = action.components.map { set in
            Component.allCases.filter(set.contains).map(\.rawValue).joined(separator: ", ")
        }
        let place = action.reach == .run ? "once for the run" : components ?? "any node that GitLab's package manages"
        let effect = action.effect == .none ? "notice nothing" : "\(action.effect.rawValue): \(action.effectText)"
        let limit = action.timeLimitSeconds > 0 ? "\(action.timeLimitSeconds) s" : ""
        return
            "| `\(action.name.rawValue)` | \(action.summary) | \(place) | \(action.part?.rawValue ?? "") | \(effect) "
            + "| \(action.expectedSeconds) s | \(limit) |"
    }

    private static func group(_ group: CheckCatalog.Group) -> String {
        "### \(group.title)\n\n" + group.checks.map(section).joined(separator: "\n")
    }

    private static func section(_ check: Check) -> String {
        let limits = check.limits.filter { $0.name != "fact_age" }.map { limit in
            "- `\(limit.name)` \(limit.value) \(limit.unit.rawValue): \(limit.meaning)\n"
        }
        let asked =
            CheckCatalog.plannedPreflight.contains { $0.check == check.id } ? ", asked before a planned failover" : ""
        let waiver = check.isInvariant ? ", cannot be waived" : ""
        return """
            #### \(check.id)

            \(check.question) (of a \(check.scope.rawValue)\(asked)\(waiver))

            \(check.rationale)

            - fix: `\(check.remedy)`
            - asks \(CheckView.asked(check.coverage))
            - \(check.versions); source: \(check.source)
            \(limits.isEmpty ? "" : "\n" + limits.joined())
            """
    }
}
