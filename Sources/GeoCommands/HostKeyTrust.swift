import FoundationEssentials
import GeoCore
import GeoRuntime

/// The one deliberate way to make a host key known: shown, compared by a person, added when the node's name is typed.
struct HostKeyTrust {
    let node: Node

    private var address: String { node.access.address }
    /// How `known_hosts` names it: a port of its own goes with the name.
    private var knownName: String { node.access.port == 22 ? address : "[\(address)]:\(node.access.port)" }

    func ask() async throws -> ExitStatus {
        guard node.access.jump.isEmpty else {
            throw CommandFailure(
                """
                \(node.id) is reached through \(node.access.jump[0].address), from where its keys must be read:
                  ssh \(node.access.jump[0].user)@\(node.access.jump[0].address) ssh-keyscan \(address)
                  compare their fingerprints, then add the lines to \(node.access.knownHosts)
                """, .badDocument)
        }
        let file = node.access.knownHosts
        let known = try await run(["ssh-keygen", "-F", knownName, "-f", file], mayFail: true)
        guard known.isEmpty else {
            throw CommandFailure(
                """
                \(file) knows \(knownName) already. If its key really changed, remove the old one first:
                  ssh-keygen -R \(RemoteCommand.quoted(knownName)) -f \(RemoteCommand.quoted(file))
                """, .refused)
        }
        let scanned = try await run(
            ["ssh-keyscan", "-T", "10", "-p", String(node.access.port), address], mayFail: true)
        let keys = scanned.filter { !$0.hasPrefix("#") && $0.split(separator: " ").count >= 3 }
        guard !keys.isEmpty else { throw CommandFailure("\(node.id) (\(address)) offered no host key", .unexpected) }
        Console.say("\(node.id) (\(address)) offers:")
        return try await add(
            keys, of: node, if: "If they are those of the node's console, type its name to add them to \(file).")
    }

    /// Before the node is given the host keys of another one: it is known by those as well, the old ones stay.
    func ask(sameAs other: Node) async throws -> ExitStatus {
        let own = try await lines()
        let keys = try await HostKeyTrust(node: other).lines().map { line in
            ([knownName] + line.split(separator: " ").dropFirst().map(String.init)).joined(separator: " ")
        }.filter { !own.contains($0) }
        guard !keys.isEmpty else {
            throw CommandFailure(
                "\(node.access.knownHosts) has no key of \(other.id) that \(node.id) is not known by already", .refused)
        }
        Console.say("\(other.id) is known by:")
        return try await add(
            keys, of: other,
            if: "If \(node.id) is to show itself with them, type its name to add them to \(node.access.knownHosts).")
    }

    private func add(_ keys: [String], of owner: Node, if text: String) async throws -> ExitStatus {
        for key in keys { Console.say("  \(try await fingerprint(key))") }
        let question = OperatorPrompt.Question(step: "trust", text: text, expected: node.id.rawValue)
        guard await Prompt.ask(question)?.text == node.id.rawValue else {
            throw CommandFailure("declined; nothing was added", .declined)
        }
        try append(keys, to: node.access.knownHosts)
        let whom = owner.id == node.id ? "" : " for \(node.id)"
        Console.result("\(keys.count) keys of \(owner.id) added\(whom) to \(node.access.knownHosts)")
        return .done
    }

    /// `SHA256:... ED25519` of each key that the node is known by, as ``NodeFacts/hostKeys`` has them.
    func fingerprints() async throws -> Set<String> {
        var found: Set<String> = []
        for line in try await lines() {
            let words = try await fingerprint(line).split(separator: " ")
            guard words.count >= 3, let kind = words.last?.dropFirst().dropLast() else { continue }
            found.insert("\(words[1]) \(kind)")
        }
        return found
    }

    private func lines() async throws -> [String] {
        try await run(["ssh-keygen", "-F", knownName, "-f", node.access.knownHosts], mayFail: true)
            .filter { !$0.hasPrefix("#") && !$0.hasPrefix("@") && $0.split(separator: " ").count >= 3 }
    }

    private func fingerprint(_ line: String) async throws -> String {
        let words = line.split(separator: " ").map(String.init)
        let script = "printf '%s\\n' \"$1\" | ssh-keygen -lf -"
        return try await run(["sh", "-c", script, "sh", words.dropFirst().joined(separator: " ")]).first ?? line
    }

    private func run(_ arguments: [String], mayFail: Bool = false) async throws -> [String] {
        let result = try await LocalProcess.programs.run(arguments, [:], 30)
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n").map(String.init)
        guard result.status == 0 || mayFail else {
            throw CommandFailure("\(arguments[0]) failed: \(lines.last ?? "no reason given")", .unexpected)
        }
        return result.status == 0 ? lines : []
    }

    private func append(_ keys: [String], to file: String) throws {
        let old = FileManager.default.contents(atPath: file).map { [UInt8]($0) } ?? []
        let separator: [UInt8] = old.isEmpty || old.last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")]
        let lines = keys.map { $0 + "\n" }.joined()
        do {
            try Data(old + separator + Array(lines.utf8)).write(to: URL(filePath: file), options: .atomic)
        } catch {
            throw CommandFailure("\(file) could not be written: \(error)", .unexpected)
        }
    }
}
