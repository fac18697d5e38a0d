import GeoCore
import GeoViews
import Testing

/// The forms of `check` that other programs read.
@Suite struct CheckOutputTests {
    /// Names of elements with how often each begins, if the tags nest and nothing between them is taken for one.
    private static func elements(_ xml: String) -> [String: Int]? {
        var counts: [String: Int] = [:]
        var open: [Substring] = []
        var end = xml.startIndex
        for tag in xml.matches(of: /<([?\/]?)([a-z-]+)([^<>]*?)([?\/]?)>/) {
            let text = xml[end..<tag.range.lowerBound]
            guard !text.contains("<"), !text.contains(">"),
                text.replacing(/&(amp|lt|gt|quot);/, with: "").firstIndex(of: "&") == nil
            else { return nil }
            end = tag.range.upperBound
            if tag.1 == "?" { continue }
            if tag.1 == "/" {
                guard open.popLast() == tag.2 else { return nil }
                continue
            }
            counts[String(tag.2), default: 0] += 1
            guard tag.3.wholeMatch(of: /(\s+[a-z]+="[^"]*")*/) != nil else { return nil }
            if tag.4.isEmpty { open.append(tag.2) }
        }
        return open.isEmpty && xml[end...] == "\n" ? counts : nil
    }

    @Test(arguments: [CheckOutputs.mixed, CheckOutputs.unplanned, CheckOutputs.both, CheckOutputs.hostile])
    func junitIsXMLWhateverANodeSaysAndCountsWhatItHolds(_ report: CheckReport) throws {
        let xml = JUnitView.xml(report)
        let found = try #require(Self.elements(xml))
        let total = try #require(xml.split(separator: "\n").first { $0.contains("<testsuites") })
        #expect(total.contains(" tests=\"\(found["testcase"] ?? 0)\""))
        #expect(total.contains(" failures=\"\(found["failure"] ?? 0)\""))
        #expect(total.contains(" errors=\"\(found["error"] ?? 0)\""))
        #expect(total.contains(" skipped=\"\(found["skipped"] ?? 0)\""))
    }

    @Test func nothingCheckedIsAnErrorInEveryForm() {
        let report = CheckOutputs.nothing
        #expect(JUnitView.xml(report).contains("errors=\"1\""))
        #expect(NagiosView.state(report) == .unknown)
        #expect(ChangeRequestView.markdown(report).contains("NOT READY: nothing was checked**"))
        let empty = CheckOutputs.report([])
        #expect(NagiosView.state(empty) == .unknown)
        #expect(ChangeRequestView.markdown(empty).contains("NOT READY"))
    }

    @Test func aPluginSaysTheWorstAndNeverZeroForUnknown() {
        #expect(NagiosView.state(CheckOutputs.mixed) == .critical)
        #expect(NagiosView.state(CheckOutputs.both) == .critical)
        #expect(NagiosView.state(CheckOutputs.allGood) == .ok)
        // What somebody took upon them stays in sight.
        #expect(NagiosView.state(CheckOutputs.unplanned) == .warning)
        let line = NagiosView.line(CheckOutputs.unplanned)
        #expect(line.contains("'wal'=U ") && line.contains("'events'=U "))
        for report in [CheckOutputs.mixed, CheckOutputs.hostile, CheckOutputs.both] {
            let line = NagiosView.line(report)
            #expect(line.count(where: { $0 == "|" }) <= 1)
            #expect(!line.contains("\n"))
        }
    }

    @Test func aWindowHoldsTheVerdictAndSaysWhatItHides() {
        let screen = CheckScreen.screen(CheckOutputs.mixed, next: 30, rows: 12, style: Style())
        #expect(screen.split(separator: "\n", omittingEmptySubsequences: false).count <= 12)
        #expect(screen.contains("NOT READY") && screen.contains("more lines"))
    }
}
