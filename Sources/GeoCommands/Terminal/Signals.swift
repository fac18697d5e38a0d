import Dispatch
import Glibc

/// Turns SIGINT, SIGTERM and SIGHUP into calls, for as long as it lives. A second one is a second call.
final class Signals {
    private let sources: [any DispatchSourceSignal]

    /// `saying` is printed at an interrupt; `nil` for nothing.
    init(
        saying: String? = "interrupt: nothing new is started; once more to stop waiting",
        _ onSignal: @escaping @Sendable () async -> Void
    ) {
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            _ = signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if number == SIGINT, let saying { Console.say("\n" + saying) }
                Task { await onSignal() }
            }
            source.resume()
            return source
        }
    }

    func stop() {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM, SIGHUP] { _ = signal(number, SIG_DFL) }
    }
}
