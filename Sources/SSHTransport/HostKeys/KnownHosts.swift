/// The keys that hosts are known by: a reader of `known_hosts` files as sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT",
/// describes them.
///
/// Own code because libssh2's ignores `@revoked`, wildcards and all lines after the first broken one.
/// One deliberate difference to OpenSSH: an entry without a port stands for port 22
/// only.
struct KnownHosts: Sendable {
    enum Marker: Sendable { case none, revoked, authority }

    /// Who a line is about.
    enum Names: Sendable {
        /// Comma list of lower-case patterns, each perhaps negated.
        case patterns([String])
        case hashed(salt: [UInt8], digest: [UInt8])
    }

    struct Line: Sendable {
        var names: Names
        var key: HostKey
        /// "known_hosts:12", for sentences.
        var place: String
    }

    /// What the files say of one host.
    struct Entry: Sendable {
        var keys: [(key: HostKey, place: String)] = []
        var revoked: [(key: HostKey, place: String)] = []
        /// Lines that trust a certificate authority, which this library cannot use.
        var authorities: [String] = []
    }

    /// What to think of a key that a host offers.
    enum Judgement: Sendable {
        case trusted
        case unknown(Entry)
        case mismatch(known: HostKey, place: String)
        case revoked(place: String)
    }

    static let sizeLimit = 16 << 20

    private var plain: [String: [Line]] = [:]
    private var searched: [Line] = []
    private var revoked: [Line] = []
    private var authorities: [Line] = []
    /// What was skipped and why, for the operator; at most `noteLimit`.
    private(set) var notes: [String] = []
    private static let noteLimit = 50

    init() {}

    /// Reads files; blocks.
    ///
    /// A file that is missing or unreadable counts as empty and leaves a note.
    init(files: [String]) {
        for path in files {
            do throws(Files.Failure) {
                add(try Files.read(path, limit: Self.sizeLimit).bytes, file: path)
            } catch {
                switch error {
                case .missing: note("\(path) does not exist")
                case .unreadable(let reason): note("\(path) cannot be read: \(reason)")
                }
            }
        }
    }

    mutating func add(_ bytes: [UInt8], file: String) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            add(line: String(decoding: line, as: UTF8.self), place: "\(file):\(index + 1)")
        }
    }

    private mutating func note(_ text: String) {
        if notes.count < Self.noteLimit { notes.append(text) }
    }

    private mutating func add(line: String, place: String) {
        var fields = line.split(maxSplits: 5, omittingEmptySubsequences: true) { $0.isWhitespace }
        guard let start = fields.first, !start.hasPrefix("#") else { return }
        var marker = Marker.none
        if start.hasPrefix("@") {
            switch start {
            case "@revoked": marker = .revoked
            case "@cert-authority": marker = .authority
            default: return note("\(place): skipped, the marker \(start) is not known")
            }
            fields.removeFirst()
        }
        guard fields.count >= 3 else { return note("\(place): skipped, it lacks a name, a key type or a key") }
        guard let names = Self.names(fields[0]) else { return note("\(place): skipped, its hashed name is broken") }
        guard let blob = Base64.decode(fields[2].utf8), HostKey(blob: blob).type == fields[1] else {
            return note("\(place): skipped, its key is broken or not of the type it names")
        }
        let parsed = Line(names: names, key: HostKey(blob: blob), place: place)
        switch (marker, names) {
        case (.revoked, _): revoked.append(parsed)
        case (.authority, _): authorities.append(parsed)
        // Plain names are found at once; only wildcards, negations and hashes have to be tried one by one.
        case (.none, .patterns(let patterns)) where !patterns.contains(where: Self.isPattern):
            for name in patterns { plain[name, default: []].append(parsed) }
        case (.none, _): searched.append(parsed)
        }
    }

    private static func isPattern(_ name: String) -> Bool {
        name.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "!") }
    }

    private static func names(_ field: Substring) -> Names? {
        guard field.hasPrefix("|") else {
            return .patterns(field.lowercased().split(separator: ",").map(String.init))
        }
        let parts = field.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[1] == "1", let salt = Base64.decode(parts[2].utf8),
            let digest = Base64.decode(parts[3].utf8), digest.count == 20
        else { return nil }
        return .hashed(salt: salt, digest: digest)
    }

    /// What a host is called in `known_hosts`: the name alone for port 22, else "[name]:port".
    static func name(host: String, port: UInt16) -> String {
        port == 22 ? host.lowercased() : "[\(host.lowercased())]:\(port)"
    }

    func entry(host: String, port: UInt16) -> Entry {
        let name = Self.name(host: host, port: port)
        var entry = Entry()
        for line in (plain[name] ?? []) + searched.filter({ $0.names.match(name) }) {
            entry.keys.append((line.key, line.place))
        }
        entry.revoked = revoked.filter { $0.names.match(name) }.map { ($0.key, $0.place) }
        entry.authorities = authorities.filter { $0.names.match(name) }.map(\.place)
        return entry
    }
}

extension KnownHosts.Names {
    /// ssh's rule: one pattern matches, and no negated one does.
    func match(_ name: String) -> Bool {
        switch self {
        case .hashed(let salt, let digest): return Digest.hmacSHA1(key: salt, Array(name.utf8)) == digest
        case .patterns(let patterns):
            var isMatched = false
            for pattern in patterns {
                if pattern.hasPrefix("!") {
                    if Wildcard.match(Array(pattern.utf8.dropFirst()), Array(name.utf8)) { return false }
                } else if Wildcard.match(Array(pattern.utf8), Array(name.utf8)) {
                    isMatched = true
                }
            }
            return isMatched
        }
    }
}

/// `*` for any run of characters, `?` for one; nothing else is special.
enum Wildcard {
    /// Takes at most pattern times text steps.
    static func match(_ pattern: [UInt8], _ text: [UInt8]) -> Bool {
        var patternIndex = 0
        var textIndex = 0
        var star: (pattern: Int, text: Int)?
        while textIndex < text.count {
            if patternIndex < pattern.count, pattern[patternIndex] == UInt8(ascii: "*") {
                star = (patternIndex, textIndex)
                patternIndex += 1
            } else if patternIndex < pattern.count,
                pattern[patternIndex] == UInt8(ascii: "?") || pattern[patternIndex] == text[textIndex]
            {
                patternIndex += 1
                textIndex += 1
            } else if let last = star {
                // Let the last star take one character more.
                star = (last.pattern, last.text + 1)
                patternIndex = last.pattern + 1
                textIndex = last.text + 1
            } else {
                return false
            }
        }
        return pattern[patternIndex...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
