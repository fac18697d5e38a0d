import ArgumentParser
import FoundationEssentials
import GeoCore
import GeoRuntime
import GeoViews

/// `approve`: a second person's signed word for a plan. Opens no connection and touches nothing but its own file.
struct ApproveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Signs a plan with your own SSH key, so that it may run.",
        discussion: """
            For inventories with `approvals`. Prints the plan, asks for the name of the site that it changes, and signs the
            plan's digest (ssh-keygen -Y sign, namespace geo-failover). The signature is written to PLAN.approval-NAME; carry
            it to the machine that executes, beside the plan.
            Exit code 0: signed. 3: refused, or not signed. 5: declined. 65: no plan.
            """)

    @OptionGroup var approval: ApprovalOptions
    @Option(name: .customLong("as"), help: "Your name in the allowed signers file, such as anna@example.com.")
    var principal: String
    @Option(help: "Your public key, when your agent has the private half; or a private key without a passphrase.")
    var key: String
    @Option(name: .customLong("valid-for"), help: "Hours after which a run may not begin with it.") var hours = 12
    @Option(
        help: ArgumentHelp(
            "Sign that a run of the plan goes on without what it promised: the line that `resume` asks for.",
            discussion: "With resume --unplanned and --attest, which give up what both people approved."))
    var words: String?
    @Argument(help: "The plan file that `plan` wrote.") var plan: String

    func validate() throws {
        guard Approval.isPrincipal(principal) else {
            throw ValidationError("--as takes one name of letters, digits and @._+-, such as anna@example.com")
        }
        guard words.map({ !$0.isEmpty && $0 == Approval.oneLine($0) }) ?? true else {
            throw ValidationError("--words takes the one line that `resume` printed")
        }
        guard (1...168).contains(hours) else { throw ValidationError("--valid-for takes 1 to 168 hours") }
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
                    "the plan would break a promise, and is not signed:\n"
                        + broken.map { "  - \($0)" }.joined(separator: "\n"), .refused)
            }
            if file.plan.inventory.approvals == nil {
                Console.say("note: the inventory of this plan asks for no approvals; it runs without yours")
            }
            Console.result(
                PlanView.text(file.plan, digest: file.digest, path: plan, style: Console.style(forResult: true)))
            try await ask(file)
            let now = LiveClock.now()
            let until = now.adding(seconds: Double(hours) * 3600)
            let statement = Approval.statement(
                plan: file.digest, by: principal, at: now, until: until, words: words)
            let signature = try await Signatures(programs: LocalProcess.programs).sign(statement, key: key)
            let path = ApprovalFile.path(of: plan, by: principal, words: words)
            try ApprovalFile.write(
                Approval(
                    plan: file.digest, by: principal, at: now, until: until, signature: signature, words: words),
                to: path)
            Console.say(
                "\(principal) approved plan \(file.digest.short) until \(until.toSeconds) UTC: \(path)\n"
                    + "  carry it beside the plan on the machine that executes")
            return .done
        }
    }

    private func ask(_ file: PlanFile) async throws {
        if try approval.isGiven(for: file.digest) { return }
        guard Console.canAsk else {
            throw CommandFailure(
                "nobody is there to be asked: give --approve \(file.digest.short) after reading the plan", .declined)
        }
        let site = file.plan.to.rawValue
        let question = OperatorPrompt.Question(
            step: "approve",
            text: words.map {
                "A run of the plan above is to go on without what the plan promised: \($0)"
                    + "\nType \(site) to sign that as \(principal)."
            } ?? "You approve exactly the plan above. Type \(site) to sign it as \(principal).", expected: site)
        guard await Prompt.ask(question)?.text == site else {
            throw CommandFailure("declined; nothing was signed", .declined)
        }
    }
}
