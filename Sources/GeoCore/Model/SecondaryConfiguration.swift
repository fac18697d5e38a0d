/// A file of settings on a node: below `/etc/gitlab`, ending in `.rb`, in plain ASCII. Nothing else is ever put in place.
package struct ConfigurationPath: Sendable, Hashable, Codable {
    package let text: String

    /// What a reconfigure reads, and everything that it loads.
    package static let main = ConfigurationPath(unchecked: "/etc/gitlab/gitlab.rb")
    package static let form =
        "a path below /etc/gitlab that ends in .rb, at most \(depthAtMost - 1) folders deep, such as /etc/gitlab/geo.rb"
    /// Names below `/etc/gitlab`: as deep as nodes are looked through.
    static let depthAtMost = 3

    /// `nil` for any other path, and for one with `.`, `..` or an empty name in it.
    package init?(_ text: String) {
        let place = "/etc/gitlab/"
        let names = text.dropFirst(place.count).split(separator: "/", omittingEmptySubsequences: false)
        guard text.hasPrefix(place), (1...Self.depthAtMost).contains(names.count),
            text.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "/._-".contains($0)) }),
            names.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }),
            let last = names.last, last.hasSuffix(".rb"), last.count > 3
        else { return nil }
        self.text = text
    }

    private init(unchecked text: String) { self.text = text }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let path = ConfigurationPath(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no \(Self.form): \(text)")
        }
        self = path
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    /// Whether a line of gitlab.rb loads the file: by its name, or with its whole directory (omnibus-gitlab
    /// `doc/settings/configuration.md`, "Load external configuration file").
    func isLoaded(by line: String) -> Bool {
        let directory = text[..<(text.lastIndex(of: "/") ?? text.startIndex)]
        let code = line.drop { $0 == " " }
        return !code.hasPrefix("#") && code.contains("from_file")
            && ["'", "\""].contains { quote in
                code.contains("\(quote)\(text)\(quote)") || code.contains("\(quote)\(directory)/*.rb\(quote)")
            }
    }
}

/// What an operator keeps ready for a node that comes back as one of a secondary.
package struct ConfigurationFile: Sendable, Hashable, Codable {
    /// Where it is found on the operator's machine; it may hold passwords.
    package var content: SecretReference
    package var path: ConfigurationPath
    /// Of what was found there when a check or a plan began. `nil`: nobody looked, or ``trouble`` says why it cannot be used.
    package var digest: Digest?
    package var trouble: String?

    package init(
        content: SecretReference, path: ConfigurationPath = .main, digest: Digest? = nil, trouble: String? = nil
    ) {
        self.content = content
        self.path = path
        self.digest = digest
        self.trouble = trouble
    }

    /// As a person would do it by hand, on the operator's machine; a program's arguments stand in the inventory, and could be
    /// secrets.
    var shellText: String {
        switch content {
        case .file(let path): "cat \(RemoteCommand.quoted(path))"
        case .environment(let name): "printf '%s\\n' \"$\(name)\""
        case .command(let arguments): "\(RemoteCommand.quoted(arguments.first ?? "?")) ..."
        }
    }

    /// Whether that is what the node has, by the digests of its files.
    package func isInPlace(_ found: [String: Digest]) -> Bool { digest != nil && found[path.text] == digest }

    /// Files of settings have some kilobytes.
    package static let bytesAtMost = 256 << 10

    /// What is put in place: text, with one line feed at its end whatever the reference gave.
    package static func text(of bytes: [UInt8]) -> Result<[UInt8], Unreadable> {
        guard bytes.count < bytesAtMost else {
            return .failure(Unreadable("it has more than \(bytesAtMost >> 10) KiB"))
        }
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
            return .failure(Unreadable("it is no UTF-8 text"))
        }
        let end = bytes.lastIndex { !" \t\r\n".utf8.contains($0) }
        guard let end else { return .failure(Unreadable("it is empty")) }
        return .success(bytes[...end] + [UInt8(ascii: "\n")])
    }
}

/// Where the settings of one component's nodes come from while their site is a secondary.
package enum ConfigurationSource: Sendable, Hashable, Codable {
    /// Configuration management writes them: a run changes none, and looks whether they are in force.
    case managed
    case file(ConfigurationFile)
}

package struct ComponentConfiguration: Sendable, Hashable, Codable {
    package var component: Component
    package var source: ConfigurationSource
    package init(component: Component, source: ConfigurationSource) {
        self.component = component
        self.source = source
    }
}

/// How one node becomes that of a secondary.
package enum NodeConfiguration: Sendable, Hashable {
    /// What its gitlab.rb has, switched off, is turned on.
    case switched
    case managed
    /// Each for another path, in the order of the inventory.
    case files([ConfigurationFile])

    package var files: [ConfigurationFile] { if case .files(let files) = self { files } else { [] } }
    /// Whether gitlab.rb alone tells what the node is.
    package var isSwitched: Bool { self == .switched }
}

extension Site {
    /// By the node's components. Of several that say something, files count more than that somebody else writes them.
    package func configuration(of node: Node) -> NodeConfiguration {
        let sources = (secondaryConfiguration ?? []).filter { node.runs($0.component) }.map(\.source)
        var files: [ConfigurationFile] = []
        for case .file(let file) in sources where !files.contains(where: { $0.path == file.path }) {
            files.append(file)
        }
        if !files.isEmpty { return .files(files) }
        return sources.isEmpty ? .switched : .managed
    }
}
