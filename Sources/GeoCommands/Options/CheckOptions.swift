import ArgumentParser
import GeoCore

/// The forms in which `check` answers.
enum CheckOutput: String, ExpressibleByArgument, CaseIterable, Sendable { case text, json, markdown, junit, nagios }

/// How `check` looks and answers, beside what it looks at.
struct CheckOutputOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: "text, json (versioned lines), markdown (for a change request), junit (XML for CI), nagios (a plugin).")
    var output: CheckOutput = .text

    @Flag(name: .long, help: "Show passes and all evidence too.")
    var verbose = false

    @Flag(help: "List every project that would be lost, not only those pushed last.")
    var lossDetail = false

    @Flag(help: "Look again and again; redraws on a terminal, a line per look elsewhere. Ctrl-C ends.")
    var watch = false

    @Option(help: "With --watch: seconds between two looks, at least 5.")
    var every = 30

    @Option(help: "Write what was seen and found to this file, as versioned JSON.")
    var save: String?

    @Option(help: "Show what changed since a file that --save wrote, instead of all findings.")
    var diff: String?

    mutating func validate() throws {
        guard every >= 5 else { throw ValidationError("--every takes at least 5 seconds") }
        guard diff == nil || output == .text || output == .json else {
            throw ValidationError("--diff answers as text or json")
        }
        guard watch else { return }
        guard output == .text || output == .json else {
            throw ValidationError("--watch answers as text or json")
        }
        guard save == nil, diff == nil else {
            throw ValidationError("--watch cannot be combined with --save or --diff")
        }
    }
}

extension CheckProfile: ExpressibleByArgument {}
