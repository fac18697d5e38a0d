import GeoCore

/// What one level of the inventory (deployment, site, node) says about SSH; `nil` means the level above decides.
struct SSHSettings {
    static let keys = [
        "user", "identity", "agent", "known_hosts", "jump", "become", "port", "transport", "connect_time_limit",
    ]

    struct Jump {
        var user: String?
        var address: String
        var port: Int?
    }

    var user: String?
    var identityFile: String?
    var passphrase: SecretReference?
    var usesAgent: Bool?
    var knownHosts: String?
    var jump: [Jump]?
    var become: NodeAccess.Become?
    var port: Int?
    var transport: NodeAccess.Transport?
    var connectTimeLimitSeconds: Int?

    init() {}

    /// Reads the keys of ``keys`` and leaves others to the caller.
    init(_ fields: Fields, _ locations: Locations) {
        user = fields.entry("user").flatMap { Self.user($0.value, fields.label("user"), fields.problems) }
        usesAgent = fields.flag("agent")
        knownHosts = Self.path("known_hosts", fields, locations)
        become = fields.choice("become", of: NodeAccess.Become.self)
        port = fields.integer("port", in: 1...65_535)
        transport = fields.choice("transport", of: NodeAccess.Transport.self)
        connectTimeLimitSeconds = fields.duration("connect_time_limit")
        jump = fields.entry("jump").map { entry in
            entry.value.oneOrMore.compactMap { Self.jump($0, fields.label("jump"), fields.problems) }
        }
        readIdentity(fields, locations)
        if usesAgent == false, identityFile == nil, fields.has("identity") == false, let entry = fields.entry("agent") {
            agentRefusal = entry.value.position
        }
    }

    /// Where `agent: false` stands without an identity beside it.
    private var agentRefusal: Position?

    /// This level's word where it has one, else that of `below`.
    func overriding(_ below: SSHSettings) -> SSHSettings {
        var merged = self
        merged.user = user ?? below.user
        if identityFile == nil {
            merged.identityFile = below.identityFile
            merged.passphrase = below.passphrase
        }
        merged.usesAgent = usesAgent ?? below.usesAgent
        merged.agentRefusal = usesAgent == nil ? below.agentRefusal : agentRefusal
        merged.knownHosts = knownHosts ?? below.knownHosts
        merged.jump = jump ?? below.jump
        merged.become = become ?? below.become
        merged.port = port ?? below.port
        merged.transport = transport ?? below.transport
        merged.connectTimeLimitSeconds = connectTimeLimitSeconds ?? below.connectTimeLimitSeconds
        return merged
    }

    /// The finished access of a node; reports when there is no way to log in.
    func access(address: String, operatorName: String, home: Locations, problems: Problems) -> NodeAccess {
        let user = user ?? operatorName
        if identityFile == nil, usesAgent == false, let agentRefusal {
            problems.error(
                "there is no way to log in: no identity, and the agent is not to be used", at: agentRefusal,
                expected: "an 'identity' or 'agent: true'")
        }
        return NodeAccess(
            address: address, port: port ?? 22, user: user,
            // Without a key file only the agent can prove who the operator is.
            identity: Identity(
                file: identityFile, passphrase: passphrase, usesAgent: usesAgent ?? (identityFile == nil)),
            knownHosts: knownHosts ?? home.resolve("~/.ssh/known_hosts") ?? "",
            jump: (jump ?? []).map { JumpHost(address: $0.address, port: $0.port ?? 22, user: $0.user ?? user) },
            become: become ?? .sudo, transport: transport ?? .libssh2,
            connectTimeLimitSeconds: connectTimeLimitSeconds ?? 10)
    }

    // MARK: Reading

    private mutating func readIdentity(_ fields: Fields, _ locations: Locations) {
        guard let value = fields.entry("identity")?.value else { return }
        let problems = fields.problems
        let label = fields.label("identity")
        if case .mapping = value.content {
            guard let identity = Fields(value, of: label, keys: ["file", "passphrase"], problems: problems) else {
                return
            }
            if identity.required("file", expected: "the path of a private key") != nil {
                identityFile = Self.path("file", identity, locations)
            }
            passphrase = identity.entry("passphrase").flatMap {
                Secrets.read($0.value, identity.label("passphrase"), locations, problems)
            }
        } else if case .scalar(let text, _) = value.content, text.contains("PRIVATE KEY") {
            problems.error(
                "\(label) must not hold the key itself (its text is not shown)", at: value.position,
                expected: "the path of a private key")
        } else {
            identityFile = Self.path("identity", fields, locations)
        }
    }

    private static func path(_ key: String, _ fields: Fields, _ locations: Locations) -> String? {
        guard let value = fields.entry(key)?.value,
            let text = value.text(fields.label(key), fields.problems, expected: "a path")
        else { return nil }
        if let path = locations.resolve(text) { return path }
        fields.problems.error(
            "\(fields.label(key)) is \(value.described)", at: value.position, expected: "a path",
            suggestion: "~/... or /...")
        return nil
    }

    private static func user(_ value: YAMLValue, _ label: String, _ problems: Problems) -> String? {
        guard let text = value.text(label, problems, expected: "a user name") else { return nil }
        if isUser(text) { return text }
        problems.error("\(label) is \(value.described)", at: value.position, expected: "a user name")
        return nil
    }

    static func isUser(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-"), text.utf8.count <= 64 else { return false }
        return text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                || ".-_@\\$+".utf8.contains(byte)
        }
    }

    private static func jump(_ value: YAMLValue, _ label: String, _ problems: Problems) -> Jump? {
        let expected = "host, host:port or user@host:port, or a list of them"
        guard let text = value.text(label, problems, expected: expected) else { return nil }
        let at = text.lastIndex(of: "@")
        let user = at.map { text[..<$0] }
        if user?.contains(":") == true {
            problems.error(
                "\(label) must not hold a password (its text is not shown)", at: value.position, expected: expected)
            return nil
        }
        let place = at.map { text[text.index(after: $0)...] } ?? text[...]
        guard user.map({ isUser($0) }) ?? true, let (host, port) = Addresses.split(place) else {
            problems.error("\(label) is \(value.described)", at: value.position, expected: expected)
            return nil
        }
        return Jump(user: user.map(String.init), address: host, port: port)
    }
}
