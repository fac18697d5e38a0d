import Foundation

/// The files of this repository, as they are on disk.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct File: Sendable, CustomStringConvertible {
        /// From the root, with `/`.
        var path: String
        var text: String
        var description: String { path }
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        var name: String { path.split(separator: "/").last.map(String.init) ?? path }
        var directory: String { path.split(separator: "/").dropLast().joined(separator: "/") }
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    static func file(_ path: String) throws -> File {
        File(path: path, text: try String(contentsOf: root.appending(path: path), encoding: .utf8))
    }

    /// Every file that people write, below a folder of the root; without what builds and caches leave behind.
    static func files(in folder: String, ending suffixes: String...) throws -> [File] {
        let base = root.appending(path: folder)
        let paths = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
        return try paths.sorted().compactMap { path in
            let isWanted = suffixes.isEmpty || suffixes.contains(where: path.hasSuffix)
            var isFolder: ObjCBool = false
            let full = base.appending(path: path).path
            guard isWanted, !path.contains("__pycache__"), !path.hasSuffix(".pyc"),
                unsafe FileManager.default.fileExists(atPath: full, isDirectory: &isFolder), !isFolder.boolValue
            else { return nil }
            return try file("\(folder)/\(path)")
        }
    }

    static func folders(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)
            .filter { name in
                var isFolder: ObjCBool = false
                let path = root.appending(path: "\(folder)/\(name)").path
                return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
            }.sorted()
    }

    static func swift(in folder: String) throws -> [File] { try files(in: folder, ending: ".swift") }

    static func documents() throws -> [File] {
        let atRoot = try ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(file)
        return try atRoot + ["docs", "runbooks", "inventory", "lab"].flatMap { try files(in: $0, ending: ".md") }
    }

    /// Everything that is published: sources, tests, documents, the lab, scripts.
    static func everything() throws -> [File] {
        let folders = ["Sources", "Tests", "docs", "runbooks", "inventory", "lab", "scripts", ".ci"]
        let atRoot = try ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Package.swift"].map(file)
        return try atRoot + folders.flatMap { try files(in: $0) }
    }
}

extension Repository.File {
    /// Lines of code with their numbers: without comments, so that a rule can be spoken of.
    var code: [(number: Int, text: String)] {
        lines.enumerated().compactMap { index, line in
            let text = line.drop { $0 == " " }
            guard !text.hasPrefix("//") else { return nil }
            let end = text.range(of: " // ")?.lowerBound ?? text.range(of: "  //")?.lowerBound ?? text.endIndex
            return (index + 1, String(text[..<end]))
        }
    }

    /// Whether it stands anywhere, comments included. By bytes: most files say no, and there are many.
    func says(_ spelling: String) -> Bool { text.range(of: spelling, options: .literal) != nil }

    /// Where a spelling stands in code, as `path:line`; with `asWord`, not inside a longer word.
    func places(of spelling: String, asWord: Bool = true) -> [String] {
        guard says(spelling) else { return [] }
        return code.filter { _, text in
            text.ranges(of: spelling).contains { range in
                guard asWord, range.lowerBound > text.startIndex else { return true }
                let before = text[text.index(before: range.lowerBound)]
                return !(before.isLetter || before.isNumber || before == "_" || before == ".")
            }
        }.map { "\(path):\($0.number)" }
    }
}
