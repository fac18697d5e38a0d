import GeoCore
import GeoTestSupport
import Testing

/// Saved output of `gitlab-ctl`, and what must not stay in it.
@Suite struct TranscriptTests {
    private static func summary(_ text: String) -> TranscriptSummary { Transcript.summary(Array(text.utf8)) }

    @Test(arguments: [
        (
            "\rRunning reconfigure to apply changes:\rRunning reconfigure to apply changes: \u{1B}[31mNOT OK\u{1B}[0m\n",
            true
        ),
        ("Infra Phase failed. 0 resources updated in 03 seconds\nYou successfully promoted the current node!\n", true),
        ("Chef Client failed. 1 resources updated\n", true),
        ("\rRunning reconfigure: \u{1B}[32mOK\u{1B}[0m\nInfra Phase complete, 4/491 resources updated\n", false),
        // A node with nothing to promote says so, and its NOT OK is normal.
        ("\rChecking: \u{1B}[31mNOT OK\u{1B}[0m\nNo actions are required to promote this node.\n", false),
        ("", false), ("NOT OKAY is a word\n", false),
    ])
    func onlyAFailureIsAFailure(text: String, saysNotOK: Bool) {
        #expect(Self.summary(text).saysNotOK == saysNotOK)
    }

    @Test func linesAreWhatATerminalWouldHaveLeft() {
        let text = "a\rb\r\nc\u{1B}[1;31md\u{1B}[0m\u{07}e\n\n  \n\tf\u{1B}Mg"
        #expect(Transcript.lines(Array(text.utf8)) == ["a", "b", "cde", "\tfg"])
        #expect(Transcript.lines(Array(text.utf8), last: 2) == ["cde", "\tfg"])
        #expect(Transcript.lines([] as [UInt8]) == [])
    }

    @Test func anyBytesGiveLinesWithoutControlCharacters() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0..<200, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            for line in Transcript.lines(bytes) {
                #expect(!line.utf8.contains { $0 < 0x20 && $0 != 9 || $0 == 0x7F }, "\(bytes)")
            }
        }
    }

    // MARK: Secrets

    @Test(arguments: [
        "password=hunter2", "PGPASSWORD=hunter2 psql", "\"password\":\"hunter2\"", "db_password: hunter2",
        "token: hunter2", "--password=hunter2", "--password hunter2", "secret_key_base: hunter2",
        "'password' => 'hunter2'", "password => hunter2", "password = hunter2", "postgres://gitlab:hunter2@db/x",
        "https://root:hunter2@host", "postgres://u:p@hunter2@db/x", "private_token=hunter2",
        "glpat-hunter2", "url=https://oauth2:glpat-hunter2@host", "api_key=hunter2", "PASSWORD=\"hunter2\"",
    ])
    func aSecretIsTakenOutAndTheRestStays(line: String) {
        let clean = String(decoding: Redactor.redact(Array("before\n\(line)\nafter\n".utf8)), as: UTF8.self)
        #expect(!clean.contains("hunter2"), "\(clean)")
        #expect(clean.contains(Redactor.mark))
        #expect(clean.hasPrefix("before\n") && clean.hasSuffix("\nafter\n"))
    }

    @Test func aPrivateKeyIsTakenOutWhole() {
        let text = "a\n-----BEGIN OPENSSH PRIVATE KEY-----\naGVsbG8=\nd29ybGQ=\n-----END OPENSSH PRIVATE KEY-----\nb\n"
        let clean = String(decoding: Redactor.redact(Array(text.utf8)), as: UTF8.self)
        #expect(!clean.contains("aGVsbG8") && !clean.contains("d29ybGQ"))
        #expect(clean.hasPrefix("a\n") && clean.hasSuffix("\nb\n"))
    }

    @Test(arguments: [
        "ok: run: puma: (pid 129) 0s", "no password was asked for", "https://host/path?x=1", "secrets differ",
        "gitlab-ctl set-replication-password", "Recipe: gitlab::gitlab-rails", "2026-11-21T03:00:00 * token bucket",
    ])
    func whatIsNoSecretStaysByteForByte(line: String) {
        #expect(Redactor.redact(Array(line.utf8)) == Array(line.utf8))
    }

    @Test func bytesThatAreNoTextStayAsTheyAre() {
        let bytes: [UInt8] = [0xFF, 0xFE, 10, 0, 0x80, 10, 10]
        #expect(Redactor.redact(bytes) == bytes)
    }

    @Test func aKnownSecretIsTakenOutWhereverItStands() {
        let text = "dsn host=a key:hunter2x and hunter2x\nhunter2x"
        let clean = String(decoding: Redactor.redact(Array(text.utf8), hiding: Array("hunter2x".utf8)), as: UTF8.self)
        #expect(!clean.contains("hunter2x") && clean.hasPrefix("dsn host=a"))
        #expect(Redactor.redact(Array("abc".utf8), hiding: []) == Array("abc".utf8))
    }
}
