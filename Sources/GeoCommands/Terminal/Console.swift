import GeoViews
import Glibc
import Synchronization

/// The one place that prints: results to standard output, everything else to standard error.
enum Console {
    static func result(_ text: String) { write(text.hasSuffix("\n") ? text : text + "\n", to: STDOUT_FILENO) }
    static func say(_ text: String) { write(text.hasSuffix("\n") ? text : text + "\n", to: STDERR_FILENO) }
    static func raw(_ text: String) { write(text, to: STDERR_FILENO) }

    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
    /// Whether somebody sees results as they come, so that they may be redrawn.
    static var isResultTerminal: Bool { isatty(STDOUT_FILENO) == 1 && Settings.environment("TERM") != "dumb" }
    /// Whether a question can be asked and answered.
    static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && isTerminal }

    static func style(forResult: Bool) -> Style {
        let descriptor = forResult ? STDOUT_FILENO : STDERR_FILENO
        let isColoured =
            isatty(descriptor) == 1 && Settings.environment("NO_COLOR") == nil
            && Settings.environment("TERM") != "dumb"
        return Style(isColoured: isColoured, width: min(width(of: descriptor) ?? 80, 120))
    }

    static var rows: Int { size(of: STDERR_FILENO).map { Int($0.ws_row) } ?? 24 }

    private static func width(of descriptor: Int32) -> Int? {
        size(of: descriptor).map { Int($0.ws_col) }.flatMap { $0 >= 40 ? $0 : nil }
    }

    private static func size(of descriptor: Int32) -> winsize? {
        var size = winsize()
        return unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0 ? size : nil
    }

    /// A closed pipe or terminal is no reason to stop a failover: what cannot be shown is lost, the journal is not.
    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes[done...].withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN {
                    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    if unsafe poll(&wanted, 1, 1000) > 0 { continue }
                }
                return
            }
            done += count
        }
    }
}
