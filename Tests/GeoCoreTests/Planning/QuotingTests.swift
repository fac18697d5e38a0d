import Foundation
import GeoCore
import GeoTestSupport
import Testing

/// What is printed in a plan is what a shell runs.
@Suite struct QuotingTests {
    @Test func aRealShellReadsBackEveryArgumentUnchanged() throws {
        var random = SeededGenerator(seed: 11)
        let alphabet = Array("abz09 -_./:=,@+%'\"\\$`!*?[]{}()<>|&;#~^\n\t\u{7F}\u{1B}äé漢😀")
        var arguments = ["", "'", "''", "\\", "-n", "--", "a'b'c", "$(id)", "`id`", "a\nb", "~", "!x", "*", " ", "é"]
        for _ in 0..<300 {
            arguments.append(
                String(
                    (0..<Int.random(in: 0...12, using: &random)).map { _ in
                        alphabet.randomElement(using: &random) ?? "x"
                    }))
        }
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "printf '%s\\000' " + arguments.map(RemoteCommand.quoted).joined(separator: " ")]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = [UInt8](try output.fileHandleForReading.readToEnd() ?? Data())
        process.waitUntilExit()
        let words = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(words == arguments)
    }

    @Test func plainWordsStayPlainAndRootSaysSo() {
        let command = RemoteCommand(arguments: ["gitlab-ctl", "geo", "promote", "--force"], timeLimitSeconds: 1)
        #expect(command.shellText == "sudo -n gitlab-ctl geo promote --force")
        let plain = RemoteCommand(arguments: ["echo", "a b"], asRoot: false, timeLimitSeconds: 1)
        #expect(plain.shellText == "echo 'a b'")
    }

    @Test func aMessageCannotBreakOutOfItsRubyString() {
        let ruby = ActionCommands.Ruby.maintenanceOn(message: "it's \\' \n; system('x')")
        #expect(ruby.count { $0 == "'" } == 2)
        #expect(!ruby.contains("\\") && !ruby.contains("\n"))
    }

    @Test func valuesAreFilledInOnceAndNeverInEachOther() {
        #expect("{a}-{b}-{c}".replacingOccurrences(["{a}": "{b}", "{b}": "x"]) == "{b}-x-{c}")
        #expect("{{a}}".replacingOccurrences(["{a}": "x"]) == "{x}")
        #expect("".replacingOccurrences(["{a}": "x"]) == "")
        #expect("{".replacingOccurrences(["{a}": "x"]) == "{")
    }
}
