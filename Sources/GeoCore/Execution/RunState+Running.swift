extension RunState {
    /// How far an attempt of a step has come.
    package struct Running: Sendable, Hashable {
        package var attempt: Int
        /// Index of the next command that has neither finished nor been skipped.
        package var command = 0
        /// The command at ``command`` was recorded as started: it may be running on the node.
        package var isCommandStarted = false
        package var lastTranscript: TranscriptSummary?
        /// The last command of the attempt that ran ended, and not with 0.
        package var hasLastFailed: Bool { lastStatus.map { $0 != 0 } ?? false }
        package var lastStatus: Int?
        /// Of the command that ran before the last one, where it did not end with 0: what that one was run to judge.
        package var failedBefore: Failed?
        /// An outcome after which no further command of the attempt makes sense.
        package var stopped: CommandOutcome?
        package var isAnswered = false
        package init(attempt: Int) { self.attempt = attempt }

        package struct Failed: Sendable, Hashable {
            package var status: Int
            package var transcript: TranscriptSummary?
        }
    }
}

extension RunState.Running {
    mutating func finish(
        _ index: Int, _ outcome: CommandOutcome, _ transcript: TranscriptSummary?, mustBeZero: Bool
    ) {
        if case .unreachable = outcome {
            // It may run still: it stays started, and the same key finds it.
            stopped = outcome
            return
        }
        command = index + 1
        isCommandStarted = false
        failedBefore = lastStatus.flatMap { $0 == 0 ? nil : Failed(status: $0, transcript: lastTranscript) }
        lastTranscript = transcript
        lastStatus = nil
        switch outcome {
        case .exited(let status, _):
            lastStatus = status
            if mustBeZero, status != 0 { stopped = outcome }
        case .timedOut, .refused, .lost, .unreachable: stopped = outcome
        }
    }

    /// The attempt as it goes on after a pause; `nil` when its command ended badly and another attempt is needed.
    var detached: RunState.Running? {
        switch stopped {
        case .exited, .timedOut, .refused, .lost: return nil
        case .unreachable, nil:
            var copy = self
            copy.stopped = nil
            return copy
        }
    }
}
