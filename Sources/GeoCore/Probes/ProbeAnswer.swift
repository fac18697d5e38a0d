/// What a visit printed, taken apart into frames. Only whole frames count: what was cut or garbled is missing.
package struct ProbeAnswer: Sendable, Hashable {
    package enum Part: Sendable, Hashable {
        case answered(ProbeFrame)
        /// The node said that the command's condition did not hold.
        case skipped
    }

    /// By command name.
    package let parts: [String: Part]
    /// The node's clock at the first and at the last line of the script; `nil`: missing, or not in milliseconds.
    package let began: Timestamp?
    package let ended: Timestamp?
    /// Whether the script ran to its end.
    package let isWhole: Bool
    /// Whether the node asked nothing, since its sudo did not come back.
    package let isSudoHung: Bool

    package init(output: [UInt8], script: ProbeScript) {
        let commands = Dictionary(script.commands.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var parts: [String: Part] = [:]
        var repeated: Set<String> = []
        var times: [String: Timestamp] = [:]
        var isWhole = false
        var isSudoHung = false
        var open: OpenFrame?

        func close(_ name: String, _ part: Part) {
            if parts.updateValue(part, forKey: name) != nil { repeated.insert(name) }
            open = nil
        }
        for line in Self.markers(in: output, boundary: script.boundary) {
            let name = line.words.count > 1 ? line.words[1] : ""
            switch (line.words.first, line.words.count) {
            case ("visit", 2), ("trailer", 2):
                times[line.words[0]] = Self.time(line.words[1])
                isWhole = isWhole || line.words[0] == "trailer"
            case ("hung", 1): isSudoHung = true
            case ("begin", 2): open = OpenFrame(name: name, outputStart: line.end)
            case ("said", 2) where open?.name == name && open?.said == nil: open?.said = line.start..<line.end
            case ("exit", 2) where open?.exit == nil && open?.said == nil:
                open?.exit = Int(name).map { (status: $0, line: line.start..<line.end) }
            case ("skip", 2) where commands[name] != nil && commands[name]?.condition != .always: close(name, .skipped)
            case ("end", 2):
                guard let command = commands[name], let frame = open, frame.name == name,
                    let made = frame.frame(in: output, until: line.start, command: command)
                else {
                    open = nil
                    continue
                }
                close(name, .answered(made))
            default: open = nil
            }
        }
        self.parts = parts.filter { !repeated.contains($0.key) }
        self.began = times["visit"]
        self.ended = times["trailer"]
        self.isWhole = isWhole
        self.isSudoHung = isSudoHung && parts.isEmpty && !isWhole
    }

    /// A line that starts with the boundary and a space, and ended: a cut one could read as something shorter.
    private struct Marker {
        var words: [String]
        /// Where the line begins, the newline before it included, since the script adds that one.
        var start: Int
        var end: Int
    }

    private static func markers(in output: [UInt8], boundary: String) -> [Marker] {
        let prefix = Array((boundary + " ").utf8)
        var markers: [Marker] = []
        var start = 0
        while start < output.count, let end = output[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = output[start..<end]
            if line.starts(with: prefix), let text = String(validating: line.dropFirst(prefix.count), as: UTF8.self) {
                let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
                markers.append(Marker(words: words, start: max(0, start - 1), end: end + 1))
            }
            start = end + 1
        }
        return markers
    }

    private struct OpenFrame {
        var name: String
        var outputStart: Int
        var exit: (status: Int, line: Range<Int>)?
        var said: Range<Int>?

        init(name: String, outputStart: Int) {
            self.name = name
            self.outputStart = outputStart
        }

        func frame(in output: [UInt8], until end: Int, command: ProbeCommand) -> ProbeFrame? {
            guard let said else { return nil }
            let outputEnd = exit?.line.lowerBound ?? said.lowerBound
            guard outputStart <= outputEnd + 1, said.upperBound <= end + 1 else { return nil }
            let printed = Array(output[outputStart..<max(outputStart, outputEnd)])
            // The exit line is whole and the last of the output, or the output is over its limit.
            let isCut = printed.count > command.outputLimitBytes
            guard isCut || exit?.line.upperBound == said.lowerBound else { return nil }
            return ProbeFrame(
                command: command, status: exit?.status ?? Self.brokenPipe, output: printed,
                complaint: Array(output[said.upperBound..<max(said.upperBound, end)]))
        }

        /// 128 + SIGPIPE: how a command ends that goes on after `head` has closed its output.
        private static let brokenPipe = 141
    }

    /// Reads `SECONDS.FRACTION` as `date +%s.%N` prints it.
    private static func time(_ word: String) -> Timestamp? {
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, (9...11).contains(parts[0].utf8.count), parts[1].utf8.count >= 3,
            word.utf8.allSatisfy({ $0 == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let seconds = Int64(parts[0]), let milliseconds = Int64(parts[1].prefix(3))
        else { return nil }
        return Timestamp(milliseconds: seconds * 1000 + milliseconds)
    }
}

/// The whole answer of one command.
package struct ProbeFrame: Sendable, Hashable {
    package var command: ProbeCommand
    package var status: Int
    package var output: [UInt8]
    /// What it printed to standard error, of much the end.
    package var complaint: [UInt8]

    package init(command: ProbeCommand, status: Int, output: [UInt8], complaint: [UInt8] = []) {
        self.command = command
        self.status = status
        self.output = output
        self.complaint = complaint
    }
}
