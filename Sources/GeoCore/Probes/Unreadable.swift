/// Why an answer gives no fact: one clause, fit to follow "not known: ".
package struct Unreadable: Error, Sendable, Hashable {
    package let reason: String
    package init(_ reason: String) { self.reason = reason }

    package static let cutOff = Unreadable("the answer was cut off")

    /// An answer that does not look as it should. Quotes its start, so that a person can judge.
    package static func unexpected(_ what: String, _ answer: some Sequence<UInt8>) -> Unreadable {
        let excerpt = Excerpt.of(answer)
        return Unreadable(excerpt.isEmpty ? "\(what): the answer is empty" : "\(what): \"\(excerpt)\"")
    }
}

/// Pieces of foreign bytes that can be shown: one line, printable, short.
package enum Excerpt {
    package static let limit = 120

    /// At most ``limit`` characters, runs of blanks as one space, what cannot be shown as `?`: control characters, and all
    /// but ASCII where the bytes are not UTF-8.
    package static func of(_ bytes: some Sequence<UInt8>) -> String {
        // Bounded before decoding: an answer may be half a megabyte.
        let start = Array(bytes.prefix(limit * 8))
        let isText = String(validating: start, as: UTF8.self) != nil
        var text = ""
        var count = 0
        var isBlank = true
        for scalar in String(decoding: start, as: UTF8.self).unicodeScalars {
            if count == limit { return text + "..." }
            let blank = scalar == " " || scalar == "\n" || scalar == "\t" || scalar == "\r"
            if blank && isBlank { continue }
            let shown = scalar == "\"" ? "'" : isPrintable(scalar) && (isText || scalar.isASCII) ? scalar : "?"
            text.unicodeScalars.append(blank ? " " : shown)
            count += 1
            isBlank = blank
        }
        return text.hasSuffix(" ") ? String(text.dropLast()) : text
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: scalar != "\u{FFFD}"
        }
    }
}

extension ProbeFrame {
    /// The answer as text, when the command ended in one of the `accepted` ways; otherwise why not, as an operator
    /// needs it: who refuses, what is missing, what took too long.
    package func text(accepting accepted: Set<Int> = [0]) throws(Unreadable) -> String {
        if let refusal { throw refusal }
        if status == 124 || status == 137 {
            throw Unreadable("\(shortName) did not answer within \(command.timeLimitSeconds) s")
        }
        if output.count > command.outputLimitBytes {
            throw Unreadable("\(shortName) answered with more than \(command.outputLimitBytes) bytes")
        }
        if status == 126 || status == 127 {
            throw Unreadable("\(command.arguments.first ?? "") cannot be run on the node")
        }
        guard accepted.contains(status) else { throw failure }
        guard let text = String(validating: output, as: UTF8.self), text.unicodeScalars.allSatisfy(Self.isText) else {
            throw .unexpected("\(shortName) did not answer with text", output)
        }
        return text
    }

    /// The command ended with a status that says nothing but failure.
    package var failure: Unreadable {
        let words = Excerpt.of(complaint).isEmpty ? output : complaint
        return .unexpected("\(shortName) exited with status \(status)", words)
    }

    /// `gitlab-ctl status`, for sentences.
    package var shortName: String {
        let program = command.arguments.first?.split(separator: "/").last.map(String.init) ?? ""
        guard program != "sh", program != "curl", program != "ruby", program != "cat" else { return command.name }
        let word = command.arguments.dropFirst().first { $0.first?.isLetter == true && $0.utf8.count < 30 }
        return word.map { "\(program) \($0)" } ?? program
    }

    /// sudo's texts; `nil` when sudo let the command through or was not asked.
    package var refusal: Unreadable? {
        guard command.privilege == .root else { return nil }
        let said = String(decoding: complaint, as: UTF8.self)
        for (text, reason) in Self.refusals where said.contains(text) { return Unreadable(reason) }
        return nil
    }

    private static let refusals = [
        ("sudo: a password is required", "sudo asks for a password: allow this account the probes with NOPASSWD"),
        ("sudo: a terminal is required", "sudo asks for a password: allow this account the probes with NOPASSWD"),
        ("sudo: sorry, you must have a tty", "sudo wants a terminal: turn requiretty off for this account"),
        ("is not in the sudoers file", "sudo does not know this account: add it to sudoers"),
        ("is not allowed to execute", "sudo does not allow this command: add it to the sudoers list"),
        ("may not run sudo", "sudo does not allow this account to run commands on this node"),
        ("sudo: not found", "sudo is not installed on the node"),
        ("sudo: command not found", "sudo is not installed on the node"),
    ]

    private static func isText(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= 0x20 && scalar.value != 0x7F || scalar == "\n" || scalar == "\t" || scalar == "\r"
    }
}

extension String {
    /// Lines without their ends; empty ones left out.
    package var nonemptyLines: [Substring] {
        split(whereSeparator: \.isNewline).filter { line in !line.allSatisfy(\.isWhitespace) }
    }
}
