import Foundation
import Testing

/// Documents name what is there.
@Suite struct DocumentTests {
    @Test func everyLinkLeadsSomewhere() throws {
        for file in try Repository.documents() {
            for match in file.text.matches(of: /\]\(([^)\s]+)\)/) {
                let link = String(match.1)
                guard !link.contains("://") else { continue }
                let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                let target = parts[0].isEmpty ? file.path : Self.resolve(parts[0], in: file.directory)
                #expect(Repository.exists(target), "\(file) links to \(link)")
                if parts.count > 1, target.hasSuffix(".md"), Repository.exists(target) {
                    #expect(
                        Self.anchors(of: try Repository.file(target)).contains(parts[1]), "\(file) links to \(link)")
                }
            }
        }
    }

    @Test func programsThatTheReadmeNamesAreThere() throws {
        let text = try Repository.file("README.md").text + Repository.file("CONTRIBUTING.md").text
        for match in text.matches(of: /(?:^|[\s`])((?:scripts|lab)\/[a-z][\w-]*)/) {
            #expect(Repository.exists(String(match.1)), "\(match.1)")
        }
    }

    @Test func theFirstThingThatANewcomerSeesIsTwoCommands() throws {
        let readme = try Repository.file("README.md")
        let block = readme.lines.drop { !$0.hasPrefix("```") }.dropFirst().prefix { !$0.hasPrefix("```") }
        let commands = block.map { $0.split(separator: " ").first.map(String.init) ?? "" }
        #expect(commands == ["scripts/demo", "scripts/test"])
        let start = readme.lines.firstIndex { $0.hasPrefix("```") } ?? .max
        #expect(start < 25, "the first screen")
    }

    @Test func theReadmeExplainsEveryExitCode() throws {
        let readme = try Repository.file("README.md").text
        let source = try Repository.file("Sources/GeoCommands/ExitStatus.swift").text
        let codes = source.matches(of: /case \w+ = (\d+)/).map { String($0.1) } + ["64"]
        #expect(codes.count > 5)
        for code in codes {
            let isSaid = readme.contains("\n| \(code) |")
            #expect(isSaid, "exit code \(code)")
        }
    }

    @Test func everyEnvironmentVariableIsDocumented() throws {
        let documents = try Repository.documents().map(\.text).joined()
        for file in try Repository.swift(in: "Sources") {
            guard file.says("GEO_FAILOVER_") || file.says("XDG_") else { continue }
            for match in file.text.matches(of: /"((?:GEO_FAILOVER|XDG)_[A-Z_]+)"/) {
                let isSaid = documents.contains(match.1)
                #expect(isSaid, "\(match.1) of \(file)")
            }
        }
    }

    @Test func theChangelogHasRoomForTheNextRelease() throws {
        let headings = try Repository.file("CHANGELOG.md").lines.filter { $0.hasPrefix("## ") }
        #expect(headings.first == "## Unreleased")
    }

    @Test func decisionsAreNumberedAndSayWhatFollows() throws {
        let decisions = try Repository.files(in: "docs/decisions", ending: ".md")
        let numbers = decisions.map { Int($0.name.prefix(4)) }
        #expect(numbers == (1...decisions.count).map(Optional.some))
        for decision in decisions {
            #expect(decision.text.hasPrefix("# \(decision.name.prefix(4)): "), "\(decision)")
            for part in ["\n## Context\n", "\n## Decision\n", "\n## Consequences\n"] {
                let isThere = decision.text.contains(part)
                #expect(isThere, "\(decision) lacks \(part)")
            }
            #expect(decision.lines.count < 70, "\(decision) is longer than half a page or so")
        }
    }

    @Test func decisionsThatCodeNamesAreThere() throws {
        let numbers = try Repository.files(in: "docs/decisions", ending: ".md").map { String($0.name.prefix(4)) }
        for file in try Repository.everything() {
            guard file.says("decisions/0") else { continue }
            for match in file.text.matches(of: /decisions\/(\d{4})/) {
                #expect(numbers.contains(String(match.1)), "\(file) names \(match.0)")
            }
        }
    }

    // MARK: Promises

    @Test func everyPromiseIsListedOnceInOrder() throws {
        let headings = try Repository.file("docs/INVARIANTS.md").lines.filter { $0.hasPrefix("## ") }
        let numbers = headings.compactMap { $0.wholeMatch(of: /## (\d+)\. .*/).flatMap { Int($0.1) } }
        #expect(numbers == Array(1...12))
    }

    @Test func everyTestThatDefendsAPromiseIsThere() throws {
        let promises = try Repository.file("docs/INVARIANTS.md").text.split(separator: "\n## ").dropFirst()
        let swift = try Repository.swift(in: "Tests")
        let python = try Repository.files(in: "lab/tests", ending: ".py")
        let known = Set((swift + python).flatMap(Self.functions))
        for promise in promises {
            let title = promise.prefix { $0 != "\n" }
            let names = promise.matches(of: /`((?:test_)?\w+)\(\)`/).map { String($0.1) }
            #expect(!names.isEmpty, "\(title) names no test")
            for name in names {
                let isThere = known.contains(name)
                #expect(isThere, "\(title) names \(name)")
            }
        }
    }

    // MARK: Traps

    @Test func everyTrapHasALineWithTheTestThatHoldsIt() throws {
        let rows = try Repository.file("docs/TRAPS.md").lines.filter { $0.wholeMatch(of: /\| \d+ \|.*/) != nil }
        #expect(rows.count >= 40)
        let swift = try Repository.swift(in: "Tests")
        let python = try Repository.files(in: "lab/tests", ending: ".py")
        let known = Set((swift + python).flatMap(Self.functions))
        for (index, row) in rows.enumerated() {
            let cells = row.split(separator: "|", omittingEmptySubsequences: true).map { $0.trimmingPrefix(" ") }
            #expect(cells.count == 4 && cells[0].hasPrefix("\(index + 1) "), "\(row)")
            let names = row.matches(of: /`((?:test_)?\w+)\(\)`/).map { String($0.1) }
            #expect(!names.isEmpty && names.allSatisfy(known.contains), "\(row)")
        }
    }

    /// A check that a trap names is one of the catalogue.
    @Test func trapsNameChecksThatExist() throws {
        let catalogue = try Repository.file("docs/CATALOGUE.md").text
        for match in try Repository.file("docs/TRAPS.md").text.matches(of: /`([a-z-]+\.[a-z-]+)`/) {
            let name = String(match.1)
            guard !["gitlab.rb", "gitlab-cluster.json"].contains(name) else { continue }
            let isThere = catalogue.contains("#### \(name)\n")
            #expect(isThere, "\(name)")
        }
    }

    // MARK: Reading

    /// Names after `func` and `def`.
    private static func functions(_ file: Repository.File) -> [String] {
        file.lines.compactMap { line in
            let words = line.split { $0 == " " || $0 == "(" || $0 == "<" }
            guard let word = words.firstIndex(where: { $0 == "func" || $0 == "def" }), word + 1 < words.endIndex else {
                return nil
            }
            return String(words[word + 1])
        }
    }

    private static func resolve(_ link: String, in directory: String) -> String {
        var parts = directory.split(separator: "/").map(String.init)
        for part in link.split(separator: "/") where part != "." {
            if part == ".." { if !parts.isEmpty { parts.removeLast() } } else { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }

    /// As GitLab makes them from headings.
    private static func anchors(of file: Repository.File) -> [String] {
        file.lines.filter { $0.hasPrefix("#") }.map { line in
            line.drop { $0 == "#" }.drop { $0 == " " }.lowercased().filter {
                $0.isLetter || $0.isNumber || $0 == " " || $0 == "-"
            }
            .replacingOccurrences(of: " ", with: "-")
        }
    }
}
