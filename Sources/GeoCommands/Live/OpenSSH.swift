import GeoCore
import GeoRuntime
import Subprocess

/// The same visit through the system's `ssh`, for nodes that libssh2 cannot talk to (`transport: openssh`): RSA-only
/// host keys, ETM-only MACs, AEAD-only ciphers, certificates. One connection per node (``ControlSockets``), a process per
/// command: about 80 times the cost of a connection.
enum OpenSSH {
    static func exec(
        _ line: String, script: String, on node: Node, by sockets: ControlSockets, timeLimitSeconds: Int,
        outputLimitBytes: Int
    ) async -> NodeVisit {
        let access = node.access
        let limit = timeLimitSeconds + access.connectTimeLimitSeconds
        let began = LiveClock.uptime()
        let arguments = sockets.options(for: node) + Self.arguments(node) + [line]
        do {
            let (status, output, complaint) = try await LocalProcess.within(limit) {
                let result = try await Subprocess.run(
                    .name("ssh"), arguments: Arguments(arguments), platformOptions: LocalProcess.options,
                    input: .string(script), output: .bytes(limit: outputLimitBytes), error: .bytes(limit: 64 << 10))
                return (LocalProcess.code(result.terminationStatus), result.standardOutput, result.standardError)
            }
            if output.isEmpty, status != 0 {
                return .failed(failure(status, Transcript.lines(complaint, last: 3).joined(separator: "; "), node))
            }
            return .answered(
                output: output, elapsedMilliseconds: Int(LiveClock.wall.seconds(since: began) * 1000))
        } catch is LocalProcess.TimedOut {
            return .failed(
                NodeFailure(kind: .timedOut, text: "ssh gave no answer within \(limit) s", mayHaveStarted: true))
        } catch {
            return .failed(NodeFailure(kind: .other, text: "ssh could not be run: \(error)", mayHaveStarted: true))
        }
    }

    /// 255 is ssh's own; everything else is the command's.
    private static func failure(_ status: Int?, _ text: String, _ node: Node) -> NodeFailure {
        guard status == 255 else { return NodeFailure(kind: .other, text: text, mayHaveStarted: true) }
        let kind: NodeFailure.Kind =
            if text.contains("Host key verification failed") || text.contains("host key") {
                .hostKey
            } else if text.contains("Permission denied") { .authentication } else if text.contains("timed out") {
                .timedOut
            } else { .unreachable }
        return NodeFailure(
            kind: kind, text: text, mayHaveStarted: kind == .unreachable,
            contact: node.access.jump.isEmpty ? contact(kind, text) : nil)
    }

    /// How far ssh came, by its own words; behind a jump host they may be about that one.
    private static func contact(_ kind: NodeFailure.Kind, _ text: String) -> Sight? {
        switch kind {
        case .hostKey, .authentication: .answered
        case .timedOut where text.contains("connect to host"): .silent
        case .unreachable where text.contains("Connection refused"): .refused
        case .unreachable where text.contains("No route to host") || text.contains("Network is unreachable"): .noRoute
        case .unreachable where text.contains("Could not resolve hostname"): .unresolved
        case .unreachable, .timedOut, .lost, .other: nil
        }
    }

    static func arguments(_ node: Node) -> [String] {
        let access = node.access
        var arguments = [
            "-T", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o",
            "UserKnownHostsFile=\(access.knownHosts)",
            "-o", "GlobalKnownHostsFile=/dev/null", "-o", "ConnectTimeout=\(access.connectTimeLimitSeconds)",
            "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3", "-o", "SendEnv=-*", "-p", String(access.port),
        ]
        if let file = access.identity.file {
            arguments += ["-i", file, "-o", "IdentitiesOnly=\(access.identity.usesAgent ? "no" : "yes")"]
        }
        if !access.jump.isEmpty {
            arguments += ["-J", access.jump.map { "\($0.user)@\($0.address):\($0.port)" }.joined(separator: ",")]
        }
        return arguments + ["\(access.user)@\(access.address)"]
    }
}
