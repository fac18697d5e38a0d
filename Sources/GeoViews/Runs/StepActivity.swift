package import GeoCore

/// What the executor knows about a running step beyond the journal; lives only as long as the process.
package struct StepActivity: Sendable, Hashable {
    package var step: StepID
    package var node: NodeID?
    /// When this attempt began.
    package var since: Timestamp
    /// What the step's command printed last; `nil` before the first line.
    package var lastLine: String?
    package var lastOutputAt: Timestamp?
    /// How far it has come, where somebody tells.
    package var pace = Pace()

    package init(
        step: StepID, node: NodeID? = nil, since: Timestamp, lastLine: String? = nil, lastOutputAt: Timestamp? = nil
    ) {
        self.step = step
        self.node = node
        self.since = since
        self.lastLine = lastLine
        self.lastOutputAt = lastOutputAt
    }
}
