/// Lines of a node's gitlab.rb, each replaced by another; the file that they were in is kept.
///
/// What is replaced is the whole line that was seen when the plan was made, byte for byte. Where the file lacks one of them
/// a first command fails and nothing is changed. The new file is made beside the old one and takes its place in one
/// rename: nobody ever reads half of it, and a full disk is noticed before. The copy is a hard link, which needs no
/// room, keeps owner and mode of a file with passwords, and is never overwritten by a second attempt.
package struct ConfigurationEdit: Sendable, Hashable {
    package static let file = "/etc/gitlab/gitlab.rb"

    /// Both without the end of the line.
    package struct Line: Sendable, Hashable {
        package let old: String
        package let new: String
        package init(old: String, new: String) {
            self.old = old
            self.new = new
        }
    }

    package let lines: [Line]
    /// Beside ``file``; the name of the edit, from when its plan was made.
    package let backup: String
    private let next: String

    /// `nil` without a line, and for lines that are not plain: other bytes than printable ASCII could mean something else
    /// to `sed`.
    package init?(_ lines: [Line], madeAt: Timestamp) {
        let isPlain = lines.flatMap { [$0.old, $0.new] }.allSatisfy { line in
            !line.isEmpty && line.utf8.allSatisfy { (0x20...0x7e).contains($0) }
        }
        guard isPlain, !lines.isEmpty, lines.allSatisfy({ $0.old != $0.new }) else { return nil }
        self.lines = lines
        let stamp = Self.stamp(madeAt)
        self.backup = Self.file + ".before-" + stamp
        self.next = Self.file + ".next-" + stamp
    }

    package init?(replacing old: String, with new: String, madeAt: Timestamp) {
        self.init([Line(old: old, new: new)], madeAt: madeAt)
    }

    /// A moment as part of a file's name.
    package static func stamp(_ moment: Timestamp) -> String {
        moment.toSeconds.split(separator: " ").map { $0.filter(\.isNumber) }.joined(separator: "-")
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
        let scripts = lines.flatMap { ["-e", "s|^\(Self.pattern($0.old))$|\(Self.replacement($0.new))|"] }
        return lines.map { command(["grep", "-cxF", "-e", $0.old, Self.file]) } + [
            command(["cp", "-a", Self.file, next]),
            command(["sed", "-i"] + scripts + [next]),
            // It may be there from an earlier attempt; the next command tells whether it is.
            command(["ln", Self.file, backup], .isOnlyAClaim),
            command(["test", "-s", backup]),
            command(["mv", "-f", next, Self.file]),
        ]
    }

    /// Puts the file back that was there before.
    package var undo: [RemoteCommand] { ActionCommands.putBack(Self.file, from: backup) }

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
        for step in steps {
            guard let node = step.node else { continue }
            let edit: ConfigurationEdit? =
                switch step.action {
                case .setExternalURL:
                    ConfigurationEdit(url: url, in: basis[node].configuration.value, madeAt: createdAt)
                case .configureSecondary:
                    inventory.node(node).flatMap {
                        inventory.site(of: node)?.configuration(of: $0).isSwitched == true
                            ? ConfigurationEdit(secondary: $0, in: basis[node].geoSettings.value, madeAt: createdAt)
                            : nil
                    }
                case .preparePrimary:
                    inventory.node(node).flatMap { node in
                        guard let site = inventory.site(to) else { return nil }
                        let edit = PrimarySettings.edit(of: node, toSeed: site, in: basis, madeAt: createdAt)
                        return if case .success(let edit) = edit { edit } else { nil }
                    }
                default: nil
                }
            guard let edit else { continue }
            if let index = found.firstIndex(where: { $0.edit == edit }) {
                found[index].nodes.append(node)
            } else {
                found.append((edit, [node]))
            }
        }
        return found
    }
}
