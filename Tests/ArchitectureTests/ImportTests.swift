import Foundation
import Testing

/// docs/MODULES.md, Package.swift and the sources say the same.
@Suite struct ImportTests {
    /// Modules of the toolchain and the system, which no package dependency brings.
    private static let system: Set<String> = ["FoundationEssentials", "Glibc", "Synchronization", "Dispatch"]
    /// What tests may use beside their dependencies.
    private static let forTests: Set<String> = system.union(["Testing", "Foundation"])

    @Test func everyTargetImportsExactlyWhatTheTableSays() throws {
        let table = try Self.table()
        for target in try Repository.folders(in: "Sources") {
            let files = try Repository.swift(in: "Sources/\(target)")
            guard !files.isEmpty else { continue }
            let imported = Set(files.flatMap(Self.imports))
            #expect(imported == table[target], "\(target) against docs/MODULES.md")
        }
    }

    @Test func theTableIsThatOfThePackage() throws {
        let table = try Self.table()
        let package = try Self.targets()
        for (target, allowed) in table {
            #expect(package[target] == allowed.subtracting(Self.system), "\(target) against Package.swift")
        }
    }

    @Test func testsImportOnlyTheirDependencies() throws {
        let package = try Self.targets()
        for target in try Repository.folders(in: "Tests") {
            let allowed = try #require(package[target], "\(target) is a folder of Tests and no target")
            for file in try Repository.swift(in: "Tests/\(target)") {
                let others = Set(Self.imports(file)).subtracting(allowed.union(Self.forTests))
                #expect(others.isEmpty, "\(file)")
            }
        }
    }

    @Test func everyTargetIsDescribed() throws {
        let document = try Repository.file("docs/MODULES.md").text
        for target in try Repository.folders(in: "Sources") {
            let isDescribed = document.contains("**\(target)**") || document.contains("| \(target) |")
            #expect(isDescribed, "\(target)")
        }
    }

    @Test func productionCodeNeverImportsFoundation() throws {
        for file in try Repository.swift(in: "Sources") {
            #expect(!Self.imports(file).contains("Foundation"), "\(file)")
        }
    }

    @Test func onlyTestsAndBenchmarksSeeTestSupport() throws {
        let users = try Self.targets().filter { $0.value.contains("GeoTestSupport") }.keys
        #expect(users.allSatisfy { $0.hasSuffix("Tests") || $0 == "geo-benchmarks" })
    }

    // MARK: Reading

    private static func imports(_ file: Repository.File) -> [String] {
        file.code.compactMap { _, text in
            // Looked for by bytes before it is read: one line in a hundred is an import.
            guard text.range(of: "import ", options: .literal) != nil,
                let match = text.wholeMatch(of: /(?:[a-z@]+ )*import (?:(?:struct|class|enum|func|protocol) )?(\w+).*/)
            else { return nil }
            return String(match.1)
        }
    }

    /// Rows `| target | may import |` of docs/MODULES.md.
    private static func table() throws -> [String: Set<String>] {
        let text = try Repository.file("docs/MODULES.md")
        let rows = text.lines.drop { $0 != "| target | may import |" }.dropFirst(2).prefix { $0.hasPrefix("|") }
        let table = Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
                return (cells[0], Set(cells[1].split(separator: ", ").map(String.init)))
            })
        try #require(table.count > 5, "the table of docs/MODULES.md was not found")
        return table
    }

    /// Dependencies by target, as Package.swift spells them.
    private static func targets() throws -> [String: Set<String>] {
        let text = try Repository.file("Package.swift").text
            .replacing(/\.product\(name: "(\w+)", package: "[^"]+"\)/) { "\"\($0.1)\"" }
        let pattern = /\.(?:t|executableT|testT)arget\(\s*name: "([\w-]+)"(?:,\s*dependencies: \[([^\]]*)\])?/
        return Dictionary(
            uniqueKeysWithValues: text.matches(of: pattern).map { match in
                let names = (match.2 ?? "").matches(of: /"([\w-]+)"/).map { String($0.1) }
                return (String(match.1), Set(names))
            })
    }
}
