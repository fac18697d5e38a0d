import FoundationEssentials
package import GeoCore
import GeoRuntime

/// Whether as many people approved a plan as its inventory asks for. Stands before the nodes are held.
package struct ApprovalGate: Sendable {
    let plan: PlanFile
    let signatures: Signatures
    let now: Timestamp

    package init(plan: PlanFile, signatures: Signatures, now: Timestamp) {
        self.plan = plan
        self.signatures = signatures
        self.now = now
    }

    /// The approvals that let the plan run, verified; empty where the inventory asks for none. Unless it `isStart`, a run
    /// that began while they held may go on after they ended. With `words`, those that were signed for exactly them.
    package func check(
        _ approvals: [Approval], isStart: Bool, words: String? = nil
    ) async throws -> [VerifiedApproval] {
        guard let rule = plan.plan.inventory.approvals else { return [] }
        if let reason = TrustedFile.whyNot(rule.allowedSigners) {
            throw refusal(
                ["whose approvals count cannot be trusted: \(reason)"],
                "  chown root \(rule.allowedSigners); chmod 644 \(rule.allowedSigners)  # and the folders above it")
        }
        var verified: [VerifiedApproval] = []
        var reasons: [String] = []
        for approval in approvals where approval.words == words {
            do {
                verified.append(try await signatures.verify(approval, allowedSigners: rule.allowedSigners))
            } catch let failure as CommandFailure {
                reasons.append(failure.message)
            }
        }
        let missing = rule.refusals(of: verified, plan: plan.digest, now: now, isStart: isStart)
        guard missing.isEmpty else {
            throw refusal(
                missing + reasons,
                """
                  another person, on another machine: geo-failover approve PLAN --as NAME --key FILE\(
                    words.map { " --words \(RemoteCommand.quoted($0))" } ?? "")
                  bring PLAN.approval-NAME back beside the plan, or give --approval FILE
                """, words)
        }
        return verified
    }

    private func refusal(_ reasons: [String], _ next: String, _ words: String? = nil) -> CommandFailure {
        CommandFailure(
            "\(words.map { "`\($0)`, for " } ?? "")plan \(plan.digest.short), is not approved, and nothing was changed\n"
                + reasons.map { "  - \($0)" }.joined(separator: "\n") + "\n" + next, .refused)
    }
}
