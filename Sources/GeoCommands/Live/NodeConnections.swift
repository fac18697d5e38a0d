import FoundationEssentials
import GeoCore
import GeoRuntime
import SSHTransport

/// How nodes are reached: one libssh2 client per set of keys and known hosts, or the system's `ssh` where the
/// inventory says so.
final class NodeConnections: Sendable {
    private struct ClientKey: Hashable {
        var identity: Identity
        var knownHosts: String
        var connectTimeLimitSeconds: Int
        init(_ access: NodeAccess) {
            self.identity = access.identity
            self.knownHosts = access.knownHosts
            self.connectTimeLimitSeconds = access.connectTimeLimitSeconds
        }
    }

    private let clients: [ClientKey: SSHClient]
    private let inventory: Inventory
    /// Of the nodes that are reached by the system's `ssh`; `nil`: there are none.
    private let sockets: ControlSockets?
    let notes: [String]

    init(_ inventory: Inventory) throws {
        var clients: [ClientKey: SSHClient] = [:]
        var notes: [String] = []
        for access in inventory.nodes.map(\.access) where access.transport == .libssh2 {
            let key = ClientKey(access)
            guard clients[key] == nil else { continue }
            do throws(SSHError) {
                let client = try SSHClient(try Self.configuration(access))
                notes += client.notes
                clients[key] = client
            } catch {
                throw CommandFailure("\(error.detail)\(error.hint.isEmpty ? "" : "\n  \(error.hint)")", .badDocument)
            }
        }
        self.clients = clients
        self.notes = notes
        self.inventory = inventory
        self.sockets = inventory.nodes.contains { $0.access.transport == .openssh } ? ControlSockets() : nil
    }

    private static func configuration(_ access: NodeAccess) throws(SSHError) -> SSHConfiguration {
        var identities: [SSHIdentity] = []
        if let file = access.identity.file {
            identities.append(.file(file, passphrase: access.identity.passphrase.map(Secrets.reader)))
        }
        if access.identity.usesAgent {
            guard let socket = Settings.environment("SSH_AUTH_SOCK") else {
                throw SSHError(
                    code: .badIdentity, destination: access.address,
                    detail: "the inventory says `agent: true`, and no ssh-agent is running (SSH_AUTH_SOCK is not set)",
                    hint: "start one and add the key, or name a key file as `identity`")
            }
            identities.append(.agent(socketPath: socket))
        }
        return SSHConfiguration(
            identities: identities, knownHostsFiles: [access.knownHosts],
            connectTimeLimit: .seconds(access.connectTimeLimitSeconds))
    }

    private func destination(_ node: Node) -> SSHDestination {
        let jump = node.access.jump.map {
            SSHDestination(name: $0.address, host: $0.address, port: UInt16(clamping: $0.port), user: $0.user)
        }
        return SSHDestination(
            name: node.id.rawValue, host: node.access.address, port: UInt16(clamping: node.access.port),
            user: node.access.user, jump: jump)
    }

    /// Feeds a script to `sh -s` on the node, in one exec on the node's one connection.
    func exec(
        script: String, on node: Node, asRoot: Bool, timeLimitSeconds: Int, outputLimitBytes: Int
    ) async -> NodeVisit {
        let shell = SudoersDocument.executeCommand.joined(separator: " ")
        let line = asRoot && node.access.become == .sudo ? "sudo -n \(shell)" : shell
        let limit = Duration.seconds(timeLimitSeconds + node.access.connectTimeLimitSeconds)
        if let sockets, node.access.transport == .openssh {
            return await OpenSSH.exec(
                line, script: script, on: node, by: sockets, timeLimitSeconds: timeLimitSeconds,
                outputLimitBytes: outputLimitBytes)
        }
        guard let client = clients[ClientKey(node.access)] else {
            return .failed(NodeFailure(kind: .other, text: "\(node.id) is not of the inventory that was connected"))
        }
        let command = SSHCommand(
            line: line, standardInput: Array(script.utf8), timeLimit: limit, outputLimit: outputLimitBytes)
        do throws(SSHError) {
            let result = try await client.execute(command, on: destination(node))
            let elapsed = Int(result.elapsed / .milliseconds(1))
            if result.standardOutput.isEmpty, !result.standardError.isEmpty {
                // Nothing of the script ran: what the shell or sudo said is the reason.
                let text = Transcript.lines(result.standardError.suffix(2000), last: 3).joined(separator: "; ")
                return .failed(
                    NodeFailure(kind: .other, text: Self.complaint(text, node), hint: nil, contact: .answered))
            }
            return .answered(output: result.standardOutput, elapsedMilliseconds: elapsed)
        } catch {
            return .failed(Self.failure(error, node))
        }
    }

    /// A unix socket here that leads to a socket or address as the node sees it.
    func forward(_ target: SSHForwardTarget, from node: Node) async throws(NodeFailure) -> SSHForward {
        guard let client = clients[ClientKey(node.access)], node.access.transport == .libssh2 else {
            throw NodeFailure(
                kind: .other, text: "tunnels to databases need `transport: libssh2`, and \(node.id) has openssh")
        }
        do throws(SSHError) {
            return try await client.forward(target, from: destination(node), named: node.id.rawValue)
        } catch {
            throw Self.failure(error, node)
        }
    }

    private static func complaint(_ text: String, _ node: Node) -> String {
        if text.contains("a password is required") || text.contains("a terminal is required") {
            return
                "sudo asks \(node.access.user) for a password on \(node.id); allow it without (geo-failover needs `sudo -n`)"
        }
        return text
    }

    private static func failure(_ error: SSHError, _ node: Node) -> NodeFailure {
        let kind: NodeFailure.Kind =
            switch error.code {
            case .unreachable, .refused, .nameNotFound: .unreachable
            case .timedOut: .timedOut
            case .hostKeyUnknown, .hostKeyMismatch, .hostKeyRevoked: .hostKey
            case .authenticationRefused, .badIdentity: .authentication
            case .channelClosed: .lost
            case .noCommonAlgorithm, .tooManySessions, .channelRefused, .cancelled, .clientClosed, .protocolFailure,
                .localFailure:
                .other
            }
        return NodeFailure(
            kind: kind, text: error.detail, hint: error.hint.isEmpty ? nil : error.hint,
            mayHaveStarted: error.mayHaveStarted, contact: contact(error, node))
    }

    /// How far the connection to the node's own port came, as far as the error tells.
    private static func contact(_ error: SSHError, _ node: Node) -> Sight? {
        switch error.code {
        // Said of the machine that the error names, which may be a jump host.
        case .hostKeyUnknown, .hostKeyMismatch, .hostKeyRevoked, .authenticationRefused, .noCommonAlgorithm:
            error.destination == node.id.rawValue ? .answered : nil
        case .channelClosed, .tooManySessions, .channelRefused, .protocolFailure:
            node.access.jump.isEmpty ? .answered : nil
        case .refused: node.access.jump.isEmpty ? .refused : nil
        case .unreachable: node.access.jump.isEmpty ? .noRoute : nil
        case .nameNotFound: node.access.jump.isEmpty ? .unresolved : nil
        case .timedOut: node.access.jump.isEmpty ? error.phase.flatMap(contact) : nil
        case .badIdentity, .cancelled, .clientClosed, .localFailure: nil
        }
    }

    /// What a time limit that passed in that phase says of the network.
    private static func contact(_ phase: SSHError.Phase) -> Sight? {
        switch phase {
        case .connecting: .silent
        case .handshake, .authentication, .openingChannel, .command: .answered
        case .waitingForTurn, .resolving, .jumping: nil
        }
    }

    var statistics: [NodeID: (connections: Int, commands: Int)] {
        var found: [NodeID: (connections: Int, commands: Int)] = [:]
        for client in clients.values {
            for (destination, counts) in client.statistics {
                found[NodeID(destination.name)] = (counts.connectionsOpened, counts.commandsStarted)
            }
        }
        return found
    }

    func close() async {
        for client in clients.values { await client.close() }
        await sockets?.close()
    }
}
