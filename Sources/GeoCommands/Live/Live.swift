import GeoCore
import GeoRuntime
import Glibc
import HTTPTransport
import SSHTransport

/// Joins the ports to what is real: the only place that knows libssh2, libpq and libcurl are behind them.
final class Live: Sendable {
    let inventory: Inventory
    let clock = LiveClock.wall
    private let nodes: NodeConnections
    private let databases: DatabaseConnections
    private let stateDirectory: String
    private let pageLimitSeconds: Int

    /// Reads and parses the keys, once.
    init(_ inventory: Inventory, stateDirectory: String, pageLimitSeconds: Int) throws {
        self.inventory = inventory
        self.stateDirectory = stateDirectory
        self.pageLimitSeconds = pageLimitSeconds
        self.nodes = try NodeConnections(inventory)
        self.databases = DatabaseConnections(nodes: nodes)
        for note in nodes.notes { Console.say("note: \(note)") }
    }

    var observer: Observer {
        let nodes = nodes
        let inspector = NodeInspector { script, node in
            await nodes.exec(
                script: script.text, on: node, asRoot: false, timeLimitSeconds: script.timeLimitSeconds,
                outputLimitBytes: script.outputLimitBytes)
        }
        return Observer(
            inspector: inspector, web: Self.web(clock, pageLimitSeconds), databases: databases.reader,
            local: OperatorMachine.look(clock: clock, stateDirectory: stateDirectory), clock: clock,
            boundary: Self.boundary)
    }

    var shell: NodeShell {
        let nodes = nodes
        return NodeShell { script, offset, node in
            await nodes.exec(
                script: script.text(offset: offset), on: node, asRoot: script.command.asRoot,
                timeLimitSeconds: JobScript.waitSeconds + 15, outputLimitBytes: JobScript.chunkBytes + 64 << 10)
        }
    }

    var keeper: NodeKeeper {
        let nodes = nodes
        return NodeKeeper { script, node in
            await nodes.exec(
                script: script.text, on: node, asRoot: true, timeLimitSeconds: KeeperScript.timeLimitSeconds,
                outputLimitBytes: KeeperScript.chunkBytes + 64 << 10)
        }
    }

    /// Looks at what nodes were told to start, and tidies it away.
    var jobs: JobKeeper { JobKeeper(keeper: keeper, boundary: Live.boundary, holder: Settings.actor) }

    func observe(_ scope: ObservationScope, progress: Observer.Progress? = nil) async -> Observation {
        await observer.observe(scope, inventory: inventory, progress: progress)
    }

    /// On a terminal, one line that counts the nodes that answered.
    var progressLine: Observer.Progress? {
        guard Console.isTerminal else { return nil }
        let total = inventory.nodes.count
        let counter = Counter()
        return { node, facts in
            let count = await counter.next()
            let state = facts.connection.reason.map { _ in "did not answer" } ?? "answered"
            Console.raw("\r\u{1B}[K\(count) of \(total) nodes: \(node) \(state)")
            if count == total { Console.raw("\r\u{1B}[K") }
        }
    }

    private actor Counter {
        private var count = 0
        func next() -> Int {
            count += 1
            return count
        }
    }

    /// Lends the live parts to the body and closes every connection before it returns: a process that ends while the
    /// I/O thread is inside OpenSSL can crash on its way out.
    static func with<Value>(
        _ inventory: Inventory, stateDirectory: String = StateOptions.usual, pageLimitSeconds: Int = 10,
        _ body: (Live) async throws -> Value
    ) async throws -> Value {
        let live = try Live(inventory, stateDirectory: stateDirectory, pageLimitSeconds: pageLimitSeconds)
        do {
            let value = try await body(live)
            await live.nodes.close()
            return value
        } catch {
            await live.nodes.close()
            throw error
        }
    }

    var statistics: [NodeID: (connections: Int, commands: Int)] { nodes.statistics }

    /// Sixteen letters and digits from the system's generator: no output of a node can guess them.
    static let boundary: @Sendable () -> String = {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        var generator = SystemRandomNumberGenerator()
        return "geo-" + String((0..<16).map { _ in letters[Int(generator.next(upperBound: UInt(letters.count)))] })
    }

    private static func web(_ clock: WallClock, _ limitSeconds: Int) -> WebProbe {
        WebProbe { url in
            let request = HTTPRequest(url: url, timeLimit: .seconds(limitSeconds), bodyLimit: 64 << 10)
            do throws(HTTPError) {
                let response = try await HTTPClient.send(request)
                return .known(value: response.status, at: clock.now(), from: "operator")
            } catch {
                return .unknown(reason: error.detail)
            }
        }
    }
}

/// The operator's clock.
enum LiveClock {
    static func now() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Stands still while the machine sleeps, and is set by nobody.
    static func uptime() -> Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    static let wall = WallClock(
        now: { now() },
        uptime: { uptime() },
        sleep: { duration in
            do {
                try await Task.sleep(for: duration)
            } catch is CancellationError {
                // Documented: a cancelled task is not made to wait.
            } catch {
                preconditionFailure("Task.sleep throws nothing else: \(error)")
            }
        })
}
