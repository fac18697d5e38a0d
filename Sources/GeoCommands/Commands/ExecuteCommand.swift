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

/// `execute`: runs a plan.
struct ExecuteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "execute", abstract: "Runs a plan over SSH, step by step, each proved by looking.",
        discussion: """
            Ctrl-C once: nothing new is started, what is in flight is finished, then the run halts.
            Twice: nothing is waited for any more; commands on nodes go on, and `resume` finds them.
            Without a terminal --approve DIGEST is needed; nothing is ever assumed.
            Exit code 0: done. 3: refused, nothing was changed. 4: halted. 5: declined. 6: another run is going on.
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var approval: ApprovalOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The plan file that `plan` wrote.") var plan: String

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
            let session = try RunSession(
                directory: directory, file: file, isApproved: isApproved, output: format.output)
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
            --skip goes on without a step that failed or is in doubt, for a reason that the report keeps; never without
            a fence, a proof, a question or a promotion.
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var approval: ApprovalOptions
    @OptionGroup var format: OutputOptions
    @Option(help: "A step that failed or is in doubt, to go on without.") var skip: String?
    @Option(help: "Why the step may be missing; with --skip.") var reason: String?
    @Argument(help: "The run. Default: the newest.") var run: String?

    func validate() throws {
        if (skip == nil) != (reason?.isEmpty != false) {
            throw ValidationError(
                "--skip STEP and --reason TEXT belong together: the report says who skipped what, and why")
        }
    }

    func run() async throws {
        try await reporting {
            let directory = try state.run(run)
            let file = try directory.readPlan()
            let isApproved = try approval.isGiven(for: file.digest)
            let session = try RunSession(
                directory: directory, file: file, isApproved: isApproved, output: format.output)
            return try await session.resume(skipping: skip.flatMap { step in reason.map { (StepID(step), $0) } })
        }
    }
}
