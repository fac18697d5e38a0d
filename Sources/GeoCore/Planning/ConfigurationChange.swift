/// What becomes of one file of settings on one node: what a plan shows of a file that an operator keeps ready.
package struct ConfigurationChange: Sendable, Hashable, Codable {
    package var node: NodeID
    package var path: ConfigurationPath
    /// `- old` and `+ new`, in the file's order; what may be a secret is hidden in each.
    package var lines: [String]
    /// Whether the node has a file there already, which is kept.
    package var replaces: Bool

    /// Of a file that the node does not have `old` is `nil`.
    package init(node: NodeID, path: ConfigurationPath, from old: [UInt8]?, to new: [UInt8]) {
        self.node = node
        self.path = path
        self.replaces = old != nil
        self.lines = Self.difference(old ?? [], new)
    }

    private static func difference(_ old: [UInt8], _ new: [UInt8]) -> [String] {
        func lines(_ bytes: [UInt8]) -> [String] {
            var lines = String(decoding: bytes, as: UTF8.self).split(
                omittingEmptySubsequences: false, whereSeparator: \.isNewline
            ).map(String.init)
            if lines.last?.isEmpty == true { lines.removeLast() }
            return lines
        }
        let (before, after) = (lines(old), lines(new))
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in after.difference(from: before) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        // Both are walked at once, so that what takes a line's place stands behind it.
        var shown: [String] = []
        var (left, right) = (0, 0)
        while left < before.count || right < after.count {
            if removed.contains(left) {
                shown.append("- " + ConfigurationText.hidden(before[left]))
                left += 1
            } else if inserted.contains(right) {
                shown.append("+ " + ConfigurationText.hidden(after[right]))
                right += 1
            } else {
                left += 1
                right += 1
            }
        }
        return shown
    }
}

/// A line of gitlab.rb as it may be shown: names of settings and plain values, and of everything else that it is there.
///
/// Whatever is not known to be harmless is hidden: passwords stand in settings of many names, in comments, and in blocks of
/// YAML or Ruby over several lines.
package enum ConfigurationText {
    static let mark = "[hidden]"

    package static func hidden(_ line: String) -> String {
        let text = line.drop { $0 == " " || $0 == "\t" }
        if text.isEmpty { return line }
        if text.hasPrefix("#") { return "# \(mark)" }
        // They name things that are no secret.
        for word in ["from_file ", "external_url ", "roles "] where text.hasPrefix(word) {
            return word + (isLiteral(text.dropFirst(word.count)) ? String(text.dropFirst(word.count)) : mark)
        }
        guard let (head, value) = assignment(text) else { return mark }
        return "\(head)= \(isHarmless(value, of: head.lowercased()) ? String(value) : mark)"
    }

    /// `section['key']...` and what it is set to, without blanks around.
    private static func assignment(_ text: Substring) -> (head: String, value: Substring)? {
        let name = text.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        var rest = text[name.endIndex...]
        var keys = ""
        while rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            let key = rest[rest.index(after: rest.startIndex)..<end]
            guard let quote = key.first, "'\"".contains(quote), key.last == quote, key.count > 2,
                key.dropFirst().dropLast().allSatisfy({
                    $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0))
                })
            else { return nil }
            keys += "[\(key)]"
            rest = rest[rest.index(after: end)...]
        }
        rest = rest.drop { $0 == " " }
        guard !name.isEmpty, !keys.isEmpty, rest.hasPrefix("="), !rest.hasPrefix("=="), !rest.hasPrefix("=~") else {
            return nil
        }
        return ("\(name)\(keys) ", rest.dropFirst().drop { $0 == " " })
    }

    /// A flag or a number of whatever setting, and text only of settings that name places, people and ways.
    private static func isHarmless(_ value: Substring, of head: String) -> Bool {
        let end = value.reversed().drop { $0 == " " }.count
        let value = value.prefix(end)
        if ["true", "false", "nil"].contains(value) { return true }
        let key = head.split(whereSeparator: { "['\"] ".contains($0) }).last.map(String.init) ?? ""
        guard secrets.allSatisfy({ !head.contains($0) }) else { return false }
        if value.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == "_" || $0 == ".") }) { return true }
        return plain.contains { key == $0 || key.hasSuffix("_" + $0) } && isLiteral(value)
    }

    /// Addresses and names, alone or in a list: no user in front of an address, and no comment, which may say anything.
    private static func isLiteral(_ value: Substring) -> Bool {
        value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "'\"[](), .:/_-%".contains($0)) }
    }

    private static let secrets = ["pass", "secret", "token", "salt", "private", "credential", "key"]
    private static let plain = [
        "enable", "host", "hosts", "port", "address", "addresses", "addr", "listen_addr", "name", "user", "username",
        "database", "dir", "path", "slot_name", "sslmode", "mode", "level", "role", "roles", "wal_level",
    ]
}

/// A file of settings that a step puts in place on a node.
package struct PlacedConfiguration: Sendable, Hashable {
    package var file: ConfigurationFile
    /// The node had another there when the plan was made.
    package var replaces: Bool
    package init(file: ConfigurationFile, replaces: Bool) {
        self.file = file
        self.replaces = replaces
    }
}

extension ActionCommands {
    /// All are brought, and seen to be Ruby, before the first takes its place; what was there is kept beside it.
    static func placing(_ files: [PlacedConfiguration], stamp: String) -> [RemoteCommand] {
        files.flatMap { placed -> [RemoteCommand] in
            var bring = quick([
                "install", "-D", "-o", "root", "-g", "root", "-m", "0600", "/dev/stdin", next(placed, stamp),
            ])
            bring.inputConfiguration = placed.file
            return [bring, quick(["/opt/gitlab/embedded/bin/ruby", "-e", syntaxCheck, next(placed, stamp)])]
        }
            + files.flatMap { placed -> [RemoteCommand] in
                let path = placed.file.path.text
                let keep = [
                    // It may be there from an earlier attempt; the next command tells whether it is.
                    quick(["ln", path, before(placed, stamp)], .isOnlyAClaim),
                    quick(["test", "-e", before(placed, stamp)]),
                ]
                return (placed.replaces ? keep : []) + [quick(["mv", "-f", next(placed, stamp), path])]
            } + (files.isEmpty ? [] : [changed])
    }

    static func undoPlacing(_ files: [PlacedConfiguration], stamp: String) -> [RemoteCommand] {
        files.reversed().flatMap { placed in
            let path = placed.file.path.text
            return placed.replaces
                ? putBack(path, from: before(placed, stamp)) : putBack(next(placed, stamp), from: path)
        } + (files.isEmpty ? [] : [changed])
    }

    /// Whoever asks whether a node was reconfigured since looks at gitlab.rb, which loads the others.
    private static let changed = quick(["touch", "-c", ConfigurationPath.main.text])

    /// Compiles, and runs nothing. Of what is wrong only the lines are told: Ruby would print them, with what is in them.
    static let syntaxCheck =
        "begin; RubyVM::InstructionSequence.compile_file(ARGV[0]); rescue SyntaxError => e; "
        + "abort 'this is no Ruby: line ' + e.message.scan(/:([0-9]+):/).flatten.uniq.join(', '); end"

    static func before(_ placed: PlacedConfiguration, _ stamp: String) -> String {
        "\(placed.file.path.text).before-\(stamp)"
    }
    private static func next(_ placed: PlacedConfiguration, _ stamp: String) -> String {
        "\(placed.file.path.text).next-\(stamp)"
    }
}

/// Lines of a file on nodes that a plan changes, as people read a difference.
package struct FileChange: Sendable, Hashable {
    package var path: String
    /// Each begins with `- ` or `+ `.
    package var lines: [String]
    /// The name of the file that was there before; `nil`: there was none.
    package var kept: String?
}

extension Plan {
    /// What the plan changes in files of settings, each with its nodes, in the order of the steps.
    package var fileChanges: [(change: FileChange, nodes: [NodeID])] {
        var found: [(change: FileChange, nodes: [NodeID])] = []
        func add(_ change: FileChange, _ node: NodeID) {
            if let index = found.firstIndex(where: { $0.change == change }) {
                found[index].nodes.append(node)
            } else {
                found.append((change, [node]))
            }
        }
        for (edit, nodes) in edits {
            let lines = edit.lines.flatMap { ["- \($0.old)", "+ \($0.new)"] }
            for node in nodes { add(FileChange(path: ConfigurationEdit.file, lines: lines, kept: edit.backup), node) }
        }
        for change in configurationChanges ?? [] {
            let kept = "\(change.path.text).before-\(ConfigurationEdit.stamp(createdAt))"
            add(
                FileChange(path: change.path.text, lines: change.lines, kept: change.replaces ? kept : nil),
                change.node)
        }
        return found
    }
}
