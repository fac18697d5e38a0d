package import GeoCore

/// Asks the Gitaly nodes of the new primary which refs of an archive they lack. Changes no node.
///
/// The archive's own nodes cannot know: they reach the other site's storage as little as it reaches theirs. So the list goes
/// through here, in pieces that fit an exchange.
package struct DivergenceComparer: Sendable {
    private let keeper: NodeKeeper
    private let boundary: @Sendable () -> String
    private let holder: Actor

    /// Most bytes that are read of one file of an archive.
    package static let fileBytesAtMost = 16 << 20
    /// Most objects that are asked for at once.
    static let objectsAtOnce = 2000

    package init(keeper: NodeKeeper, boundary: @escaping @Sendable () -> String, holder: Actor) {
        self.keeper = keeper
        self.boundary = boundary
        self.holder = holder
    }

    /// The refs that a Gitaly node of the former primary has saved.
    package func refs(of archive: String, on node: Node) async -> Result<[ArchivedRef], Unreadable> {
        await lines(of: archive, .refs, on: node).flatMap { lines in
            var found: [ArchivedRef] = []
            for line in lines {
                guard let ref = ArchivedRef(line) else {
                    return .failure(.unexpected("a saved ref of \(node.id)", line.utf8))
                }
                found.append(ref)
            }
            return .success(found)
        }
    }

    /// Projects by the paths of their repositories, from a database node of the former primary; empty where no rows were
    /// saved.
    package func projects(of archive: String, on node: Node) async -> Result<[String: String], Unreadable> {
        await lines(of: archive, .projects, on: node).map { lines in
            lines.reduce(into: [:]) { found, line in
                let words = line.split(separator: "\t", maxSplits: 1)
                if words.count == 2 { found[String(words[0])] = String(words[1]) }
            }
        }
    }

    /// Of these refs, those whose commits no repository of the nodes has, and those of which that cannot be told.
    package func compare(_ refs: [ArchivedRef], with nodes: [Node]) async -> [DivergedRef] {
        var found: [DivergedRef] = []
        var rest = refs[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(Self.objectsAtOnce))
            rest = rest.dropFirst(batch.count)
            let objects = Dictionary(grouping: batch, by: \.repository).mapValues { Set($0.map(\.object)).sorted() }
            let answers = await keeper.askAll(nodes) { _ in script(.missing(objects: objects), boundary()) }.map {
                node, answer in
                Self.reading(answer, of: node)
            }
            for ref in batch {
                if let reason = Self.whyDiverged(ref, answers) { found.append(DivergedRef(ref: ref, state: reason)) }
            }
        }
        return found
    }

    /// What a node says of repositories: those that it does not have, those that it cannot read, and missing objects.
    private struct Reading {
        var absent: Set<String> = []
        var unreadable: Set<String> = []
        var missing: [String: Set<String>] = [:]
    }

    private static func reading(_ answer: Result<KeeperAnswer, NodeFailure>, of node: NodeID) -> Result<
        Reading, Unreadable
    > {
        let bytes: [UInt8]
        switch answer {
        case .success(.content(let content, _)): bytes = content
        case .success(let other): return .failure(Unreadable("\(node) answered \(other)"))
        case .failure(let failure): return .failure(Unreadable("\(node): \(failure.text)"))
        }
        var reading = Reading()
        for line in String(decoding: bytes, as: UTF8.self).nonemptyLines {
            let words = line.split(separator: "\t")
            guard words.count == 2 else { return .failure(.unexpected("\(node): a missing object", line.utf8)) }
            let repository = String(words[0])
            switch words[1] {
            case "-": reading.absent.insert(repository)
            case "?": reading.unreadable.insert(repository)
            default: reading.missing[repository, default: []].insert(String(words[1]))
            }
        }
        return .success(reading)
    }

    private static func whyDiverged(
        _ ref: ArchivedRef, _ answers: [Result<Reading, Unreadable>]
    ) -> DivergedRef.State? {
        var isThere = false
        var unknown: String? = answers.isEmpty ? "the new primary has no Gitaly node" : nil
        for answer in answers {
            switch answer {
            case .failure(let reason): unknown = reason.reason
            case .success(let reading):
                if reading.absent.contains(ref.repository) { continue }
                if reading.unreadable.contains(ref.repository) {
                    unknown = "its repository cannot be read"
                    continue
                }
                isThere = true
                // One that has it is enough.
                if reading.missing[ref.repository]?.contains(ref.object) != true { return nil }
            }
        }
        return unknown.map { .unknown(reason: $0) } ?? (isThere ? .missing : .noRepository)
    }

    private func lines(
        of archive: String, _ file: KeeperScript.ArchivedFile, on node: Node
    ) async -> Result<[Substring], Unreadable> {
        let read = await keeper.content(of: node, file.rawValue, atMost: Self.fileBytesAtMost) { offset in
            script(.readArchive(name: archive, file: file, offset: offset), boundary())
        }
        return read.flatMap { bytes in
            guard let bytes else { return .success([]) }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .failure(Unreadable("\(file.rawValue) of \(node.id) is no text"))
            }
            return .success(text.nonemptyLines)
        }
    }

    private func script(_ operation: KeeperScript.Operation, _ boundary: String) -> KeeperScript {
        KeeperScript(operation, run: "none", holder: holder, epoch: 0, boundary: boundary)
    }
}
