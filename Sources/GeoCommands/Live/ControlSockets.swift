import FoundationEssentials
import GeoCore
import GeoRuntime
import Glibc
import Synchronization

/// The sockets by which the system's `ssh` uses one connection per node for all commands of this process.
///
/// The first command of a node opens the connection and leaves it to a process of ssh's own in the background; the next
/// ones go through it. It ends when the tool does, by ``close()``; after a tool that was killed, ``idleLimitSeconds``
/// after the last command.
final class ControlSockets: Sendable {
    static let idleLimitSeconds = 30

    /// `nil`: no directory could be made, and every command opens a connection of its own.
    private let directory: String?
    private let used = Mutex<[NodeID: Node]>([:])

    init() {
        // Short: a socket's path has about a hundred bytes, and ssh adds 57. Whose it is can be seen, also of a tool that was
        // killed and left it.
        var template = Array("/tmp/geo-failover-\(getpid())-XXXXXX".utf8CString)
        directory = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, unsafe mkdtemp(base) != nil else { return nil }
            return unsafe String(cString: base)
        }
    }

    /// What `ssh` is told, for a command that may open the connection.
    func options(for node: Node) -> [String] {
        guard let directory else { return [] }
        used.withLock { $0[node.id] = node }
        return ["-o", "ControlMaster=auto", "-o", "ControlPersist=\(Self.idleLimitSeconds)"] + path(directory)
    }

    private func path(_ directory: String) -> [String] { ["-o", "ControlPath=\(directory)/%C"] }

    /// Ends the connections and removes the directory.
    func close() async {
        guard let directory else { return }
        await withTaskGroup(of: Void.self) { group in
            for node in used.withLock({ $0.values.sorted { $0.id < $1.id } }) {
                let arguments = ["-O", "exit"] + path(directory) + OpenSSH.arguments(node)
                group.addTask {
                    do {
                        _ = try await LocalProcess.programs.run(["ssh"] + arguments, [:], 5)
                    } catch {
                        Console.say(
                            "note: the connection of ssh to \(node.id) ends by itself in \(Self.idleLimitSeconds) s: \(error)"
                        )
                    }
                }
            }
        }
        do {
            try FileManager.default.removeItem(atPath: directory)
        } catch {
            Console.say("note: \(directory) could not be removed: \(error)")
        }
    }
}
