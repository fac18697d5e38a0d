import GeoCore
import GeoDocuments
import Testing

@Suite struct RunbookRuleTests {
    private static let values: [Spoiling] = [
        .init("schema: 1", "schema: 7", "x.yaml:1:9: error: schema 7 is not known; expected schema 1"),
        .init("name: planned\n", "", "the runbook has no 'name'"),
        .init("name: planned", "name: Planned!", "2:7: error: 'name' of the runbook is 'Planned!'"),
        .init("title: Planned failover\n", "", "the runbook has no 'title'"),
        .init(
            "scenario: planned", "scenario: plannd",
            "4:11: error: 'scenario' of the runbook is 'plannd'; expected planned, unplanned, reseed, change-url, drop-slots or failback; try: planned"
        ),
        .init(
            "scenario: planned", "scenario: planned\nroles: [from, to]", "5:1: error: the runbook has no key 'roles'"),
        .init("check: replication.lag", "check: lag", "6:12: error: 'check' of a check of 'preflight' is 'lag'"),
        .init("    limits: { at_most: 30s }", "    on: to", "7:5: error: a check of 'preflight' has no key 'on'"),
        .init(
            "at_most: 30s", "atMost: 30s",
            "7:15: error: 'limits' of a check of 'preflight' has the name 'atMost'; expected lower-case letters, digits and '_'; try: at_most"
        ),
        .init("at_most: 30s", "at_most: 30 seconds", "try: 30s"),
        .init(
            "at_most: 30s", "at_most: 16MB", "expected a whole number, a duration (30s) or a size (16MiB); try: 16MiB"),
        .init("at_most: 30s", "at_most: -1", "the limit 'at_most' is '-1'"),
        .init("at_most: 30s", "at_most: true", "the limit 'at_most' is 'true'"),
        .init(
            "preflight:", "preflight:\n  - check: replication.lag",
            "7:5: error: the check 'replication.lag' is listed again; the first is in line 6"),
        .init(
            "do: enable-maintenance-mode", "do: enable-maintenence-mode",
            "10:9: error: 'do' of step 'block' is 'enable-maintenence-mode'"),
        .init("do: enable-maintenance-mode", "do: enable-maintenence-mode", "try: enable-maintenance-mode"),
        .init("do: enable-maintenance-mode", "do: stop-and-disable-gitlab", "try: stop-and-disable"),
        .init(
            "on: { site: from, component", "on: { site: primary, component",
            "11:17: error: 'site' of 'on' of step 'block' is 'primary'; expected from or to; try: from"),
        .init("on: { site: from, component: rails, nodes: one }", "on: from", "try: { site: from }"),
        .init("site: from, component: rails", "component: rails", "'on' of step 'block' has no 'site'"),
        .init(
            "component: rails", "component: [rails, railz]",
            "11:42: error: 'component' of 'on' of step 'block' is 'railz'"),
        .init("component: rails", "component: []", "'component' of 'on' of step 'block' is an empty list"),
        .init("nodes: one", "nodes: first", "expected all, one or rest; try: one"),
        .init("nodes: one", "at_once: 0", "expected a whole number, at least 1"),
        .init(", within: 5m", "", "13:12: error: 'until' of step 'block' has no 'within'"),
        .init("within: 5m", "within: 0s", "at least 1s"),
        .init("within: 5m", "within: 5m, when_unknown: refuse", "has no key 'when_unknown'"),
        .init("on: from, within", "on: here, within", "'on' of 'until' of step 'block' is 'here'; expected from or to"),
        .init("why: Later", "on_failure: stop\n    why: Later", "expected halt, ask or continue; try: halt"),
        .init(
            "why: Later", "optional: yes\n    why: Later",
            "12:15: error: 'optional' of step 'block' is 'yes'; expected true or false; try: true"),
        .init("why: Later", "time_limit: 0s\n    why: Later", "at least 1s"),
        .init("why: Later", "timeout: 5m\n    why: Later", "12:5: error: step 'block' has no key 'timeout'"),
    ]

    private static let shape: [Spoiling] = [
        .init(
            "    why: Later writes would be lost.\n", "",
            "9:9: error: step 'block' (enable-maintenance-mode) changes something and has no 'why'"),
        .init(
            "    until: { check: site.read-only, on: from, within: 5m }\n", "",
            "9:9: error: step 'block' (enable-maintenance-mode) changes something and has no 'until'"),
        .init(
            "  - id: confirm\n", "  - id: block\n", "14:9: error: the id 'block' is used again; the first is in line 9"),
        .init("  - id: confirm\n    do", "  - do", "14:5: error: a step has no 'id'"),
        .init("id: confirm", "id: Confirm it", "14:9: error: 'id' of step 'Confirm it' is 'Confirm it'"),
        .init("    do: confirm\n", "", "14:5: error: step 'confirm' has no 'do'"),
        .init(
            "after: [block]", "after: [blok]",
            "16:13: error: 'after' of step 'confirm' names 'blok', which is no step; expected the id of an earlier step; try: block"
        ),
        .init("after: [block]", "after: [block, block]", "16:20: error: 'after' of step 'confirm' names 'block' twice"),
        .init(
            "after: [block]", "after: [confirm]",
            "16:13: error: the order of steps is a circle: 'confirm -> confirm', each after the next"),
        .init(
            "    why: Later", "    after: [confirm]\n    why: Later",
            "12:13: error: the order of steps is a circle: 'block -> confirm -> block', each after the next"),
        .init(
            "    ask: Type the name of the site.\n", "",
            "14:9: error: step 'confirm' (confirm) has no 'ask'; expected what the operator confirms"),
        .init(
            "    ask: Type the name of the site.\n", "    ask: A?\n    text: B\n",
            "17:5: error: step 'confirm' (confirm) has both 'text' and 'ask'"),
        .init("do: confirm", "do: wait", "step 'confirm' (wait)"),
        .init("do: enable-maintenance-mode", "do: hook", "step 'block' (hook) has no 'hook'"),
        .init(
            "do: enable-maintenance-mode", "do: manual",
            "step 'block' (manual) has no 'text'; expected what the person has to do"),
        .init(
            "do: enable-maintenance-mode", "do: stop-cron-jobs\n    hook: dns",
            "11:5: error: step 'block' (stop-cron-jobs) is no hook and has the key 'hook'; try: do: hook"),
        .init(
            "do: enable-maintenance-mode", "do: manual\n    ask: Well?",
            "11:5: error: step 'block' (manual) has no question; try: text"),
    ]

    @Test(arguments: values) func valuesAreChecked(spoiling: Spoiling) { check(spoiling) }

    @Test(arguments: shape.filter { !$0.new.contains("wait") }) func structureIsChecked(spoiling: Spoiling) {
        check(spoiling)
    }

    private func check(_ spoiling: Spoiling) {
        spoiling.check(soundRunbook) { text in
            let loaded = loadRunbook(text)
            return (loaded.runbook != nil, loaded.diagnostics)
        }
    }

    @Test func aWaitNeedsWhatItWaitsForAndAsksNobody() {
        let messages = loadRunbook(soundRunbook.replacing("do: confirm", with: "do: wait")).diagnostics.map(\.message)
        #expect(
            messages == [
                "step 'confirm' (wait) has no 'until'", "step 'confirm' (wait) asks nobody and has the key 'ask'",
            ])
    }

    @Test func aHookWithoutProofIsAWarningAndAPushIsItsOwnProof() {
        let hook = soundRunbook + "  - { id: dns, do: hook, hook: dns, why: Users follow. }\n"
        #expect(loadRunbook(hook).runbook != nil)
        #expect(
            loadRunbook(hook).diagnostics.map(\.description) == [
                "runbooks/x.yaml:18:11: warning: step 'dns' (hook) changes something and has no 'until': its exit status "
                    + "will be believed; expected { check, within }: how its success is seen"
            ])
        let push = soundRunbook + "  - { id: push, do: push-canary, why: It proves a push. }\n"
        #expect(loadRunbook(push).diagnostics == [])
    }

    @Test func aLaterStepCannotComeBefore() {
        let text = soundRunbook.replacing("    after: [block]\n", with: "").replacing(
            "    why: L", with: "    after: [confirm]\n    why: L")
        #expect(
            loadRunbook(text).diagnostics.map(\.message) == [
                "'after' of step 'block' names 'confirm', which comes later"
            ])
    }

    @Test func anEmptyListOfStepsIsRefused() {
        let text = "schema: 1\nname: x\ntitle: X\nscenario: reseed\nsteps: []\n"
        #expect(
            loadRunbook(text).diagnostics.map(\.description) == [
                "runbooks/x.yaml:5:8: error: there is no step; expected a list of steps"
            ])
    }

    @Test func unknownChecksAreNamedWhenTheCatalogueIsGiven() {
        let known: Set<String> = ["replication.lag", "site.readonly", "site.reachable"]
        #expect(
            loadRunbook(soundRunbook, knownChecks: known).diagnostics.map(\.description) == [
                "runbooks/x.yaml:13:21: error: there is no check 'site.read-only'; expected a check of the catalogue; try: site.readonly"
            ])
        #expect(loadRunbook(soundRunbook, knownChecks: known.union(["site.read-only"])).diagnostics == [])
    }

    @Test(arguments: [
        ("30", 30), ("0", 0), ("30s", 30), ("2m", 120), ("1h", 3600), ("1d", 86_400), ("16MiB", 16 << 20),
        ("512B", 512), ("1GiB", 1 << 30),
        ("4KiB", 4096),
    ])
    func limitsAreSecondsBytesOrNumbers(text: String, expected: Int) {
        let loaded = loadRunbook(soundRunbook.replacing("at_most: 30s", with: "at_most: \(text)"))
        #expect(loaded.runbook?.preflight.first?.limits == Limits(["at_most": expected]))
    }

    @Test func everyKeyOfAStepReachesItsValue() throws {
        let text =
            soundRunbook + """
                  - id: dns
                    title: Point DNS
                    do: hook
                    hook: point-dns-at
                    after: confirm
                    on: { site: to, component: [rails, sidekiq], nodes: rest, at_once: 4 }
                    why: Users follow the name.
                    until: { check: url.served-by, within: 15m, limits: { ttl: 1m, depth: 3 } }
                    on_failure: ask
                    optional: true
                    time_limit: 2m

                """
        let loaded = loadRunbook(text)
        #expect(loaded.diagnostics == [])
        #expect(
            loaded.runbook?.steps.last
                == RunbookStep(
                    id: "dns", title: "Point DNS", action: .hook,
                    target: .init(part: .to, components: [.rails, .sidekiq], nodes: .rest, atOnce: 4),
                    after: ["confirm"],
                    until: .init(check: "url.served-by", withinSeconds: 900, limits: Limits(["ttl": 60, "depth": 3])),
                    why: "Users follow the name.", hook: "point-dns-at", onFailure: .ask, isOptional: true,
                    timeLimitSeconds: 120))
    }
}
