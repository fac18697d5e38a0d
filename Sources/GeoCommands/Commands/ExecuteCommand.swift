import ArgumentParser
import FoundationEssentials
import GeoCore
import GeoRuntime
import GeoViews

struct ApprovalOptions: ParsableArguments {
    @Option(help: "The plan's digest, at least its first 12 digits: answers the questions where no terminal is.")
    var approve: String?

    /// Whether `--approve` was given and names this plan; a wrong digest is refused.
    func isGiven(for digest: Digest) throws -> Bool {
        guard let approve else { return false }
        let digits = approve.hasPrefix("sha256:") ? String(approve.dropFirst("sha256:".count)) : approve
        guard digits.count >= 12, digest.text.dropFirst("sha256:".count).hasPrefix(digits.lowercased()) else {
            throw CommandFailure(
                "--approve \(approve) is not this plan: its digest is \(digest.short)... Nothing was done", .refused)
        }
        return true
    }
}

/// Taking the nodes from a run of another person or machine.
struct TakeoverOptions: ParsableArguments {
    @Option(help: "The run that holds the nodes and is over, by name; needs --reason.") var takeOver: String?
    @Option(help: "Why, or what was mended; kept in the journal and the report.") var reason: String?

    var takeover: Takeover? {
        guard let takeOver, let reason else { return nil }
        return Takeover(run: RunID(takeOver), reason: reason)
    }
}

/// `execute`: runs a plan.
struct ExecuteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "execute", abstract: "Runs a plan over SSH, step by step, each proved by looking.",
        discussion: """
            Ctrl-C once: nothing new is started, what is in flight is finished, then the run halts.
            Twice: nothing is waited for any more; commands on nodes go on, and `resume` finds them.
            Without a terminal --approve DIGEST is needed; nothing is ever assumed.
            Where the inventory asks for approvals, the files PLAN.approval-NAME beside the plan are read and verified.
            Exit code 0: done. 3: refused, nothing was changed. 4: halted. 5: declined. 6: another run is going on.
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var approval: ApprovalOptions
    @OptionGroup var format: OutputOptions
    @OptionGroup var takeover: TakeoverOptions
    @OptionGroup var guarding: GuardOptions
    @Option(name: .customLong("approval"), help: "An approval that does not lie beside the plan.") var approvals:
        [String] = []
    @Argument(help: "The plan file that `plan` wrote.") var plan: String

    func validate() throws {
        if (takeover.takeOver == nil) != (takeover.reason?.isEmpty != false) {
            throw ValidationError("--take-over RUN and --reason TEXT belong together")
        }
    }

    func run() async throws {
        try await reporting {
            guard let data = FileManager.default.contents(atPath: plan) else {
                throw CommandFailure("the plan \(plan) cannot be read", .badDocument)
            }
            let file = try PlanFile(reading: [UInt8](data))
            let broken = PlanInvariants.violations(of: file.plan)
            guard broken.isEmpty else {
                throw CommandFailure(
                    "the plan would break a promise, and is refused:\n"
                        + broken.map { "  - \($0)" }.joined(separator: "\n"),
                    .refused)
            }
            let isApproved = try approval.isGiven(for: file.digest)
            guard isApproved || Console.canAsk else {
                throw CommandFailure(
                    "nobody is there to be asked: give --approve \(file.digest.short) after reading the plan", .declined
                )
            }
            let name = "\(RunSession.stamp(LiveClock.now()))-\(file.plan.from)-to-\(file.plan.to)"
            let directory = RunDirectory(run: RunID(name), under: state.runsDirectory)
            var session = RunSession(
                directory: directory, file: file, isApproved: isApproved, output: format.output,
                takeover: takeover.takeover, guardSeconds: try guarding.seconds(),
                command: "geo-failover execute \(plan)")
            if file.plan.inventory.approvals != nil {
                session.approvals = try (approvals + ApprovalFile.beside(plan)).map(ApprovalFile.read)
            }
            return try await session.start()
        }
    }
}

/// `resume`: goes on with a run that halted, was interrupted, or was killed.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Goes on with a run that halted, was interrupted or was killed.",
        discussion: """
            Commands that were running are found on their nodes by key. A step whose outcome is not known is looked at
            first; it is run again only where that is known to be safe.
            A step that did something and failed is tried again only with --reason TEXT, which says what was mended; on a
            terminal it is asked for.
            --from-node goes on with a run of another machine, from the copy that a node of the site to promote keeps.
            --skip goes on without a step that failed or is in doubt, for a reason that the report keeps; never without
            a fence, a proof, a question or a promotion.
            --unplanned goes on after the primary died in the middle of a planned failover: what only it could do is left
            out, what is lost is told and acknowledged; needs --reason.
            --attest goes on without a node of a lost site that stopped answering in the middle of the run.
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var approval: ApprovalOptions
    @OptionGroup var format: OutputOptions
    @OptionGroup var inventory: InventoryOptions
    @OptionGroup var takeover: TakeoverOptions
    @OptionGroup var guarding: GuardOptions
    @Option(help: "A step that failed or is in doubt, to go on without; needs --reason.") var skip: String?
    @Option(
        help:
            "Vouch that a node of the lost site, which does not answer, can write nothing: NODE[,NODE]=WHAT WAS DONE TO IT."
    )
    var attest: [String] = []
    @Flag(help: "The primary died in the middle: give it up, and go on as an unplanned failover; needs --reason.")
    var unplanned = false
    @Option(
        help: "A node that has a copy of the run, where this machine has none; its inventory is needed to get there.")
    var fromNode: String?
    @Option(name: .customLong("approval"), help: "An approval that does not lie beside the run's plan.") var approvals:
        [String] = []
    @Argument(help: "The run. Default: the newest.") var run: String?

    func validate() throws {
        if skip != nil || takeover.takeOver != nil || unplanned || takeover.reason != nil,
            takeover.reason?.trimmingSpaces.isEmpty != false
        {
            throw ValidationError(
                "--skip STEP, --take-over RUN or --unplanned needs --reason TEXT: the report says who did it, and why")
        }
    }

    func run() async throws {
        try await reporting {
            let directory = try await runDirectory()
            let file = try directory.readPlan()
            try inventory.refuseOtherDeployment(file.plan, of: directory.run)
            let isApproved = try approval.isGiven(for: file.digest)
            var session = RunSession(
                directory: directory, file: file, isApproved: isApproved, output: format.output,
                takeover: takeover.takeover, guardSeconds: try guarding.seconds(),
                command: "geo-failover resume \(directory.run)")
            session.approvals = try approvals.map(ApprovalFile.read)
            return try await session.resume(
                skipping: skip.flatMap { step in takeover.reason.map { (StepID(step), $0) } }, attesting: attest,
                givingUp: unplanned ? takeover.reason : nil, because: takeover.reason)
        }
    }

    private func runDirectory() async throws -> RunDirectory {
        guard let fromNode else { return try state.run(run) }
        let inventory = try inventory.load()
        guard let node = inventory.node(NodeID(fromNode)) else {
            throw CommandFailure("\(inventory.source.path) has no node \(fromNode)", .badDocument)
        }
        return try await Live.with(inventory) { live in
            try await CopiedRunImport(node: node, live: live, state: state).fetch(run.map { RunID($0) })
        }
    }
}
