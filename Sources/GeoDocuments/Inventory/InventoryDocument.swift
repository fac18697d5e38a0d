package import GeoCore

/// Inventory files: YAML to ``Inventory``, every default applied, or a list of everything that is wrong.
package enum InventoryDocument {
    /// The only schema that this tool reads.
    package static let schema = 1

    /// Decodes the text of an inventory file. Reads no other file and asks nobody.
    ///
    /// Relative paths in it begin at the directory of `path`, `~` is `home`, and who logs in where nothing else is
    /// said is `user`, the operator. A value comes back exactly when no diagnostic is an
    /// error; warnings may come with it.
    package static func load(
        text: String, path: String, user: String, home: String
    ) -> (inventory: Inventory?, diagnostics: [Diagnostic]) {
        let problems = Problems(path: path)
        let reader = InventoryReader(
            problems: problems, locations: Locations(file: path, home: home), operatorName: user)
        let source = DocumentReference(path: path, digest: Digest(of: text.utf8))
        let inventory = YAMLReader.read(text, problems: problems).flatMap { reader.read($0, source: source) }
        return (problems.hasErrors ? nil : inventory, problems.inOrder)
    }
}

/// Reads the top of an inventory and what stands beside the sites.
struct InventoryReader {
    static let keys = [
        "schema", "deployment", "objectives", "ssh", "database", "sites", "hooks", "fences", "canary", "approvals",
        "replication",
    ]

    let problems: Problems
    let locations: Locations
    let operatorName: String

    func read(_ root: YAMLValue, source: DocumentReference) -> Inventory? {
        guard Schema.isReadable(root, kind: "an inventory", known: InventoryDocument.schema, problems),
            let fields = Fields(root, of: "the inventory", keys: Self.keys, problems: problems)
        else { return nil }
        let deployment = name(fields)
        let objectives = fields.objectives()
        let ssh = fields.entry("ssh").flatMap { sshSettings($0.value, of: "'ssh'") } ?? SSHSettings()
        let database = fields.entry("database").flatMap { self.database($0.value) } ?? DatabaseAccess()
        let sites = SiteReader(inventory: self, ssh: ssh).read(fields)
        let hooks = fields.entry("hooks").map { self.hooks($0.value) } ?? [:]
        let fences =
            fields.entry("fences").map {
                FenceReader(locations: locations, problems: problems).fences($0.value, of: sites)
            } ?? []
        let canary = fields.entry("canary").flatMap { self.canary($0.value) }
        let approvals = fields.entry("approvals").flatMap { self.approvals($0.value) }
        let replication = fields.entry("replication").flatMap { self.replication($0.value) }
        return Inventory(
            deployment: deployment ?? "", objectives: objectives, database: database, sites: sites, hooks: hooks,
            canary: canary, fences: fences, approvals: approvals, replication: replication, source: source)
    }

    func sshSettings(_ value: YAMLValue, of subject: String) -> SSHSettings? {
        Fields(value, of: subject, keys: SSHSettings.keys, problems: problems).map { SSHSettings($0, locations) }
    }

    private func name(_ fields: Fields) -> String? {
        guard
            let value = fields.required(
                "deployment", expected: "the name of the deployment", suggestion: "deployment: NAME"),
            let text = value.text(fields.label("deployment"), problems)
        else { return nil }
        Names.check(text, fields.label("deployment"), at: value.position, problems)
        return text
    }

    // MARK: Database

    private enum SSLMode: String, CaseIterable {
        case disable, allow, prefer, require
        case verifyCA = "verify-ca"
        case verifyFull = "verify-full"
    }

    private func database(_ value: YAMLValue) -> DatabaseAccess? {
        let keys = ["via", "user", "password", "port", "sslmode"]
        guard let fields = Fields(value, of: "'database'", keys: keys, problems: problems) else { return nil }
        let via = fields.choice("via", of: DatabaseAccess.Via.self) ?? .shell
        for key in keys.dropFirst() where via == .shell {
            guard let entry = fields.entry(key) else { continue }
            problems.warning(
                "\(fields.label(key)) has no effect with 'via: shell'", at: entry.keyPosition,
                suggestion: "remove it, or set 'via' to tunnel or direct")
        }
        return DatabaseAccess(
            via: via, user: fields.text("user"),
            password: fields.entry("password").flatMap {
                Secrets.read($0.value, fields.label("password"), locations, problems)
            },
            port: fields.integer("port", in: 1...65_535) ?? 5432,
            sslMode: fields.choice("sslmode", of: SSLMode.self)?.rawValue)
    }

    /// With what a site is re-seeded: the password of `gitlab_replicator`, and the sslmode that its certificates allow.
    private func replication(_ value: YAMLValue) -> ReplicationAccess? {
        guard
            let fields = Fields(
                value, of: "'replication'",
                keys: ["password", "sslmode", "keep_former", "window", "copy_rate", "backfill"], problems: problems),
            let entry = fields.required(
                "password", expected: "where the password of gitlab_replicator is found", suggestion: "file:PATH"),
            let password = Secrets.read(entry, fields.label("password"), locations, problems)
        else { return nil }
        let mode = fields.choice("sslmode", of: SSLMode.self) ?? .verifyCA
        return ReplicationAccess(
            password: password, sslMode: mode.rawValue, keepFormerSeconds: fields.duration("keep_former"),
            window: window(fields), copyRate: copyRate(fields),
            backfill: fields.entry("backfill").flatMap { backfill($0.value) })
    }

    private func window(_ fields: Fields) -> CopyWindow? {
        guard let value = fields.entry("window")?.value else { return nil }
        let expected = "a part of the day in UTC, such as 22:00-05:00"
        guard let text = value.text(fields.label("window"), problems, expected: expected) else { return nil }
        let window = CopyWindow(text)
        if window == nil {
            problems.error("\(fields.label("window")) is \(value.described)", at: value.position, expected: expected)
        }
        return window
    }

    private func copyRate(_ fields: Fields) -> CopyRate? {
        guard let value = fields.entry("copy_rate")?.value else { return nil }
        var text = ""
        if case .scalar(let written, _) = value.content { text = written }
        if let rate = Quantity.kilobytes(text).flatMap(CopyRate.init) { return rate }
        problems.error(
            "\(fields.label("copy_rate")) is \(value.described)", at: value.position, expected: Quantity.rateForm,
            suggestion: Quantity.rateMeant(by: text)?.written)
        return nil
    }

    private func backfill(_ value: YAMLValue) -> BackfillCapacity? {
        let keys = ["repositories", "files", "container_repositories", "verification"]
        guard let fields = Fields(value, of: "'backfill'", keys: keys, problems: problems) else { return nil }
        let numbers = keys.map { fields.integer($0, in: 1...1000) }
        return BackfillCapacity(
            repositories: numbers[0], files: numbers[1], containerRepositories: numbers[2], verification: numbers[3])
    }

    // MARK: Hooks, canary

    private func hooks(_ value: YAMLValue) -> [String: Hook] {
        var hooks: [String: Hook] = [:]
        for entry in value.mapping("'hooks'", problems, expected: "a mapping of names to hooks") ?? [] {
            Names.check(entry.key, "the name of a hook", at: entry.keyPosition, problems)
            let subject = "hook \(quoted(entry.key))"
            guard
                let fields = Fields(
                    entry.value, of: subject, at: entry.keyPosition, keys: ["run", "time_limit"], problems: problems)
            else { continue }
            hooks[entry.key] = program(fields, name: entry.key)
        }
        return hooks
    }

    private func program(_ fields: Fields, name: String) -> Hook? {
        let limit = fields.duration("time_limit") ?? 120
        return ProgramReader(locations: locations, problems: problems).vector("run", of: fields).map {
            Hook(name: name, run: $0, timeLimitSeconds: limit)
        }
    }

    /// `2`, with the file `allowed_signers` beside the inventory; or both said.
    private func approvals(_ value: YAMLValue) -> ApprovalRule? {
        let usual = locations.resolve("allowed_signers") ?? "allowed_signers"
        guard case .mapping = value.content else {
            return value.integer("'approvals'", in: 1...9, problems).map {
                ApprovalRule(people: $0, allowedSigners: usual)
            }
        }
        guard
            let fields = Fields(
                value, of: "'approvals'", keys: ["people", "allowed_signers"], problems: problems),
            let number = fields.required(
                "people", expected: "how many people have to approve a plan", suggestion: "people: 2"),
            let people = number.integer(fields.label("people"), in: 1...9, problems)
        else { return nil }
        guard let entry = fields.entry("allowed_signers") else {
            return ApprovalRule(people: people, allowedSigners: usual)
        }
        guard let text = entry.value.text(fields.label("allowed_signers"), problems) else { return nil }
        guard let path = locations.resolve(text) else {
            problems.error(
                "\(fields.label("allowed_signers")) is in the home of somebody else", at: entry.value.position,
                expected: "a path")
            return nil
        }
        return ApprovalRule(people: people, allowedSigners: path)
    }

    private func canary(_ value: YAMLValue) -> Canary? {
        guard let fields = Fields(value, of: "'canary'", keys: ["repository"], problems: problems),
            let repository = fields.required(
                "repository", expected: "the URL of a repository, with {url} for the site's"),
            let text = repository.text(fields.label("repository"), problems)
        else { return nil }
        ProgramReader.checkPlaceholders(
            repository, fields.label("repository"), known: ["url", "url_host"], problems)
        if let scheme = text.firstRange(of: "://") {
            let authority = text[scheme.upperBound...].prefix { $0 != "/" }
            if let at = authority.lastIndex(of: "@"), text.hasPrefix("http") || authority[..<at].contains(":") {
                problems.error(
                    "\(fields.label("repository")) holds a user or a password (its text is not shown)",
                    at: repository.position,
                    expected: "a URL without them; Git's credential helper knows them")
            }
        }
        return Canary(repository: text)
    }
}

/// The number at the top of every file.
enum Schema {
    /// Reports a number of another time, or none. When it is another, nothing below is worth reading.
    static func isReadable(_ root: YAMLValue, kind: String, known: Int, _ problems: Problems) -> Bool {
        guard case .mapping(let entries) = root.content else {
            problems.error(
                "the file is \(root.described)", at: root.position,
                expected: "a mapping with 'schema: \(known)' at its top")
            return false
        }
        guard let value = entries.first(where: { $0.key == "schema" })?.value else {
            problems.error(
                "the file does not say which schema it has", at: root.position, expected: kind,
                suggestion: "schema: \(known)")
            return true
        }
        if case .scalar(let text, isQuoted: false) = value.content, let number = Int(text) {
            if number == known { return true }
            problems.error(
                "schema \(number) is not known", at: value.position,
                expected: "schema \(known), the one that this tool reads")
            return false
        }
        problems.error(
            "'schema' is \(value.described)", at: value.position, expected: "the number \(known)",
            suggestion: "schema: \(known)")
        return true
    }
}

extension Fields {
    /// What the operators owe their users; a goal of no time at all is refused, one of no loss is usual.
    func objectives() -> Objectives {
        guard let value = entry("objectives")?.value,
            let fields = Fields(value, of: "'objectives'", keys: ["rto", "rpo"], problems: problems)
        else { return Objectives() }
        return Objectives(rtoSeconds: fields.duration("rto"), rpoSeconds: fields.duration("rpo", atLeast: 0))
    }
}
