/// How many people have to approve a plan before it runs, and whose keys count (docs/decisions/0017).
package struct ApprovalRule: Sendable, Hashable, Codable {
    /// Different people, by principal and by key.
    package var people: Int
    /// OpenSSH's file of principals and their keys (ssh-keygen(1), ALLOWED SIGNERS), on the machine that executes.
    package var allowedSigners: String

    package init(people: Int, allowedSigners: String) {
        self.people = people
        self.allowedSigners = allowedSigners
    }
}

/// One person's signed word that one plan may run, until a time.
package struct Approval: Sendable, Hashable, Codable {
    /// The namespace of the signatures: one that was given for anything else is none here.
    package static let namespace = "geo-failover"
    private static let type = "geo-failover.approval"

    package var plan: Digest
    /// The principal in the allowed signers file.
    package var by: String
    package var at: Timestamp
    package var until: Timestamp
    /// What `ssh-keygen -Y sign` made of ``statement``, in its armour.
    package var signature: String
    /// What the person agrees to beside the plan, in a run that goes on without what the plan promised; `nil`: the plan.
    package var words: String?

    package init(
        plan: Digest, by: String, at: Timestamp, until: Timestamp, signature: String, words: String? = nil
    ) {
        self.plan = plan
        self.by = by
        self.at = at
        self.until = until
        self.signature = signature
        self.words = words
    }

    /// What is signed: every byte follows from the fields.
    package static func statement(
        plan: Digest, by: String, at: Timestamp, until: Timestamp, words: String? = nil
    ) -> String {
        "geo-failover approval 1\nplan \(plan.text)\nby \(by)\nat \(at)\nuntil \(until)\n"
            + (words.map { "words \($0)\n" } ?? "")
    }

    package var statement: String { Self.statement(plan: plan, by: by, at: at, until: until, words: words) }

    /// What has to be signed when a run goes on without what its plan promised: one line, so that both people can give the
    /// same; `nil` when nothing is given up.
    package static func words(givingUp reason: String?, attesting: [String]) -> String? {
        let parts = (reason.map { ["unplanned: \($0)"] } ?? []) + attesting.map { "attest: \($0)" }
        return parts.isEmpty ? nil : oneLine(parts.joined(separator: "; "))
    }

    /// Single spaces, and nothing else between words.
    package static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// A name that is one word of an allowed signers file, no pattern, and part of a file's name.
    package static func isPrincipal(_ text: String) -> Bool {
        let bytes = text.utf8
        return (1...100).contains(bytes.count) && text.first != "-" && text.first != "."
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                    UInt8(ascii: "@"), UInt8(ascii: "+"):
                    true
                default: false
                }
            }
    }
}

/// An approval whose signature was verified with the key of an allowed signer.
package struct VerifiedApproval: Sendable, Hashable, Codable {
    package var approval: Approval
    /// `SHA256:...`, of the key that signed.
    package var key: String
    package init(approval: Approval, key: String) {
        self.approval = approval
        self.key = key
    }

    /// Who, what, with which key, when.
    package var sentence: String {
        "\(approval.by) approved plan \(approval.plan.short) at \(approval.at.toSeconds) UTC, until"
            + " \(approval.until.toSeconds), signed with \(key)"
            + (approval.words.map { ", for `\($0)`" } ?? "")
    }
}

extension ApprovalRule {
    /// Whether enough people approved this plan. `atStart`: whether they still do; a run that began in time may go on.
    ///
    /// - Returns: why not, each reason for itself; empty when it may run.
    package func refusals(
        of approvals: [VerifiedApproval], plan: Digest, now: Timestamp, isStart: Bool
    ) -> [String] {
        var reasons: [String] = []
        var counted: [VerifiedApproval] = []
        for one in approvals {
            let approval = one.approval
            if approval.plan != plan {
                reasons.append("\(approval.by) approved plan \(approval.plan.short), and this is \(plan.short)")
            } else if isStart, now > approval.until {
                reasons.append("the approval of \(approval.by) ended at \(approval.until.toSeconds) UTC")
            } else if isStart, approval.at > now.adding(seconds: 300) {
                reasons.append("the approval of \(approval.by) is of \(approval.at.toSeconds) UTC, which is to come")
            } else if let first = counted.first(where: { $0.approval.by == approval.by }) {
                if first != one { reasons.append("\(approval.by) approved twice, and is one person") }
            } else if let first = counted.first(where: { $0.key == one.key }) {
                reasons.append(
                    "\(first.approval.by) and \(approval.by) signed with one key, \(one.key): that is one person")
            } else {
                counted.append(one)
            }
        }
        guard counted.count < people else { return [] }
        let names = counted.isEmpty ? "nobody" : counted.map(\.approval.by).joined(separator: ", ")
        return ["\(people) people have to approve it, and \(names) did"] + reasons
    }
}
