/// What a JSON line is about. Closed: programs out there switch over it, so a spelling never changes.
package enum MessageType: String, Sendable, Hashable, CaseIterable {
    case finding, verdict, loss, difference
    case plan
    case planStep = "plan-step"
    case record, heartbeat
    case status
    case report
    case reportStep = "report-step"
    case drift
    case error
    case site, node
    case runbook, action, check
    case holder, job
    case archive, diverged
    case setAside = "set-aside"
    /// Of a watch.
    case look, change, candidate, next, unproven
}
