import FoundationEssentials
package import GeoCore
package import GeoRuntime
import Glibc

/// Signs and verifies with the operator's own `ssh-keygen`, each call with an end.
package struct Signatures: Sendable {
    private let programs: LocalPrograms
    /// An agent that asks, or a token that has to be touched, takes a person's time.
    private static let signSeconds = 120
    private static let verifySeconds = 30

    package init(programs: LocalPrograms) { self.programs = programs }

    /// The signature in its armour. `key` is a public key whose private half the agent holds, or a private one without a
    /// passphrase: no program of this port has a terminal to ask on.
    package func sign(_ statement: String, key: String) async throws -> String {
        try await inFolder { folder in
            let message = folder + "/statement"
            try Self.write(statement, to: message)
            let result = try await run(
                ["ssh-keygen", "-q", "-Y", "sign", "-n", Approval.namespace, "-f", key, message], Self.signSeconds)
            guard result.status == 0, let data = FileManager.default.contents(atPath: message + ".sig") else {
                throw CommandFailure("ssh-keygen did not sign with \(key): \(Self.said(result))", .refused)
            }
            return String(decoding: data, as: UTF8.self)
        }
    }

    /// With the fingerprint of the key that signed, one of the principal's in the allowed signers file.
    package func verify(_ approval: Approval, allowedSigners: String) async throws -> VerifiedApproval {
        guard Approval.isPrincipal(approval.by) else {
            throw CommandFailure("an approval names its signer in other than letters, digits and @._+-", .refused)
        }
        return try await inFolder { folder in
            let (message, signature) = (folder + "/statement", folder + "/signature")
            try Self.write(approval.statement, to: message)
            try Self.write(approval.signature, to: signature)
            // It reads the message from standard input, which a port for programs has none of.
            let result = try await run(
                [
                    "sh", "-c", "exec ssh-keygen -Y verify -f \"$1\" -I \"$2\" -n \"$3\" -s \"$4\" <\"$5\"",
                    "geo-failover-verify", allowedSigners, approval.by, Approval.namespace, signature, message,
                ], Self.verifySeconds)
            let words = String(decoding: result.output, as: UTF8.self).split { $0 == " " || $0.isNewline }
            guard result.status == 0, let key = words.last(where: { $0.hasPrefix("SHA256:") }) else {
                throw CommandFailure(
                    "the approval of \(approval.by) is not signed for this plan with a key that \(allowedSigners) has for"
                        + " \(approval.by): \(Self.said(result))", .refused)
            }
            return VerifiedApproval(approval: approval, key: String(key))
        }
    }

    private func run(_ arguments: [String], _ limit: Int) async throws -> LocalPrograms.Result {
        let result = try await programs.run(arguments, ["LC_ALL": "C"], limit)
        // `env` and `sh` say so with 127.
        guard result.status != 127 else {
            throw CommandFailure("ssh-keygen is not there: install openssh-client", .refused)
        }
        guard !result.isTimedOut else {
            throw CommandFailure("ssh-keygen did not end within \(limit) s", .refused)
        }
        return result
    }

    private static func said(_ result: LocalPrograms.Result) -> String {
        Transcript.lines(result.output.suffix(2000), last: 1).last ?? "it said nothing"
    }

    private static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
    }

    /// A folder that only this user can read, gone afterwards.
    private func inFolder<Value: Sendable>(_ body: (_ folder: String) async throws -> Value) async throws -> Value {
        var template = Array("/tmp/geo-failover-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw CommandFailure("no folder can be made in /tmp (error \(errno))", .unexpected)
        }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let value: Value
        do {
            value = try await body(folder)
        } catch {
            try FileManager.default.removeItem(atPath: folder)
            throw error
        }
        try FileManager.default.removeItem(atPath: folder)
        return value
    }
}

/// Whether a file says what its owner, or root, wrote into it.
package enum TrustedFile {
    /// Why not; `nil` when nobody but root and this user can change it.
    ///
    /// As sshd asks it of its own files: owner and mode of the file, and of every folder above it, links followed.
    package static func whyNot(_ path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return "\(path) is not there, or cannot be read" }
        defer { unsafe free(resolved) }
        var place = unsafe String(cString: resolved)
        var isFile = true
        while true {
            var status = stat()
            guard unsafe stat(place, &status) == 0 else { return "\(place) cannot be looked at" }
            if status.st_uid != 0, status.st_uid != geteuid() {
                return "\(place) belongs to another user than you and root"
            }
            let isShared = !isFile && status.st_mode & 0o1000 != 0
            if status.st_mode & 0o022 != 0, !isShared {
                return "\(place) can be written to by others (mode \(String(status.st_mode & 0o7777, radix: 8)))"
            }
            guard place != "/" else { return nil }
            place = place.split(separator: "/").dropLast().map { "/" + $0 }.joined()
            if place.isEmpty { place = "/" }
            isFile = false
        }
    }
}
