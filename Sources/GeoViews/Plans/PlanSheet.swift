package import GeoCore

/// The plan as a sheet to follow by hand, for when the tool is gone: everything is on it, nothing is cut.
package enum PlanSheet {
    package static func markdown(_ plan: Plan, digest: Digest) -> String {
        let groups = GroupText.all(plan)
        var lines =
            header(plan, digest) + findings(plan) + givenUp(plan) + edits(plan) + blastTable(groups) + logins(plan)
        for group in groups {
            if group.isPointOfNoReturn { lines += pointOfNoReturn(group) }
            lines += section(group, of: groups.count)
        }
        lines +=
            omitted(plan) + remaining(plan) + abort(plan) + [
                "---", "Done: ______________  at (UTC): ______________", "",
            ]
        return lines.joined(separator: "\n")
    }

    private static func header(_ plan: Plan, _ digest: Digest) -> [String] {
        let time = StepGraph.criticalPath(of: plan)
        var table = Table(header: ["", ""])
        table.add("failover", "\(plan.from) -> \(plan.to), \(plan.scenario.rawValue)")
        table.add("made", "\(plan.createdAt.toSeconds) UTC by \(plan.createdBy) with geo-failover \(plan.toolVersion)")
        table.add("plan", digest.text)
        table.add("runbook", "\(plan.runbookName) (\(plan.runbook.path))")
        table.add("objectives", ObjectiveText.of(plan.objectives))
        table.add("expected time", "\(DurationText.of(time.seconds)), by the critical path")
        table.add("carried out by", "")
        table.add("started (UTC)", "")
        return ["# \(Markdown.escaped(plan.title)): \(plan.from) -> \(plan.to)", ""] + table.markdown + [
            "",
            "How to use this sheet: go from top to bottom. Tick a box only when you have *looked* and seen it;",
            "the exit status of a command proves nothing. Steps on several nodes of one group may run at the same",
            "time unless the group says otherwise. Before the point of no return you can go back (see \"Going back\").",
            "",
        ] + stage(plan)
    }

    private static func stage(_ plan: Plan) -> [String] {
        guard let stage = plan.stage else { return [] }
        let lines = stage.stages.enumerated().map { "- " + Markdown.escaped(StageText.line($1, at: $0, of: stage)) }
        let hold =
            stage.stages[stage.number - 1].hold.map { ["", "**Hold before it.** \(Markdown.escaped($0))"] } ?? []
        return ["## Stage \(stage.number) of \(stage.stages.count) of \(stage.runbook)", ""] + lines + hold + [""]
    }

    private static func findings(_ plan: Plan) -> [String] {
        let accepted = plan.acceptedFindings.map { reason, checks in
            "- Accepted, \(Markdown.escaped(reason)): \(checks.map { Markdown.code($0.rawValue) }.joined(separator: ", "))"
        }
        guard !plan.remarkableFindings.isEmpty || !accepted.isEmpty else { return [] }
        return ["## What the checks said against it", ""]
            + plan.remarkableFindings.map { finding in
                let waiver = plan.waiver(of: finding)
                    .map {
                        " Waived by \(Markdown.escaped($0.by)) at \($0.at.toSeconds) UTC: \(Markdown.escaped($0.reason))."
                    }
                return "- \(finding.verdict.word) \(Markdown.code(finding.check.rawValue))"
                    + " \(Markdown.escaped(SubjectText.of(finding.subject))):"
                    + " \(Markdown.escaped(finding.summary)).\(waiver ?? "")"
            } + accepted + [""]
    }

    /// What an unplanned failover gives up, and what of the lost site is only believed.
    private static func givenUp(_ plan: Plan) -> [String] {
        guard plan.scenario == .unplanned else { return [] }
        let loss = plan.loss
        return ["## What is given up", "", Markdown.escaped(loss.sentence), ""]
            + plan.attestations.map {
                "- **NOT PROVEN** \(Markdown.code($0.node.rawValue)) does not answer; \(Markdown.escaped($0.by)) says:"
                    + " \(Markdown.escaped($0.words))"
            } + (plan.attestations.isEmpty ? [] : [""])
    }

    private static func edits(_ plan: Plan) -> [String] {
        var lines: [String] = []
        var path: String?
        for (change, nodes) in plan.fileChanges {
            if change.path != path { lines += ["## What changes in \(change.path)", ""] }
            path = change.path
            lines += [nodes.map { Markdown.code($0.rawValue) }.joined(separator: ", "), ""]
            lines += Markdown.block(change.lines)
            let kept =
                change.kept.map { "The file before it: \(Markdown.code($0))" } ?? "There was no such file before."
            lines += ["", kept, ""]
        }
        return lines
    }

    private static func blastTable(_ groups: [GroupText]) -> [String] {
        var table = Table(header: ["group", "where", "users", "about"])
        for group in groups {
            table.add(
                "\(group.position) \(group.id)", group.place, group.blast ?? "notice nothing",
                DurationText.of(group.expectedSeconds))
        }
        return ["## What users notice", ""] + table.markdown + [""]
    }

    private static func logins(_ plan: Plan) -> [String] {
        let sites = [plan.from, plan.to].compactMap(plan.inventory.site)
        return ["## How to log in", ""]
            + sites.flatMap { site in
                site.nodes.map { node in
                    "- \(Markdown.escaped(node.id.rawValue)) (\(node.components.map(\.rawValue).joined(separator: ", "))):"
                        + " \(Markdown.code(CommandText.ssh(node.access)))"
                }
            } + [""]
    }

    private static func pointOfNoReturn(_ group: GroupText) -> [String] {
        ["---", "", "## POINT OF NO RETURN", ""]
            + [
                "**Up to here you can go back (\"Going back\"). With the first command of group \(group.position),"
                    + " \(group.id), you cannot:**", "",
            ]
            + group.irreversible.map { "- **\(Markdown.escaped($0))**" }
            + [
                mustBeSeen(before: group), "",
                "- [ ] Decided by: ______________  at (UTC): ______________", "", "---", "",
            ]
    }

    private static func mustBeSeen(before group: GroupText) -> String {
        let plan = group.plan
        return switch plan.scenario {
        case .reseed:
            "- **\(plan.from) must be the writable primary, and nothing of \(plan.to) may run, both seen, before you go on**"
        case .dropSlots:
            "- **every secondary must stream, and be seen to stream through another slot, before you go on**"
        default: "- **every node of \(plan.from) must be stopped, and seen to be stopped, before you go on**"
        }
    }

    private static func section(_ group: GroupText, of count: Int) -> [String] {
        let facts = [group.place, group.reach, "about \(DurationText.of(group.expectedSeconds))"].filter { !$0.isEmpty }
        var lines = [
            "## \(group.position)/\(count) \(group.id)", "",
            "**\(Markdown.escaped(group.first.title))** (\(Markdown.escaped(facts.joined(separator: "; "))))", "",
        ]
        if let why = group.why { lines += ["Why: \(Markdown.escaped(why))", ""] }
        if let blast = group.blast { lines += ["Users: **\(Markdown.escaped(blast))**", ""] }
        if case .once(let because) = group.first.repeatability {
            lines += ["**Never run it twice**: \(Markdown.escaped(because)).", ""]
        }
        for (check, references) in byCheck(group.steps.flatMap(\.requires).map(\.check)) {
            lines += look(check, references, group.plan, lead: "Must hold just before")
        }
        for step in group.steps { lines += work(step, group.plan) }
        lines += verification(group)
        return lines + ["", "Who: ______________  Started (UTC): __________  Seen done (UTC): __________", ""]
    }

    private static func work(_ step: Step, _ plan: Plan) -> [String] {
        switch step.operation {
        case .commands(let commands, let node, let expected):
            let access = plan.inventory.node(node)?.access
            let login = access.map { Markdown.code(CommandText.ssh($0)) } ?? "(not in the inventory)"
            let marks = plan.marks(of: node)
            // The tool asks the node for these just before it starts a command there; so should a person.
            let names =
                ["host name \(Markdown.code(expected.hostName))"]
                + (marks.siteName.map { ["site \(Markdown.code($0)) in gitlab.rb"] } ?? [])
                + (marks.systemIdentifier.map { ["database \(Markdown.code($0)) by pg_controldata"] } ?? [])
            return [
                "- [ ] **\(Markdown.escaped(node.rawValue))**: \(login), \(names.joined(separator: ", "))"
            ]
                + commands.flatMap { command in
                    ["", "  Run this (\(Markdown.escaped(CommandText.remark(command)))):", ""]
                        + Markdown.block([CommandText.shell(command)], indent: 2)
                }
        case .isolation(let node, let programs):
            return [
                "- [ ] Isolate **\(Markdown.escaped(node.rawValue))**, from the operator's machine, until one proves it:"
            ]
                + programs.flatMap { program in
                    ["", "  The fence \(Markdown.code(program.name)), and its proof (exit status 0):", ""]
                        + Markdown.block([CommandText.shell(program.run), CommandText.shell(program.prove)], indent: 2)
                }
        case .hook(let name, let arguments, _):
            return ["- [ ] On the operator's machine, the hook \(Markdown.code(name)):", ""]
                + Markdown.block([CommandText.shell(arguments)], indent: 2)
        case .pushCanary(let repository, _):
            return ["- [ ] Push an empty commit to \(Markdown.code(repository))"]
        case .confirmation(let question, let answer):
            return ["- [ ] Decide: \(Markdown.escaped(question)) Write \(Markdown.code(answer)) here: ______________"]
        case .manual(let instructions): return ["- [ ] \(Markdown.escaped(instructions))"]
        case .wait: return ["- [ ] Wait."]
        }
    }

    private static func verification(_ group: GroupText) -> [String] {
        let proofs = group.steps.compactMap(\.until)
        return byCheck(proofs.map(\.check)).flatMap { check, references in
            let within = proofs.first { $0.check.check == check }.map {
                " (within \(DurationText.of($0.withinSeconds)))"
            }
            return look(check, references, group.plan, lead: "Look\(within ?? "")")
        }
    }

    /// References in their order, those to the same check together.
    private static func byCheck(_ references: [CheckReference]) -> [(CheckID, [CheckReference])] {
        var order: [CheckID] = []
        for reference in references where !order.contains(reference.check) { order.append(reference.check) }
        return order.map { check in (check, references.filter { $0.check == check }) }
    }

    private static func look(_ check: CheckID, _ references: [CheckReference], _ plan: Plan, lead: String) -> [String] {
        let question = CheckCatalog.check(check).map { ": \(Markdown.escaped($0.question))" } ?? ""
        var subjects: [String] = []
        for reference in references {
            let subject = SubjectText.of(reference.subject) + LimitText.brackets(reference.limits, of: check)
            if !subjects.contains(subject) { subjects.append(subject) }
        }
        let head =
            "- [ ] \(lead): \(Markdown.code(check.rawValue)) of \(Markdown.escaped(subjects.joined(separator: ", ")))"
            + question
        return [head]
            + Looking(plan: plan).ways(references).flatMap { way in
                ["", "  On \(Markdown.escaped(way.places.joined(separator: ", "))), expect \(way.expect):", ""]
                    + Markdown.block([way.command], indent: 2)
            }
    }

    private static func omitted(_ plan: Plan) -> [String] {
        guard !plan.omitted.isEmpty else { return [] }
        return ["## Left out", ""]
            + plan.omitted.map { "- \(Markdown.escaped($0.id.rawValue)): \(Markdown.escaped($0.reason))" } + [""]
    }

    private static func remaining(_ plan: Plan) -> [String] {
        guard !plan.remainingSecondaries.isEmpty else { return [] }
        return ["## The other secondaries", ""]
            + plan.remainingSecondaries.flatMap { site in
                let reseed = NextCommand.reseed(from: plan.to, to: site.id, runsPatroni: site.runsPatroni)
                return ["- [ ] \(site.id): \(Markdown.escaped(RemainingText.fate(of: site, plan)))", ""]
                    + Markdown.block([reseed], indent: 2) + [""]
            }
    }

    private static func abort(_ plan: Plan) -> [String] {
        let groups = plan.undoable.filter { !$0.undo.isEmpty }.reversed()
        guard !groups.isEmpty else { return [] }
        let head = [
            "## Going back", "",
            "**Only before the point of no return.** Undo what was begun, in this order; skip groups that were not begun.",
            "",
        ]
        return head
            + groups.flatMap { group in
                group.undo.flatMap { entry in
                    [
                        "- [ ] group \(group.position) \(group.id), on \(entry.nodes.map(\.rawValue).joined(separator: ", ")):",
                        "",
                    ]
                        + Markdown.block(entry.commands.map(CommandText.shell), indent: 2)
                }
            } + ["", "- [ ] Look that \(plan.from) serves again, and that users can push.", ""]
    }
}
