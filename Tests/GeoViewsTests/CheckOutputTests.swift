import Foundation
import FoundationXML
import GeoCore
import GeoViews
import Testing

/// The forms of `check` that other programs read.
@Suite struct CheckOutputTests {
    private final class Cases: NSObject, XMLParserDelegate {
        var names: [String: Int] = [:]
        var attributes: [[String: String]] = []

        func parser(
            _: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            names[name, default: 0] += 1
            if name == "testsuites" { self.attributes.append(attributes) }
        }
    }

    @Test(arguments: [CheckOutputs.mixed, CheckOutputs.unplanned, CheckOutputs.both, CheckOutputs.hostile])
    func junitIsXMLWhateverANodeSaysAndCountsWhatItHolds(_ report: CheckReport) throws {
        let parser = XMLParser(data: Data(JUnitView.xml(report).utf8))
        let cases = Cases()
        parser.delegate = cases
        #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
        let total = try #require(cases.attributes.first)
        #expect(total["tests"] == "\(cases.names["testcase"] ?? 0)")
        #expect(total["failures"] == "\(cases.names["failure"] ?? 0)")
        #expect(total["errors"] == "\(cases.names["error"] ?? 0)")
        #expect(total["skipped"] == "\(cases.names["skipped"] ?? 0)")
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
