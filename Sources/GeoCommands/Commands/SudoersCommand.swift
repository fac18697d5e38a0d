import ArgumentParser
import GeoCore

/// `sudoers`: what the account needs to be allowed to look, or to act.
struct SudoersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sudoers", abstract: "Prints the sudoers lines that looking needs, or acting, and nothing more.",
        discussion: """
            --for check (the default): exact commands for check and plan, none of which changes a node.
            --for execute: what execute, resume and abort need beside that list. It is a shell as root, and says so;
            docs/OPERATING.md says why, and how to keep it small.
            """)

    enum Purpose: String, ExpressibleByArgument, CaseIterable { case check, execute }

    @Option(help: "The account on the nodes.") var user = "geo-ops"
    @Option(name: .customLong("for"), help: "check or execute.") var purpose = Purpose.check

    func run() async throws {
        try await reporting {
            switch purpose {
            case .check: Console.result(SudoersDocument.text(user: user, probes: Set(Probe.allCases)))
            case .execute: Console.result(SudoersDocument.executeText(user: user))
            }
            return .done
        }
    }
}
