/// One line of a node's gitlab.rb, replaced by another; the file that it was in is kept.
///
/// What is replaced is the whole line that was seen when the plan was made, byte for byte. Where the file has no such line
/// the first command fails and nothing is changed. The new file is made beside the old one and takes its place in one
/// rename: nobody ever reads half of it, and a full disk is noticed before. The copy is a hard link, which needs no
/// room, keeps owner and mode of a file with passwords, and is never overwritten by a second attempt.
package struct ConfigurationEdit: Sendable, Hashable {
    package static let file = "/etc/gitlab/gitlab.rb"

    /// Both without the end of the line.
    package let old: String
    package let new: String
    /// Beside ``file``; the name of the edit, from when its plan was made.
    package let backup: String
    private let next: String

    /// `nil` for lines that are not plain: other bytes than printable ASCII could mean something else to `sed`.
    package init?(replacing old: String, with new: String, madeAt: Timestamp) {
        let isPlain = [old, new].allSatisfy { line in
            !line.isEmpty && line.utf8.allSatisfy { (0x20...0x7e).contains($0) }
        }
        guard isPlain, old != new else { return nil }
        self.old = old
        self.new = new
        let stamp = madeAt.toSeconds.split(separator: " ").map { $0.filter(\.isNumber) }.joined(separator: "-")
        self.backup = Self.file + ".before-" + stamp
        self.next = Self.file + ".next-" + stamp
    }

    /// The value of a Ruby setting that is a literal, in its own quotes; all else of the line stays as it is. `nil` where the
    /// line does not have exactly that literal once.
    package init?(setting value: String, to other: String, in line: String, madeAt: Timestamp) {
        for quote in ["'", "\""] {
            let parts = line.split(separator: quote + value + quote, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            self.init(replacing: line, with: parts.joined(separator: quote + other + quote), madeAt: madeAt)
            return
        }
        return nil
    }

    /// The one line that sets `external_url`, as it was seen, with another URL in it.
    package init?(url: String, in facts: ConfigurationFacts?, madeAt: Timestamp) {
        guard let lines = facts?.urlLines, lines.count == 1, case .text(let old)? = facts?.externalURL else {
            return nil
        }
        self.init(setting: old, to: url, in: lines[0], madeAt: madeAt)
    }

    package func commands(timeLimit: Int) -> [RemoteCommand] {
        func command(_ arguments: [String], _ status: RemoteCommand.ExitStatus = .mustBeZero) -> RemoteCommand {
            RemoteCommand(arguments: arguments, timeLimitSeconds: timeLimit, exitStatus: status, quietSeconds: 5)
        }
        let script = "s|^\(Self.pattern(old))$|\(Self.replacement(new))|"
        return [
            command(["grep", "-cxF", "-e", old, Self.file]),
            command(["cp", "-a", Self.file, next]),
            command(["sed", "-i", "-e", script, next]),
            // It may be there from an earlier attempt; the next command tells whether it is.
            command(["ln", Self.file, backup], .isOnlyAClaim),
            command(["test", "-s", backup]),
            command(["mv", "-f", next, Self.file]),
        ]
    }

    /// Puts the file back that was there before.
    package var undo: [RemoteCommand] {
        [
            RemoteCommand(
                arguments: ["mv", "-f", backup, Self.file], timeLimitSeconds: 60, exitStatus: .mustBeZero,
                quietSeconds: 5)
        ]
    }

    /// A basic regular expression that only this text matches; `|` is the delimiter.
    private static func pattern(_ text: String) -> String {
        text.map { "\\.*[]^$|".contains($0) ? "\\\($0)" : String($0) }.joined()
    }

    private static func replacement(_ text: String) -> String {
        text.map { "\\&|".contains($0) ? "\\\($0)" : String($0) }.joined()
    }
}

extension ConfigurationEdit {
    /// For people who ask what an edit runs, with no plan at hand.
    package static let example = ConfigurationEdit(
        replacing: "external_url 'https://old.example.com'", with: "external_url 'https://new.example.com'",
        madeAt: Timestamp(milliseconds: 0))
}

extension Plan {
    /// Lines of gitlab.rb that the plan replaces, and on which nodes.
    package var edits: [(edit: ConfigurationEdit, nodes: [NodeID])] {
        let url = inventory.site(to)?.url ?? ""
        var found: [(edit: ConfigurationEdit, nodes: [NodeID])] = []
        for node in steps.filter({ $0.action == .setExternalURL }).compactMap(\.node) {
            guard let edit = ConfigurationEdit(url: url, in: basis[node].configuration.value, madeAt: createdAt) else {
                continue
            }
            if let index = found.firstIndex(where: { $0.edit == edit }) {
                found[index].nodes.append(node)
            } else {
                found.append((edit, [node]))
            }
        }
        return found
    }
}
