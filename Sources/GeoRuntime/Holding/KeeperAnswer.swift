package import GeoCore

/// What a node answered to a ``KeeperScript``.
package enum KeeperAnswer: Sendable, Hashable {
    /// The lease as it is now, under the newest epoch that the node has seen; `nil`: nobody holds the node.
    case taken(Lease?, epoch: Int)
    /// Another run, person or machine holds it.
    case held(Lease?, epoch: Int)
    /// The node has seen a later epoch.
    case newer(Lease?, epoch: Int)
    /// It is not ours any more.
    case lost(Lease?, epoch: Int)
    case released
    case shown(Lease?, epoch: Int)
    /// How long the copy is now.
    case wrote(bytes: Int)
    case content(bytes: [UInt8], size: Int)
    case absent
    /// Bytes of the journal by run.
    case runs([RunID: Int])
    case jobs([NodeJob])
    case setAside([SetAside])
    case removed
    /// How the job is after it was told to end.
    case cancelled(NodeJob.State)
    case refused(text: String)

    /// `nil` when the answer was cut off or is not ours: then nothing is known.
    package init?(_ bytes: [UInt8], boundary: String) {
        var rest = bytes[...]
        func words() -> [Substring]? {
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: rest[..<end], as: UTF8.self)
                rest = rest[(end + 1)...]
                if line.hasPrefix(boundary + " ") { return line.dropFirst(boundary.count + 1).split(separator: " ") }
            }
            return nil
        }
        guard let first = words(), let verb = first.first else { return nil }
        switch verb {
        case "refused":
            self = .refused(text: first.dropFirst().joined(separator: " "))
            return
        case "wrote":
            guard first.count == 2, let size = Int(first[1]) else { return nil }
            self = .wrote(bytes: size)
        case "content":
            guard first.count == 3, let count = Int(first[1]), let size = Int(first[2]), count >= 0, rest.count > count
            else { return nil }
            self = .content(bytes: Array(rest.prefix(count)), size: size)
            rest = rest.dropFirst(count)
        case "absent": self = .absent
        case "removed": self = .removed
        case "cancelled":
            guard first.count == 2, let state = NodeJob.State(first[1]) else { return nil }
            self = .cancelled(state)
        case "jobs":
            var jobs: [NodeJob] = []
            while true {
                guard let line = words() else { return nil }
                if line == ["end"] { break }
                guard let job = NodeJob(line) else { return nil }
                jobs.append(job)
            }
            self = .jobs(jobs)
            return
        case "set-aside":
            var found: [SetAside] = []
            while true {
                guard let line = words() else { return nil }
                if line == ["end"] { break }
                guard let one = SetAside(line) else { return nil }
                found.append(one)
            }
            self = .setAside(found)
            return
        case "end":
            self = .runs([:])
            return
        case "run":
            var (runs, line): ([RunID: Int], [Substring]) = ([:], first)
            while line.first != "end" {
                guard line.count == 3, line[0] == "run", let size = Int(line[2]), let next = words() else { return nil }
                runs[RunID(String(line[1]))] = size
                line = next
            }
            self = .runs(runs)
            return
        default:
            guard let answer = Self.state(String(verb), Array(first.dropFirst())) else { return nil }
            self = answer
        }
        guard words()?.first == "end" else { return nil }
    }

    private static func state(_ verb: String, _ words: [Substring]) -> KeeperAnswer? {
        guard words.count >= 3, let epoch = Int(words[0]), let now = Int(words[1]) else { return nil }
        let lease = Self.lease(words.dropFirst(2), now: now)
        switch verb {
        case "taken": return .taken(lease, epoch: epoch)
        case "held": return .held(lease, epoch: epoch)
        case "newer": return .newer(lease, epoch: epoch)
        case "lost": return .lost(lease, epoch: epoch)
        case "shown": return .shown(lease, epoch: epoch)
        case "released": return .released
        default: return nil
        }
    }

    private static func lease(_ words: ArraySlice<Substring>, now: Int) -> Lease? {
        let words = Array(words)
        if words == ["-"] { return nil }
        let holder = words.count == 4 ? words[2].split(separator: "@", maxSplits: 1) : []
        guard holder.count == 2, let epoch = Int(words[0]), let beat = Int(words[3]) else {
            // Somebody edited it. It still is somebody's, and only a person may set it aside.
            return Lease(
                run: "(unreadable lease file)", holder: Actor(user: "unknown", host: "unknown"), epoch: 0, ageSeconds: 0
            )
        }
        return Lease(
            run: RunID(String(words[1])), holder: Actor(user: String(holder[0]), host: String(holder[1])), epoch: epoch,
            ageSeconds: now - beat)
    }
}

extension NodeJob.State {
    init?(_ word: Substring) {
        let parts = word.split(separator: ":")
        switch (parts.first, parts.count) {
        case ("starting", 1): self = .starting
        case ("running", 1): self = .running
        case ("rebooted", 1): self = .rebooted
        case ("vanished", 1): self = .vanished
        case ("never-started", 1): self = .neverStarted
        case ("exited", 2):
            guard let status = Int(parts[1]) else { return nil }
            self = .exited(status: status)
        default: return nil
        }
    }
}

extension NodeJob {
    /// `job RUN KEY STATE AGE KIB COMMAND...`
    fileprivate init?(_ words: [Substring]) {
        guard words.count >= 6, words[0] == "job", let state = State(words[3]), let age = Int(words[4]),
            let size = Int(words[5])
        else { return nil }
        self.init(
            run: RunID(String(words[1])), key: String(words[2]), state: state, ageSeconds: age, kibibytes: size,
            command: words.dropFirst(6).joined(separator: " "))
    }
}

extension SetAside {
    /// `kept KIND AGE KIB NAME`, with `-` for what is not known.
    fileprivate init?(_ words: [Substring]) {
        guard words.count >= 5, words[0] == "kept", let kind = Kind(rawValue: String(words[1])) else { return nil }
        func number(_ word: Substring) -> Int?? { word == "-" ? .some(nil) : Int(word).map { .some($0) } }
        guard let age = number(words[2]), let size = number(words[3]) else { return nil }
        self.init(kind: kind, name: words.dropFirst(4).joined(separator: " "), kibibytes: size, ageSeconds: age)
    }
}
