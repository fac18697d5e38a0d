package import GeoCore

/// Changes a node. Takes nothing but a ``JobScript``, which exists only for commands whose start is in the journal.
package struct NodeShell: Sendable {
    /// One exchange with the job on the node: makes sure that it was started (at most once per key, however often this
    /// is sent), waits a little for it to end, and answers its state and the next part of its output.
    package var exchange: @Sendable (_ script: JobScript, _ offset: Int, _ node: Node) async -> NodeVisit

    package init(exchange: @escaping @Sendable (_ script: JobScript, _ offset: Int, _ node: Node) async -> NodeVisit) {
        self.exchange = exchange
    }
}

/// Programs on the operator's machine: hooks, and git for the canary.
package struct LocalPrograms: Sendable {
    package struct Result: Sendable, Hashable {
        /// Exit status; `nil` when it was ended by a signal or by the time limit.
        package var status: Int?
        package var output: [UInt8]
        package var isTimedOut: Bool
        package init(status: Int?, output: [UInt8], isTimedOut: Bool) {
            self.status = status
            self.output = output
            self.isTimedOut = isTimedOut
        }
    }
    /// Runs an argument vector with nothing on stdin. Throws when it cannot be started.
    package var run:
        @Sendable (_ arguments: [String], _ environment: [String: String], _ timeLimitSeconds: Int) async throws ->
            Result
    package init(
        run:
            @escaping @Sendable (_ arguments: [String], _ environment: [String: String], _ timeLimitSeconds: Int)
            async throws -> Result
    ) {
        self.run = run
    }
}

/// The one place where the operator is asked.
package struct OperatorPrompt: Sendable {
    package struct Question: Sendable, Hashable {
        package var step: StepID
        package var text: String
        /// What must be typed; `nil`: anything, such as a return when a manual step is done.
        package var expected: String?
        /// Whether who approved the plan has read all of it; otherwise a person has to answer.
        package var isInThePlan = true
        package init(step: StepID, text: String, expected: String?) {
            self.step = step
            self.text = text
            self.expected = expected
        }
    }
    package struct Answer: Sendable, Hashable {
        package var text: String
        /// "typed", or the approval that stood for a person; the journal and the report say it.
        package var how: String
        package init(_ text: String, how: String = "typed") {
            self.text = text
            self.how = how
        }
    }
    /// `nil` when nobody is there to ask.
    package var ask: @Sendable (_ question: Question) async -> Answer?
    package init(ask: @escaping @Sendable (_ question: Question) async -> Answer?) { self.ask = ask }
}
