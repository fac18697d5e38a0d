/// A ref as it was saved on the former primary.
package struct ArchivedRef: Sendable, Hashable {
    /// The repository's path below its storage.
    package var repository: String
    package var object: String
    package var name: String

    package init(repository: String, object: String, name: String) {
        self.repository = repository
        self.object = object
        self.name = name
    }

    /// `REPOSITORY<tab>OBJECT<tab>REF`; `nil` for anything else.
    package init?(_ line: Substring) {
        let words = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard words.count == 3, !words[0].isEmpty, words[2].hasPrefix("refs/"), (40...64).contains(words[1].utf8.count),
            words[1].utf8.allSatisfy({
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            })
        else { return nil }
        self.init(repository: String(words[0]), object: String(words[1]), name: String(words[2]))
    }
}

/// A ref that only the former primary has, or of which that cannot be told.
package struct DivergedRef: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        /// The new primary has the repository, and not what the ref names.
        case missing
        /// The new primary has no such repository.
        case noRepository
        case unknown(reason: String)
    }
    package var ref: ArchivedRef
    package var state: State
    package init(ref: ArchivedRef, state: State) {
        self.ref = ref
        self.state = state
    }
}
