package import GeoCore

/// A plan to read before it runs: what, where, why, how long, how it is proved, and how it is taken back.
package enum PlanView {
    /// `path` is that of the plan's file, for the commands at the end.
    package static func text(_ plan: Plan, digest: Digest, path: String, style: Style) -> String {
        var page = Page(style)
        header(plan, digest, &page)
        findings(plan, &page)
        givenUp(plan, &page)
        edits(plan, &page)
        let groups = GroupText.all(plan)
        for group in groups {
            page.blank()
            if group.isPointOfNoReturn { pointOfNoReturn(group, &page) }
            add(group, of: groups.count, to: &page)
        }
        omitted(plan, &page)
        remaining(plan, &page)
        ending(plan, digest, path, &page)
        return page.text
    }

    /// What can no longer be undone, to show before the question that the operator answers with the site's name; empty
    /// for a plan without such a point.
    package static func pointOfNoReturn(_ plan: Plan, style: Style) -> String {
        var page = Page(style)
        if let group = GroupText.all(plan).first(where: \.isPointOfNoReturn) { pointOfNoReturn(group, &page) }
        return page.text
    }

    /// What is about to begin, to show before it is approved: who made it from what, what was found, how long it takes.
    package static func brief(_ plan: Plan, digest: Digest, style: Style) -> String {
        var page = Page(style)
        header(plan, digest, &page)
        findings(plan, &page)
        givenUp(plan, &page)
        edits(plan, &page)
        return page.text
    }

    /// What becomes of files on nodes, as a difference.
    private static func edits(_ plan: Plan, _ page: inout Page) {
        var path: String?
        for (change, nodes) in plan.fileChanges {
            if change.path != path {
                page.blank()
                page.say("What changes in \(change.path):", tone: .strong)
                path = change.path
            }
            page.say(nodes.map(\.rawValue).joined(separator: ", ") + ":", indent: 2)
            for line in change.lines { page.literal(line, indent: 4) }
            page.say(keeping(change), indent: 4)
        }
    }

    private static func keeping(_ change: FileChange) -> String {
        change.kept.map { "the file before it: \($0)" } ?? "there was no such file before"
    }

    /// What an unplanned failover costs, and what of the lost site is only believed.
    private static func givenUp(_ plan: Plan, _ page: inout Page) {
        guard plan.scenario == .unplanned else { return }
        let loss = plan.loss
        page.blank()
        page.literal(LossView.text(loss, now: plan.createdAt, style: page.style, isDetailed: false))
        for word in plan.attestations {
            page.say(
                "NOT PROVEN: \(word.node) does not answer; \(word.by) says \"\(word.words)\"", tone: .bad, hanging: 2)
        }
    }

    private static func header(_ plan: Plan, _ digest: Digest, _ page: inout Page) {
        page.say("Plan: \(plan.title) (\(plan.from) -> \(plan.to))", tone: .strong)
        let time = StepGraph.criticalPath(of: plan)
        var table = Table()
        table.add("made", "\(plan.createdAt.toSeconds) UTC by \(plan.createdBy), geo-failover \(plan.toolVersion)")
        table.add("digest", digest.short)
        table.add("scenario", "\(plan.scenario.rawValue), from the runbook \(plan.runbookName) (\(plan.runbook.path))")
        table.add("inventory", plan.inventory.source.path)
        if let rule = plan.inventory.approvals {
            table.add("approvals", "\(CountText.of(rule.people, "signature")) needed: geo-failover approve")
        }
        table.add("objectives", ObjectiveText.of(plan.objectives))
        table.add(
            "expected",
            "\(DurationText.of(time.seconds)) by the critical path: \(CountText.of(plan.steps.count, "step"))"
                + " in \(CountText.of(plan.groups.count, "group"))")
        if let outage = StepGraph.outageSeconds(of: plan) {
            let isLate = plan.objectives.rtoSeconds.map { outage > $0 } ?? false
            table.add("no service", "about \(DurationText.of(outage)) of it\(isLate ? ", LONGER THAN THE RTO" : "")")
        }
        page.table(table, indent: 2)
        stage(plan, &page)
    }

    /// Where in a failback the plan stands, and what has to be thought over before it.
    private static func stage(_ plan: Plan, _ page: inout Page) {
        guard let stage = plan.stage else { return }
        page.blank()
        page.say("Stage \(stage.number) of \(stage.stages.count) of \(stage.runbook):", tone: .strong)
        for (index, one) in stage.stages.enumerated() {
            page.say(StageText.line(one, at: index, of: stage), indent: 2, hanging: 5)
        }
        if let hold = stage.stages[stage.number - 1].hold {
            page.say(hold, indent: 2, lead: "HOLD before it:", hanging: 2)
        }
        page.say("The next one is planned, when this one is through, by")
        page.literal(stage.planCommand, indent: 2)
    }

    private static func findings(_ plan: Plan, _ page: inout Page) {
        let told = plan.remarkableFindings
        let accepted = plan.acceptedFindings
        guard !told.isEmpty || !accepted.isEmpty else { return }
        page.blank()
        page.say("What the checks said against it:", tone: .strong)
        for (reason, checks) in accepted {
            page.say(
                "\(checks.map(\.rawValue).joined(separator: ", "))", indent: 2, lead: "accepted, \(reason):",
                hanging: 2)
        }
        for finding in told {
            page.say(
                "\(finding.check) \(SubjectText.of(finding.subject)): \(finding.summary)", indent: 2,
                lead: Layout.padded(finding.verdict.word, to: 7), leadTone: finding.verdict.tone, tone: finding.tone)
            if let waiver = plan.waiver(of: finding) {
                page.say(
                    "waived by \(waiver.by) at \(waiver.at.toSeconds) UTC: \(waiver.reason)", indent: 10, hanging: 2)
            }
        }
    }

    private static func add(_ group: GroupText, of count: Int, to page: inout Page) {
        let facts = [group.id.rawValue, group.place, group.reach, "about \(DurationText.of(group.expectedSeconds))"]
        page.heading(["[\(group.position)/\(count)] \(facts[0])"] + facts[1...].filter { !$0.isEmpty }, tone: .strong)
        page.say(group.first.title, indent: 2)
        if let why = group.why { page.say(why, indent: 2, lead: "why:") }
        let waits = group.waitsFor
        // Only what the order of the page does not say.
        if !waits.isEmpty, waits != group.previous.map({ [$0] }) {
            page.say(waits.map(\.rawValue).joined(separator: ", "), indent: 2, lead: "after:")
        }
        for requirement in group.requirements { page.say(requirement, indent: 2, lead: "must hold just before:") }
        work(group, &page)
        for proof in group.proofs { page.say(proof, indent: 2, lead: "proved by") }
        undo(group, &page)
        if let blast = group.blast { page.say(blast, indent: 2, lead: "users:") }
        if case .once(let because) = group.first.repeatability { page.say(because, indent: 2, lead: "never twice:") }
        if let onFailure = group.onFailure { page.say(onFailure, indent: 2, lead: "if it fails:") }
    }

    /// What runs, exactly: never wrapped, never cut.
    private static func work(_ group: GroupText, _ page: inout Page) {
        switch group.first.operation {
        case .commands:
            for steps in group.alike {
                page.say(steps.compactMap(\.node?.rawValue).joined(separator: ", ") + ":", indent: 2)
                for command in steps[0].commands {
                    page.say(CommandText.remark(command), indent: 4, lead: "#", leadTone: .faint, tone: .faint)
                    page.literal(CommandText.shell(command), indent: 4, lead: "$")
                }
            }
        case .isolation:
            for step in group.steps {
                guard case .isolation(let node, let programs) = step.operation else { continue }
                page.say("on this machine, for \(node), until one is proved:", indent: 2)
                for program in programs {
                    page.say(
                        "\(program.name) (at most \(DurationText.of(program.timeLimitSeconds)) each)", indent: 4,
                        lead: "#",
                        leadTone: .faint, tone: .faint)
                    page.literal(CommandText.shell(program.run), indent: 4, lead: "$")
                    page.literal(CommandText.shell(program.prove), indent: 4, lead: "proof: $")
                }
            }
        case .hook(let name, let arguments, let limit):
            page.say("on this machine, the hook \(name) (at most \(DurationText.of(limit))):", indent: 2)
            page.literal(CommandText.shell(arguments), indent: 4, lead: "$")
        case .pushCanary(let repository, let limit):
            page.say("from this machine, one empty commit (at most \(DurationText.of(limit))) to", indent: 2)
            page.literal(repository, indent: 4)
        case .confirmation(let question, let answer):
            page.say("\(question) (the answer is `\(answer)`)", indent: 2, lead: "asks:")
        case .manual(let instructions): page.say(instructions, indent: 2, lead: "by a person:")
        case .wait: page.say("runs nothing; looks until it is proved", indent: 2)
        }
    }

    private static func undo(_ group: GroupText, _ page: inout Page) {
        for entry in group.undo {
            let isEverywhere = entry.nodes.count == group.nodes.count
            let place = isEverywhere ? "" : " on \(entry.nodes.map(\.rawValue).joined(separator: ", "))"
            if entry.commands.count == 1, place.isEmpty, let command = entry.commands.first {
                page.literal(CommandText.shell(command), indent: 2, lead: "undo: $")
            } else {
                page.say("undo\(place):", indent: 2)
                for command in entry.commands { page.literal(CommandText.shell(command), indent: 4, lead: "$") }
            }
        }
        for because in group.irreversible {
            page.say(because, indent: 2, lead: "cannot be undone:", leadTone: .bad)
        }
    }

    private static func pointOfNoReturn(_ group: GroupText, _ page: inout Page) {
        let plan = group.plan
        let rule = String(repeating: "=", count: page.style.width)
        page.say(rule, tone: .bad)
        page.say("POINT OF NO RETURN: before group \(group.position), \(group.id)", indent: 2, tone: .bad)
        let before =
            switch plan.scenario {
            case .reseed: "Until here the undo commands leave \(plan.to) as it was."
            case .dropSlots: "Until here nothing is changed."
            default: "Until here the undo commands put \(plan.from) back into service."
            }
        page.say(before, indent: 2)
        for because in group.irreversible { page.say("From here on: \(because).", indent: 2) }
        let undone = plan.undoable.filter { !$0.undo.isEmpty }.map(\.id.rawValue)
        if !undone.isEmpty {
            page.say("What can no longer be undone: \(undone.joined(separator: ", ")).", indent: 2)
        }
        page.say(rule, tone: .bad)
        page.blank()
    }

    private static func omitted(_ plan: Plan, _ page: inout Page) {
        guard !plan.omitted.isEmpty else { return }
        page.blank()
        page.say("Steps of the runbook that are left out:", tone: .strong)
        for step in plan.omitted { page.say("\(step.id): \(step.reason)", indent: 2, hanging: 2) }
    }

    /// What becomes of secondaries that the failover passes by.
    private static func remaining(_ plan: Plan, _ page: inout Page) {
        guard !plan.remainingSecondaries.isEmpty else { return }
        page.blank()
        page.say("What becomes of the other secondaries:", tone: .strong)
        for site in plan.remainingSecondaries {
            page.say(RemainingText.fate(of: site, plan), indent: 2, lead: "\(site.id):", hanging: 2)
            page.literal(NextCommand.reseed(from: plan.to, to: site.id, runsPatroni: site.runsPatroni), indent: 4)
        }
    }

    private static func ending(_ plan: Plan, _ digest: Digest, _ path: String, _ page: inout Page) {
        page.blank()
        page.say("To execute it:", tone: .strong)
        page.literal(NextCommand.execute(path), indent: 2)
        page.say("Where nobody can be asked:")
        page.literal(NextCommand.execute(path, approving: digest), indent: 2)
        page.say(
            "The plan is refused, and nothing is changed, if a byte of it was edited, or if what it stands on (machines,"
                + " versions, database roles, Geo's primary) is no longer what was seen when it was made.")
    }
}
