import GeoCore

extension EffectPerformer {
    /// How long a node may be out of reach, beyond the command's own limit, before its outcome counts as not known.
    private static let patienceSeconds = 90.0

    /// Starts the command on its node, or finds it there under its key, and follows it to its end.
    func run(_ stepID: StepID, _ attempt: Int, _ index: Int, _ key: String) async -> EffectResult {
        guard case .commands(let commands, let nodeID, let expected)? = plan.step(stepID)?.operation,
            let node = plan.inventory.node(nodeID)
        else { preconditionFailure("\(stepID) runs no commands") }
        var input: JobScript.Input?
        if commands[index].takesInput {
            do {
                input = try await self.input(of: commands[index])
            } catch {
                // Whether it was started before, and is to be found on its node, only a look can tell.
                return .entries([
                    .stepLeftInDoubt(
                        step: stepID, attempt: attempt,
                        reason:
                            "what \(commands[index].arguments.prefix(2).joined(separator: " ")) asks for cannot be read:"
                            + " \(error); nothing was sent to \(nodeID)")
                ])
            }
        }
        let script: JobScript
        do {
            script = JobScript(
                key: key, run: journal.run, epoch: state.epoch, command: commands[index], node: nodeID,
                expected: expected, marks: plan.marks(of: nodeID), input: input,
                receipt: try await journal.receipt(forCommand: key))
        } catch {
            return .failed(error)
        }
        // From a copy without this record nobody could go on: what it changes looks like drift. All other commands are
        // found under their keys.
        if plan.step(stepID)?.isIrreversible == true { await ports.copyRecords() }
        let looker = plan.step(stepID)?.action == .replicateDatabase ? lookAtCopy(stepID, to: node) : nil
        let (outcome, output) = await follow(script, stepID, node)
        looker?.cancel()
        guard let outcome else { return .advance }
        do {
            let clean = Redactor.redact(output, hiding: input?.secret)
            let path = try ports.keepTranscript(key, clean)
            let reference = TranscriptReference(
                path: path, digest: Digest(of: clean), bytes: clean.count, summary: Transcript.summary(clean))
            return .entries([
                .commandFinished(step: stepID, attempt: attempt, index: index, outcome: outcome, transcript: reference)
            ])
        } catch {
            return .failed(error)
        }
    }

    /// Tells how far the copy of a database has come, by the server that sends it. Only its own words can say so: the command
    /// is quiet until it ends. What cannot be seen is not told, and hinders nothing.
    private func lookAtCopy(_ stepID: StepID, to node: Node) -> Task<Void, Never>? {
        guard ports.looksAtProgress, let source = plan.inventory.site(plan.from) else { return nil }
        return Task {
            var scope = ObservationScope()
            scope.ask([.baseBackups], of: source.databaseNodes)
            var progress = CopyProgress(of: node)
            while !Task.isCancelled {
                await ports.clock.sleep(.seconds(5))
                guard !Task.isCancelled else { return }
                let now = await ports.observe(scope)
                let copies = source.databaseNodes.map { now[$0.id].baseBackups.value }
                if let measure = progress.measure(copies) { ports.announce(.progress(step: stepID, measure: measure)) }
            }
        }
    }

    private func input(of command: RemoteCommand) async throws -> JobScript.Input? {
        if let answers = command.answers { return .answers(Array(answers.joined(separator: "\n").utf8)) }
        if let file = command.inputConfiguration { return .file(try configuration(file)) }
        guard let file = command.inputFile else { return try command.input.map { .line(try line(of: $0)) } }
        let read = await ports.nodeFile(file)
        switch read {
        case .success(let bytes): return .file(bytes)
        case .failure(let reason): throw reason
        }
    }

    /// What the plan was made with, and nothing that was written since.
    private func configuration(_ file: ConfigurationFile) throws -> [UInt8] {
        let text = try ConfigurationFile.text(of: ports.secret(file.content)).get()
        guard Digest(of: text) == file.digest else {
            throw Unreadable("\(file.content.shown) is not what it was when the plan was made")
        }
        return text
    }

    private func line(of reference: SecretReference) throws -> [UInt8] {
        let bytes = try ports.secret(reference)
        guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty,
            !text.contains(where: \.isNewline), !text.contains("\0")
        else { throw NoLine() }
        return bytes
    }

    /// - Returns: `nil` when nobody waits any longer.
    func follow(_ script: JobScript, _ step: StepID, _ node: Node) async -> (CommandOutcome?, [UInt8]) {
        var output: [UInt8] = []
        let began = ports.clock.uptime()
        // The node ends the command itself at its limit and kills it 30 s later. One that outlives that cannot be
        // killed (it waits for a dead disk), and is not waited for either: expiry means not known (promise 11).
        let longest = Double(script.command.timeLimitSeconds) + 30 + Self.patienceSeconds
        var lastAnswer = began
        var unanswered = 0
        var pause = Duration.milliseconds(100)
        while !Task.isCancelled {
            let boundary = ports.boundary()
            let visit = await ports.shell.exchange(script.bounded(by: boundary), output.count, node)
            if case .answered(let bytes, _) = visit,
                let answer = JobAnswer(bytes, boundary: boundary, offset: output.count)
            {
                lastAnswer = ports.clock.uptime()
                unanswered = 0
                pause = .milliseconds(100)
                output += answer.output
                let shown = Redactor.redact(Array(answer.output.suffix(4096)), hiding: script.input?.secret)
                if let line = Transcript.lines(shown, last: 1).last {
                    ports.announce(.output(step: step, line: line))
                }
                if answer.hasMore, answer.state.isOver { continue }
                if let outcome = outcome(answer.state, script.command) { return (outcome, output) }
                let waited = ports.clock.seconds(since: began)
                if waited > longest {
                    return (
                        .unreachable(
                            text: "the command on \(node.id) runs beyond its limit of"
                                + " \(script.command.timeLimitSeconds) s and cannot be ended; look at the node"), output
                    )
                }
                continue
            }
            let trouble = Self.trouble(visit)
            ports.announce(.unreachable(step: step, text: trouble))
            let silence = ports.clock.seconds(since: lastAnswer)
            unanswered += 1
            // A tool that was stopped for an hour finds its connections dead, and the node as well as ever.
            if silence > Self.patienceSeconds, unanswered >= 5 {
                return (.unreachable(text: "\(node.id) gave no answer for \(Int(silence)) s: \(trouble)"), output)
            }
            await ports.clock.sleep(pause)
            pause = min(pause * 2, .seconds(5))
        }
        return (nil, output)
    }

    private static func trouble(_ visit: NodeVisit) -> String {
        switch visit {
        case .answered(let output, _): Transcript.lines(output.suffix(400), last: 1).last ?? "its answer was cut off"
        case .failed(let failure): failure.text
        }
    }

    private func outcome(_ state: JobAnswer.State, _ command: RemoteCommand) -> CommandOutcome? {
        switch state {
        case .running: nil
        case .exited(let status, let milliseconds):
            // `timeout` exits 124, or 137 after its kill; a command that says so itself ends before the limit.
            (status == 124 || status == 137) && milliseconds >= command.timeLimitSeconds * 1000
                ? .timedOut(afterSeconds: command.timeLimitSeconds)
                : .exited(status: status, seconds: Double(milliseconds) / 1000)
        case .lost(let text): .lost(text: text)
        case .refused(let text): .refused(text: text)
        }
    }

    // MARK: On the operator's machine

    func runLocally(_ stepID: StepID, _ attempt: Int) async -> EffectResult {
        guard let step = plan.step(stepID) else { return .advance }
        let began = ports.clock.uptime()
        do {
            let result: LocalPrograms.Result
            switch step.operation {
            case .isolation(_, let programs): result = await isolate(step, programs)
            case .hook(_, let arguments, let limit):
                result = try await ports.programs.run(arguments, environment(step), limit)
            case .pushCanary(let repository, let limit):
                result = try await ports.programs.run(CanaryPush.arguments(repository), environment(step), limit)
            case .commands, .confirmation, .manual, .wait: return .advance
            }
            let clean = Redactor.redact(result.output)
            let key = ExecutionStateMachine.key(step: stepID, attempt: attempt, index: 0)
            let transcript = TranscriptReference(
                path: try ports.keepTranscript(key, clean), digest: Digest(of: clean), bytes: clean.count,
                summary: Transcript.summary(clean))
            let seconds = ports.clock.seconds(since: began)
            let outcome: CommandOutcome =
                result.isTimedOut
                ? .timedOut(afterSeconds: Int(seconds)) : .exited(status: result.status ?? -1, seconds: seconds)
            var entries: [JournalEntry] = [
                .commandFinished(step: stepID, attempt: attempt, index: 0, outcome: outcome, transcript: transcript)
            ]
            if result.status != 0 {
                let last = transcript.summary.lastLines.last.map { ": \($0)" } ?? ""
                entries.append(
                    .stepFailed(
                        step: stepID, attempt: attempt, reason: Timeline.text(outcome, transcript) + last, findings: [])
                )
            }
            return .entries(entries)
        } catch {
            return .entries([
                .stepFailed(
                    step: stepID, attempt: attempt, reason: "the program could not be run: \(error)", findings: [])
            ])
        }
    }

    /// The fences of a node, in order, until one is proved. What `run` says is kept and not believed.
    /// One that cannot be started is no reason not to try the next.
    private func isolate(_ step: Step, _ programs: [FenceProgram]) async -> LocalPrograms.Result {
        var output: [UInt8] = []
        var last = LocalPrograms.Result(status: 1, output: [], isTimedOut: false)
        for program in programs {
            output += Array("== \(program.name)\n".utf8)
            for arguments in [program.run, program.prove] {
                do {
                    last = try await ports.programs.run(arguments, environment(step), program.timeLimitSeconds)
                    let ending =
                        last.isTimedOut ? "no end in time" : "exit status \(last.status.map(String.init) ?? "?")"
                    output += last.output + Array("\n\(arguments[0]): \(ending)\n".utf8)
                } catch {
                    last = LocalPrograms.Result(status: nil, output: [], isTimedOut: false)
                    output += Array("\(arguments[0]) could not be run: \(error)\n".utf8)
                }
                if Task.isCancelled { break }
            }
            if last.status == 0, !last.isTimedOut { break }
        }
        last.output = output
        return last
    }

    private func environment(_ step: Step) -> [String: String] {
        [
            "GEO_FAILOVER_RUN": journal.run.rawValue, "GEO_FAILOVER_STEP": step.id.rawValue,
            "GEO_FAILOVER_FROM": plan.from.rawValue, "GEO_FAILOVER_TO": plan.to.rawValue,
            "GEO_FAILOVER_NODE": step.node?.rawValue ?? "", "GEO_FAILOVER_DRY_RUN": "0",
            "GEO_FAILOVER_TO_URL": plan.inventory.site(plan.to)?.url ?? "",
        ]
    }
}

extension JobAnswer.State {
    /// Nothing more will be written to the output.
    var isOver: Bool {
        switch self {
        case .running: false
        case .exited, .lost, .refused: true
        }
    }
}

/// An empty commit pushed with the operator's own git: proves login, transport, hooks and storage in one go.
enum CanaryPush {
    static func arguments(_ repository: String) -> [String] {
        [
            "sh", "-c",
            """
            set -e
            dir=$(mktemp -d)
            trap 'rm -rf "$dir"' EXIT
            git -c http.lowSpeedLimit=1 -c http.lowSpeedTime=30 clone --quiet --depth 1 "$1" "$dir/canary"
            cd "$dir/canary"
            git -c user.name=geo-failover -c user.email=geo-failover@localhost commit --quiet --allow-empty -m "Canary of run $GEO_FAILOVER_RUN"
            git push --quiet origin HEAD
            git rev-parse HEAD
            git ls-remote --exit-code origin HEAD
            """,
            "geo-failover-canary", repository,
        ]
    }
}
