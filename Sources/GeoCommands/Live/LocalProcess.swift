import GeoCore
import GeoRuntime
import Subprocess

/// Programs on the operator's machine, with a time limit that ends them and all they started.
enum LocalProcess {
    static let outputLimitBytes = 4 << 20

    struct TimedOut: Error {}

    static let programs = LocalPrograms { arguments, environment, limit in
        do {
            let (status, output) = try await within(limit) {
                let result = try await Subprocess.run(
                    // `env` finds programs by name and by path alike, and says which one it could not start.
                    .name("env"), arguments: Arguments(arguments),
                    environment: .inherit.updating(
                        Dictionary(uniqueKeysWithValues: environment.map { (.init(stringLiteral: $0), $1) })),
                    platformOptions: options, output: .bytes(limit: outputLimitBytes), error: .combinedWithOutput)
                return (code(result.terminationStatus), result.standardOutput)
            }
            return .init(status: status, output: output, isTimedOut: false)
        } catch is TimedOut {
            return .init(status: nil, output: [], isTimedOut: true)
        }
    }

    static func code(_ status: TerminationStatus) -> Int? {
        if case .exited(let code) = status { Int(code) } else { nil }
    }

    /// A session of its own: the terminal's Ctrl-C is for this tool to judge, not for the program.
    static var options: PlatformOptions {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .seconds(5))
        ]
        return options
    }

    /// Cancels the body when the time is over; the library's teardown then ends the processes.
    static func within<Value: Sendable>(
        _ seconds: Int, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                throw TimedOut()
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw TimedOut() }
            return value
        }
    }
}
