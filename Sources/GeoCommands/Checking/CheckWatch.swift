import ArgumentParser
import GeoCore
import GeoRuntime
import GeoViews
import Synchronization

/// `check --watch`: looks until somebody ends it, and ends with the exit code of the last verdict.
struct CheckWatch {
    let look: CheckLook
    let live: Live
    let format: CheckOutputOptions

    /// Set by a signal, and what a signal ends: a look that hangs must not hold up whoever wants to leave.
    private final class Ending: Sendable {
        private struct State {
            var isOver = false
            var looking: Task<Observation, Never>?
        }
        private let state = Mutex(State())

        var isOver: Bool { state.withLock { $0.isOver } }

        func end() {
            state.withLock { state in
                state.isOver = true
                state.looking?.cancel()
            }
        }

        func begin(_ task: Task<Observation, Never>) {
            state.withLock { state in
                state.looking = task
                if state.isOver { task.cancel() }
            }
        }
    }

    func run() async throws -> ExitStatus {
        let ending = Ending()
        let signals = Signals(saying: nil) { ending.end() }
        defer { signals.stop() }
        var last: CheckLook.Result?
        while !ending.isOver {
            let task = Task { [look, live] in await look.observe(live) }
            ending.begin(task)
            let observation = await task.value
            // A look that was ended half way has not seen everything, and is no verdict.
            if ending.isOver { break }
            let result = try look.result(of: observation, live.clock)
            show(result, after: last)
            last = result
            let next = live.clock.now().adding(seconds: Double(format.every))
            while !ending.isOver, live.clock.now() < next { await live.clock.sleep(.milliseconds(200)) }
        }
        // Nothing was judged: that is not known, and not ready.
        return last?.status ?? .notReady
    }

    private func show(_ result: CheckLook.Result, after last: CheckLook.Result?) {
        if format.output == .json {
            CheckPresenter(format: format).show(result, since: nil)
        } else if Console.isResultTerminal {
            let screen = CheckScreen.screen(
                result.report, next: format.every, rows: Console.rows, style: Console.style(forResult: true))
            // To the upper left, and everything after it away: no flicker, and nothing is left of what stood there.
            Console.result("\u{1B}[H\u{1B}[J" + screen)
        } else {
            let changes = last.map { CheckPresenter.differences($0.saved, result.saved) } ?? []
            Console.result(CheckScreen.lines(result.report, changes: changes).joined(separator: "\n"))
        }
    }
}
