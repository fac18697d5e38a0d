internal import Synchronization

/// What a client did for each destination; read from any thread.
final class Ledger: Sendable {
    private let entries = Mutex<[SSHDestination: SSHStatistics]>([:])

    var all: [SSHDestination: SSHStatistics] { entries.withLock { $0 } }

    func note(_ destination: SSHDestination, _ change: (inout SSHStatistics) -> Void) {
        entries.withLock { change(&$0[destination, default: SSHStatistics()]) }
    }
}
