package import ArgumentParser
import Glibc

/// The command line.
package struct GeoFailover: AsyncParsableCommand {
    package static let version = "0.1.0"

    package static let configuration = CommandConfiguration(
        commandName: "geo-failover",
        abstract: "Fails a multi-node GitLab Geo deployment over from one site to another, step by step, proved.",
        discussion: """
            check     is a failover possible now, what would be lost, what must be fixed
            plan      every step on every node, before anything is touched
            approve   signs a plan with your key, where two people have to
            execute   runs a plan over SSH, proves each step by looking, survives a crash
            resume    goes on with a run that halted or was killed
            pause     lets a run halt between two steps
            abort     gives a run up and puts the site back into service
            guard     fences nodes of a lost site that come back
            status    where a run is, what is safe, which command comes next
            report    what a run was: timeline, RTO and RPO reached
            jobs      lists, ends and removes what runs have left on the nodes
            divergence  what only a former primary has: what was saved of it, and how
            purge     lists what was set aside on the nodes, and removes former databases
            watch     looks again and again, and says when the primary is in trouble

            check, plan, status, report, watch, jobs list, purge list, divergence and the other nouns change no node.
            Exit codes: 0 done, 1 unexpected, 2 not ready, 3 refused, 4 halted, 5 declined,
            6 held by another, 64 usage, 65 bad inventory or runbook.
            """,
        version: version,
        subcommands: [
            CheckCommand.self, PlanCommand.self, ApproveCommand.self, ExecuteCommand.self, ResumeCommand.self,
            PauseCommand.self,
            AbortCommand.self, GuardCommand.self,
            StatusCommand.self, ReportCommand.self, JobsCommand.self, DivergenceCommand.self, PurgeCommand.self,
            WatchCommand.self,
            InventoryCommand.self,
            RunbookCommand.self,
            SudoersCommand.self,
        ])

    package init() {}

    /// Runs the program; does not return.
    package static func start() async {
        // Before the first word is said: whoever reads the output may go at any time, and a run goes on without them.
        _ = signal(SIGPIPE, SIG_IGN)
        await main()
    }
}
