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
                #expect(isCommand || Self.isOneWord(line), "\(name), \(line.count) columns: \(line)")
            }
        }
    }

    @Test func theWholeCatalogueFitsTheTerminal() {
        let style = Style()
        let nodes = Deployment.inventory.nodes
        let texts =
            [CheckView.list(CheckCatalog.groups, style: style), ActionView.list(ActionCatalog.all, style: style)]
            + CheckCatalog.all.map { CheckView.explain($0, style: style) }
            + ActionCatalog.all.flatMap { action in
                nodes.filter(action.fits).map { ActionView.explain(action, on: $0, style: style) }
            }
        for line in texts.joined().split(separator: "\n") where !line.contains("$ ") {
            #expect(line.count <= 80 || Self.isOneWord(line), "\(line)")
        }
    }

    /// An address or a path, which must stay whole to be copied, and at most what names it before it.
    private static func isOneWord(_ line: Substring) -> Bool {
        guard let last = line.split(separator: " ").last else { return false }
        return last.contains("/") && last.count > 40 && line.dropLast(last.count).count <= 20
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
            let text = words(
                FindingsView.text([Outputs.assessment], now: Outputs.now, style: Style(), isVerbose: isVerbose))
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
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for (name, text) in try Outputs.jsonLines() {
            for line in text.split(separator: "\n") {
                let value = try JSONDecoder().decode(JSON.self, from: Data(line.utf8))
                guard case .object(let members) = value, case .string(let type)? = members["type"] else {
                    Issue.record("\(name) holds a line without a type: \(line)")
                    continue
                }
                #expect(members["schema"] == .integer(1))
                #expect(MessageType(rawValue: type) != nil, "\(name): \(type)")
                // Escapes of control characters may be spelled in more than one way.
                if !line.contains("\\u") { #expect(String(decoding: try encoder.encode(value), as: UTF8.self) == line) }
            }
        }
    }

    @Test func noSecretIsNamedBeyondWhereItIsFound() throws {
        let text =
            InventoryView.text(Deployment.inventory, style: Style()) + InventoryView.json(Deployment.inventory).joined()
        #expect(text.contains("command:pass"))
        #expect(!text.contains("geo ops"))
    }

    @Test func nothingCheckedIsNotReady() {
        let empty = Assessment(subject: .failover(from: "tokyo", to: "seoul"), findings: [])
        #expect(!empty.isReady)
        #expect(empty.headline == "tokyo -> seoul: NOT READY: nothing was checked")
    }

    @Test func aWaiverCountsForWhatWasSeenAndNeverForAnInvariant() {
        func assessment(_ check: CheckID, observed: String) -> Assessment {
            let finding = Finding(check: check, subject: .site(id: "tokyo"), verdict: .fail, summary: "3 nodes differ")
            let waiver = Waiver(
                check: check, subject: "tokyo", reason: "known", by: "anna", at: Deployment.midnight, observed: observed
            )
            return Assessment(subject: .deployment, findings: [finding], waivers: [waiver])
        }
        #expect(assessment("secrets.equal", observed: "3 nodes differ").isReady)
        #expect(!assessment("secrets.equal", observed: "2 nodes differ").isReady)
        #expect(!assessment("site.fenced", observed: "3 nodes differ").isReady)
    }

    @Test(arguments: [40, 60, 80])
    func aRedrawnLineNeverWraps(width: Int) throws {
        let state = try Runs.state(Runs.half)
        let activity = Outputs.activity + Array(repeating: Outputs.activity[1], count: 40)
        let lines = ProgressView.live(
            state, activity: activity, now: Outputs.liveNow, style: Style(width: width), rowsAtMost: 24)
        #expect(lines.count <= 24)
        #expect(lines.allSatisfy { $0.count <= width })
        #expect(ProgressView.heartbeat(state, activity: activity, now: Outputs.liveNow, width: width).count <= width)
    }

    @Test func anUnmeasuredNumberIsSaidToBeUnknown() throws {
        let halted = ReportView.markdown(try Runs.report(Runs.halted))
        #expect(halted.contains("| RTO reached | not known: service is not proven to be back (objective 1h) |"))
        let begun = ReportView.markdown(try Runs.report(Array(Runs.half.prefix(4))))
        #expect(begun.contains("| RPO reached | not proven: no proof was made (objective 5m) |"))
        #expect(begun.contains("| took | unknown: the run has not ended |"))
        #expect(!begun.contains("| 0 s |"))
    }

    @Test func anotherSecondaryIsSeededByTheRunbookForItsDatabase() throws {
        var (plan, busan) = (Failover.plan, Deployment.site("busan", 3))
        plan.inventory.sites.append(busan)
        func commands(_ plan: Plan) throws -> [String] {
            let state = try Runs.state(Runs.finished, of: plan)
            let report = RunReport(run: Failover.run, digest: Failover.digest, state: state, records: Runs.finished)
            let texts = [
                PlanView.text(plan, digest: Failover.digest, path: "p", style: Style()), ReportView.markdown(report),
            ]
            return texts.flatMap { $0.split(separator: "\n") }.filter { $0.contains("--to busan") }.map {
                String($0.drop { $0 == " " }.prefix { $0 != "#" })
            }
        }
        let usual = try commands(plan)
        #expect(usual.count == 2 && usual.allSatisfy { $0.contains("plan reseed-secondary --from seoul") }, "\(usual)")
        for index in busan.nodes.indices where busan.nodes[index].runs(.postgresql) {
            busan.nodes[index].components = [.patroni]
        }
        plan.inventory.sites[plan.inventory.sites.count - 1] = busan
        let patroni = try commands(plan)
        #expect(
            patroni.count == 2 && patroni.allSatisfy { $0.contains("plan reseed-patroni --from seoul") }, "\(patroni)")
    }

    @Test func thePointOfNoReturnStandsBeforeItsGroupAndOnlyThere() {
        let text = PlanView.text(Failover.plan, digest: Failover.digest, path: "p", style: Style())
        let parts = text.split(separator: "POINT OF NO RETURN")
        #expect(parts.count == 2)
        #expect(parts.last?.contains("[12/20] promote-database") == true)
        #expect(parts.first?.contains("[11/20] confirm") == true)
    }

    @Test func theSpellingsOfMessageTypesNeverChange() {
        #expect(
            MessageType.allCases.map(\.rawValue) == [
                "finding", "verdict", "loss", "difference", "plan", "plan-step", "record", "heartbeat", "status",
                "report",
                "report-step", "drift", "error", "site", "node", "runbook", "action", "check", "holder", "job",
                "archive", "diverged", "set-aside",
                "look", "change", "candidate", "next", "unproven",
            ])
    }
}

/// Any JSON.
private enum JSON: Codable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
