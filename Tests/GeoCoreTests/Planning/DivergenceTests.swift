import GeoTestSupport
import Testing

@testable import GeoCore

/// Where histories part, which side went on alone, and from when on what lies on its disks counts as new.
@Suite struct DivergenceTests {
    private static func side(
        _ site: SiteID, timeline: Int, branches: [TimelineFacts.Branch] = [], segments: [TimelineFacts.Segment] = [],
        system: String = Fixtures.systemIdentifier
    ) -> Divergence.Side {
        Divergence.Side(
            site: site,
            control: Fixtures.controlData("shut down", systemIdentifier: system, timeline: timeline),
            timelines: TimelineFacts(branches: branches, segments: segments))
    }

    private static let tokyo = side("tokyo", timeline: 1, segments: Fixtures.segments())
    /// The control file names the new timeline only after the first checkpoint.
    private static let seoul = side("seoul", timeline: 1, branches: [Fixtures.branch()])

    @Test func theSiteWhoseTimelineTheOtherLeftIsTheFormerPrimaryWhicheverIsNamedFirst() {
        let expected = Divergence(
            old: "tokyo", new: "seoul", systemIdentifier: Fixtures.systemIdentifier, oldTimeline: 1, newTimeline: 2,
            fork: Fixtures.current, since: Fixtures.moment(-3600 - 86_400))
        #expect(Divergence.between(Self.tokyo, Self.seoul) == .parted(expected))
        #expect(Divergence.between(Self.seoul, Self.tokyo) == .parted(expected))
        #expect(expected.archiveName == "\(Fixtures.systemIdentifier)-1-0-50000000")
    }

    @Test func onOneTimelineNobodyWentOnAlone() {
        #expect(
            Divergence.between(Self.seoul, Self.side("tokyo", timeline: 2, branches: [Fixtures.branch()]))
                == .together(timeline: 2))
        #expect(Divergence.between(Self.tokyo, Self.side("seoul", timeline: 1)) == .together(timeline: 1))
    }

    /// Both were promoted from timeline 1, each for itself: the number is the same, and the history is not.
    @Test func twoTimelinesOfOneNumberAreNotOne() {
        var elsewhere = Fixtures.branch()
        elsewhere.leftAt = LogPosition(bytes: elsewhere.leftAt.bytes + 8)
        for branches in [[elsewhere], []] {
            guard
                case .unknown(let reason) = Divergence.between(
                    Self.seoul, Self.side("tokyo", timeline: 2, branches: branches))
            else {
                Issue.record("\(branches)")
                continue
            }
            #expect(reason.contains("do not say that it is the same one"))
        }
    }

    @Test(arguments: [
        (side("seoul", timeline: 2, branches: [Fixtures.branch()], system: "7"), "neither comes from the other"),
        (side("seoul", timeline: 3), "no history file of it says where it left timeline 1"),
        (
            side("seoul", timeline: 3, branches: [.init(timeline: 3, parent: 2, leftAt: Fixtures.current)]),
            "no history file of it says where it left timeline 1"
        ),
    ])
    func whatNoHistoryFileTellsIsUnknown(other: Divergence.Side, says: String) {
        guard case .unknown(let reason) = Divergence.between(Self.tokyo, other) else {
            Issue.record("\(Divergence.between(Self.tokyo, other))")
            return
        }
        #expect(reason.contains(says))
    }

    /// A segment of another timeline, or the one in which the fork lies, may have been written long after it.
    @Test func onlyASegmentThatWasFinishedBeforeTheForkTellsATime() {
        let (log, number) = (0, 0x50)
        let later = [
            TimelineFacts.Segment(timeline: 1, log: log, number: number, changedAt: Fixtures.moment(-10)),
            TimelineFacts.Segment(timeline: 1, log: log, number: number + 1, changedAt: Fixtures.moment(-9000)),
            TimelineFacts.Segment(timeline: 2, log: log, number: number - 1, changedAt: Fixtures.moment(-20)),
        ]
        guard
            case .parted(let divergence) = Divergence.between(
                Self.side("tokyo", timeline: 1, segments: later), Self.seoul)
        else {
            Issue.record("not parted")
            return
        }
        #expect(divergence.since == nil)
        #expect(DivergenceProgram(divergence, parts: [.files]).arguments.suffix(2) == ["0", "files"])
    }

    // MARK: The step

    private static func expansion(_ part: Part, _ observation: Observation) -> Expansion {
        var request = PlanFixture.request()
        request.observation = observation
        var expansion = Expansion(request: request)
        expansion.add(
            RunbookStep(
                id: "save", action: .saveDivergence, target: .init(part: part),
                until: .init(check: "divergence.saved", on: part, withinSeconds: 600), why: "because"), at: 0)
        return expansion
    }

    @Test func aStepSavesOnEveryNodeThatHoldsSomethingAndOnlyWhileItIsFenced() throws {
        let expansion = Self.expansion(.from, Fixtures.parted())
        #expect(expansion.problems == [] && expansion.omitted == [])
        let saving = Set(expansion.steps.compactMap(\.node))
        let nodes = PlanFixture.inventory.site("tokyo")?.nodes ?? []
        #expect(saving == Set(nodes.filter { !DivergenceProgram.Part.of($0).isEmpty }.map(\.id)))
        for step in expansion.steps {
            let node = try #require(step.node)
            #expect(step.requires.map(\.check.check) == ["node.fenced"])
            #expect(step.until?.check.check == "divergence.saved" && step.reversibility == .changesNothing)
            guard case .commands(let commands, _, _) = step.operation, let command = commands.first else {
                Issue.record("\(node) runs nothing")
                continue
            }
            #expect(commands.count == 1 && command.exitStatus == .mustBeZero && command.timeLimitSeconds > 0)
            #expect(command.arguments.prefix(4) == ["sh", "-c", DivergenceProgram.text, DivergenceProgram.name])
            #expect(
                command.shownText.hasPrefix("sudo -n sh -c \"$(geo-failover divergence program)\" geo-failover-div"))
        }
    }

    @Test func theOtherSiteIsNeverSavedInItsPlace() {
        let expansion = Self.expansion(.to, Fixtures.parted())
        #expect(expansion.steps.isEmpty)
        #expect(expansion.problems == ["step save: it is tokyo that went on alone, and not seoul"])
    }

    @Test func whereNothingPartedTheStepIsOmittedAndSaysWhy() {
        let expansion = Self.expansion(.from, Fixtures.healthy())
        #expect(expansion.steps.isEmpty && expansion.problems == [])
        #expect(expansion.omitted.first?.reason == "both databases are on timeline 1: neither went on alone")
    }
}
