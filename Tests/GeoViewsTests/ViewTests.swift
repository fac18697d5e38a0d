import FoundationEssentials
import GeoCore
import GeoViews
import Testing

@Suite struct ViewTests {
    @Test func everyViewSaysWhatItsGoldenFileSays() throws {
        let all = try Outputs.texts(Outputs.style).merging(Outputs.markdowns()) { first, _ in first }
            .merging(Outputs.jsonLines()) { first, _ in first }
        for (name, text) in all.sorted(by: { $0.key < $1.key }) { try Golden.expect(text, name) }
    }

    @Test(arguments: [80, 100, 60]) func noLineIsWiderThanTheTerminalButCommandsAndAddresses(width: Int) throws {
        for (name, text) in try Outputs.texts(Style(width: width)) {
            for line in text.split(separator: "\n") where line.count > width {
                let isCommand = ["$ ", "sudo ", "ssh ", "geo-failover ", "://"].contains { line.contains($0) }
                #expect(isCommand, "\(name), \(line.count) columns: \(line)")
            }
        }
    }

    @Test func noOutputHoldsControlCharacters() throws {
        let all = try Outputs.texts(Outputs.style).merging(Outputs.markdowns()) { first, _ in first }
            .merging(Outputs.jsonLines()) { first, _ in first }
        for (name, text) in all {
            let bad = text.unicodeScalars.filter { scalar in
                scalar != "\n" && [.control, .format, .lineSeparator].contains(scalar.properties.generalCategory)
            }
            #expect(bad.isEmpty, "\(name) holds \(bad.map { String($0.value, radix: 16) })")
        }
    }

    @Test func coloursAreUsedOnlyWhenWantedAndSayNothingAlone() throws {
        let plain = try Outputs.texts(Style(isColoured: false))
        let coloured = try Outputs.texts(Style(isColoured: true))
        for (name, text) in plain {
            let painted = try #require(coloured[name])
            #expect(!text.contains("\u{1B}"))
            #expect(painted.replacing(/\u{1B}\[[0-9;]*m/, with: "") == text, "\(name)")
        }
        #expect(coloured["findings.txt"]?.contains("\u{1B}[") == true)
    }

    @Test func everyRemedyAppears() throws {
        func words(_ text: String) -> String {
            text.split { $0 == " " || $0.isNewline }.filter { $0 != "fix:" }.joined(separator: " ")
        }
        for isVerbose in [false, true] {
            let text = words(FindingsView.text([Outputs.assessment], now: Outputs.now, style: Style(), isVerbose: isVerbose))
            for finding in Deployment.mixed where finding.verdict != .pass {
                let remedy = try #require(finding.remedy)
                #expect(text.contains(words(remedy)), "\(finding.check)")
            }
        }
    }

    @Test func everyCommandOfAPlanIsPrintedWhole() {
        let text = PlanView.text(Failover.plan, digest: Failover.digest, path: "p", style: Style(width: 40))
        let sheet = PlanSheet.markdown(Failover.plan, digest: Failover.digest)
        for case .commands(let commands, _, _) in Failover.plan.steps.map(\.operation) {
            for command in commands {
                #expect(text.contains("$ \(command.shellText)\n"))
                #expect(sheet.contains("\(command.shellText)\n"))
            }
        }
    }

    @Test func jsonLinesParseBackWithTypeSchemaAndSortedKeys() throws {
        struct Head: Decodable {
            var schema: Int
            var type: String
        }
        for (name, text) in try Outputs.jsonLines() {
            for line in text.split(separator: "\n") {
                let head = try JSONDecoder().decode(Head.self, from: Data(line.utf8))
                #expect(head.schema == 1)
                #expect(MessageType(rawValue: head.type) != nil, "\(name): \(head.type)")
            }
        }
    }

    @Test func theSpellingsOfMessageTypesNeverChange() {
        #expect(
            MessageType.allCases.map(\.rawValue) == [
                "finding", "verdict", "plan", "plan-step", "record", "heartbeat", "status", "report", "report-step",
                "drift", "error", "site", "node", "runbook", "action", "check",
            ])
    }
}
