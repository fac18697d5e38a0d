import GeoRuntime
import Glibc

/// The one place that asks.
enum Prompt {
    /// What was typed, without its line feed; `nil` when nobody is there, the input ends, or the task is cancelled.
    static func ask(_ question: OperatorPrompt.Question) async -> OperatorPrompt.Answer? {
        guard Console.canAsk else { return nil }
        Console.say("\n\(question.text)")
        Console.raw("> ")
        return await line().map { OperatorPrompt.Answer($0) }
    }

    /// Polls, so that a Ctrl-C can end the question; a read would hold a thread until somebody types.
    private static func line() async -> String? {
        var typed: [UInt8] = []
        while !Task.isCancelled, typed.count < 4096 {
            var wanted = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&wanted, 1, 0) > 0 else {
                await LiveClock.wall.sleep(.milliseconds(100))
                continue
            }
            var byte: UInt8 = 0
            guard unsafe read(STDIN_FILENO, &byte, 1) == 1 else { return nil }
            if byte == UInt8(ascii: "\n") {
                return String(decoding: typed, as: UTF8.self).trimmingSpaces
            }
            typed.append(byte)
        }
        return nil
    }
}

extension String {
    var trimmingSpaces: String {
        let rest = drop { $0 == " " || $0 == "\t" || $0 == "\r" }
        guard let last = rest.lastIndex(where: { $0 != " " && $0 != "\t" && $0 != "\r" }) else { return "" }
        return String(rest[...last])
    }
}
