/// Runs commands on nodes over SSH: one connection per destination, re-used, all on one thread.
///
/// Host keys are always compared with `known_hosts`; there is no way to switch that off. Whoever made a client closes
/// it.
package final class SSHClient: Sendable {
    private let pool: Pool
    private let ledger = Ledger()
    /// What was skipped while reading `known_hosts`, for the operator.
    package let notes: [String]

    /// Reads, decrypts and parses the keys and `known_hosts`, once.
    ///
    /// Blocks for that, about 0.1 s per encrypted key.
    ///
    /// Throws `badIdentity` for a key file that cannot be used.
    package init(_ configuration: SSHConfiguration) throws(SSHError) {
        let knownHosts = KnownHosts(files: configuration.knownHostsFiles)
        var credentials: [Credential] = []
        for identity in configuration.identities { credentials.append(try Credential(identity)) }
        notes = knownHosts.notes
        pool = Pool(configuration, knownHosts: knownHosts, credentials: credentials, ledger: ledger)
    }

    /// Runs one command; opens the destination's connection or re-uses it.
    ///
    /// Ends at the command's time limit or with the caller's task, whichever is first. A command that began on the node
    /// is not stopped by that: nothing in SSH can. So an error with `mayHaveStarted` means that the outcome is unknown.
    package func execute(
        _ command: SSHCommand, on destination: SSHDestination
    ) async throws(SSHError) -> SSHCommandResult {
        try await onLoop(destination, timeLimit: command.timeLimit) { pool, call throws(SSHError) in
            while true {
                let (connection, isFresh) = try await pool.connection(to: destination, for: call)
                defer { connection.detach(call) }
                do throws(SSHError) {
                    return try await connection.run(command, for: call) { [ledger = self.ledger] in
                        ledger.note(destination) { $0.commandsStarted += 1 }
                    }
                } catch {
                    // An old connection may have ended unnoticed; as long as nothing was asked of it, a new one may be
                    // tried.
                    guard error.code == .channelClosed, !isFresh, !call.mayHaveStarted else { throw error }
                    connection.retire()
                }
            }
        }
    }

    /// What was done so far, per destination (jump hosts included).
    package var statistics: [SSHDestination: SSHStatistics] { ledger.all }

    /// Ends all connections; calls under way end with `clientClosed`.
    ///
    /// The client takes no calls afterwards.
    package func close() async {
        await withTaskExecutorPreference(EventLoop.shared) { await Self.close(pool) }
    }

    @concurrent private static func close(_ pool: Pool) async { pool.close() }

    // MARK: Onto the loop

    typealias Work<Value> = @Sendable (_ pool: Pool, _ call: Call) async throws(SSHError) -> Value

    /// Runs work on the loop's thread, under one deadline and the caller's cancellation.
    func onLoop<Value: Sendable>(
        _ destination: SSHDestination, timeLimit: Duration, _ work: @escaping Work<Value>
    ) async throws(SSHError) -> Value {
        let call = Call(destination: destination.name, timeLimit: timeLimit)
        let pool = self.pool
        let result: Result<Value, SSHError> = await withTaskCancellationHandler {
            await withTaskExecutorPreference(EventLoop.shared) { await Self.perform(work, pool, call) }
        } onCancel: {
            call.cancel()
        }
        return try result.get()
    }

    @concurrent private static func perform<Value: Sendable>(
        _ work: Work<Value>, _ pool: Pool, _ call: Call
    ) async -> Result<Value, SSHError> {
        call.begin()
        pool.enter(call)
        defer {
            pool.leave(call)
            call.end()
        }
        do throws(SSHError) {
            return .success(try await work(pool, call))
        } catch {
            return .failure(error)
        }
    }
}

extension Credential {
    /// Reads a key file, or notes where an agent listens.
    ///
    /// Blocks.
    init(_ identity: SSHIdentity) throws(SSHError) {
        switch identity.source {
        case .agent(let socketPath): self = .agent(socketPath: socketPath)
        case .file(let path, let passphrase):
            func bad(_ detail: String, _ hint: String = "") -> SSHError {
                SSHError(code: .badIdentity, destination: path, detail: detail, hint: hint)
            }
            do {
                var content = try Files.read(path, limit: PrivateKeyFile.sizeLimit)
                defer { PrivateKeyFile.wipe(&content.bytes) }
                guard !content.isShared else {
                    throw bad("others may read the private key", "chmod 600, as ssh asks for too")
                }
                self = .key(try PrivateKeyFile.parse(content.bytes) { try passphrase?() }, path: path)
            } catch let error as SSHError {
                throw error
            } catch let failure as Files.Failure {
                switch failure {
                case .missing: throw bad("the private key does not exist")
                case .unreadable(let reason): throw bad("the private key cannot be read: \(reason)")
                }
            } catch let failure as PrivateKeyFile.Failure {
                switch failure {
                case .needsPassphrase:
                    throw bad("the private key is encrypted and no passphrase is given", "use ssh-agent, or give one")
                case .wrongPassphrase: throw bad("the passphrase of the private key is wrong")
                case .unsupported(let reason): throw bad("the private key cannot be used: \(reason)")
                case .malformed(let reason): throw bad("this is no private key that can be read: \(reason)")
                }
            } catch {
                // The passphrase closure's own error; its text might hold what nobody should read.
                throw bad("the passphrase could not be had (\(type(of: error)))")
            }
        }
    }
}
