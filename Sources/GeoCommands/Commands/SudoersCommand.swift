import ArgumentParser
import GeoCore

/// `sudoers`: what the account needs to be allowed to look.
struct SudoersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sudoers", abstract: "Prints the sudoers lines that `check` and `plan` need, and nothing more.",
        discussion: "`execute` needs more: it runs its jobs by `sudo -n sh -s` (docs/OPERATING.md says why).")

    @Option(help: "The account on the nodes.") var user = "geo-ops"

    func run() async throws {
        try await reporting {
            Console.result(SudoersDocument.text(user: user, probes: Set(Probe.allCases)))
            return .done
        }
    }
}
