/// Readers of where histories part and of what was saved.
package enum DivergenceReadings {
    package static func timelines(
        history: ProbeFrame, segments: ProbeFrame
    ) throws(Unreadable) -> TimelineFacts {
        TimelineFacts(branches: try branches(history), segments: try self.segments(segments))
    }

    /// Lines `PATH/00000002.history:1<tab>0/3000148<tab>reason`; with status 1 there are none, as before any promotion.
    private static func branches(_ frame: ProbeFrame) throws(Unreadable) -> [TimelineFacts.Branch] {
        var found: [TimelineFacts.Branch] = []
        for line in try frame.text(accepting: [0, 1]).nonemptyLines {
            guard let (path, text) = split(line) else { throw .unexpected("a timeline's history", line.utf8) }
            if text.hasPrefix("#") { continue }
            let words = text.split(separator: "\t")
            let name = path.split(separator: "/").last?.dropLast(".history".count) ?? ""
            guard name.utf8.count == 8, let timeline = Int(name, radix: 16), words.count >= 2,
                let parent = Int(words[0]),
                let position = LogPosition(String(words[1])), parent > 0, timeline > parent
            else { throw .unexpected("a timeline's history", line.utf8) }
            found.append(TimelineFacts.Branch(timeline: timeline, parent: parent, leftAt: position))
        }
        return found
    }

    /// Long lines of `ls -ln --time-style=+%s`; other names than those of segments are left out.
    private static func segments(_ frame: ProbeFrame) throws(Unreadable) -> [TimelineFacts.Segment] {
        var found: [TimelineFacts.Segment] = []
        for line in try frame.text().nonemptyLines where !line.hasPrefix("total ") {
            let words = line.split(separator: " ", maxSplits: 6, omittingEmptySubsequences: true)
            guard words.count == 7, let seconds = Int64(words[5]), (0..<4_102_444_800).contains(seconds) else {
                throw .unexpected("ls -ln", line.utf8)
            }
            let name = Array(words[6].utf8)
            guard name.count == 24, words[0].hasPrefix("-"),
                let timeline = Int(String(decoding: name[0..<8], as: UTF8.self), radix: 16),
                let log = Int(String(decoding: name[8..<16], as: UTF8.self), radix: 16),
                let number = Int(String(decoding: name[16..<24], as: UTF8.self), radix: 16)
            else { continue }
            found.append(
                TimelineFacts.Segment(
                    timeline: timeline, log: log, number: number, changedAt: Timestamp(milliseconds: seconds * 1000)))
        }
        found.sort { ($0.log, $0.number, $0.timeline) < ($1.log, $1.number, $1.timeline) }
        let stride = (found.count + TimelineFacts.segmentsAtMost - 1) / TimelineFacts.segmentsAtMost
        return found.enumerated().filter { stride <= 1 || $0.offset % stride == 0 }.map(\.element)
    }

    /// The lines of every `STATE` file, in its order; status 2 where nothing was ever saved.
    package static func archives(_ frame: ProbeFrame) throws(Unreadable) -> [DivergenceArchive] {
        if frame.status == 2, frame.output.isEmpty, frame.complains(DivergenceArchive.base + ": No such file") {
            return []
        }
        var found: [DivergenceArchive] = []
        var lines: [String: [Substring]] = [:]
        for line in try frame.text(accepting: [0, 1]).nonemptyLines {
            guard let (path, text) = split(line) else { throw .unexpected("a STATE of a divergence", line.utf8) }
            let folders = path.split(separator: "/")
            guard folders.count >= 2, folders.last == "STATE" else { throw .unexpected("a path", path.utf8) }
            lines[String(folders[folders.count - 2]), default: []].append(text)
        }
        for (name, lines) in lines.sorted(by: { $0.key < $1.key }) { found.append(try archive(name, lines)) }
        return found
    }

    private static func archive(_ name: String, _ lines: [Substring]) throws(Unreadable) -> DivergenceArchive {
        var archive: DivergenceArchive?
        for line in lines {
            let words = line.split(separator: " ", maxSplits: 1)
            let value = words.count == 2 ? String(words[1]) : ""
            // Nothing comes after the line that makes it complete.
            guard archive?.completedAt == nil else { throw .unexpected("after the end of \(name)", line.utf8) }
            switch words[0] {
            case "divergence" where value == "1", "system", "timelines", "since", "manifest": break
            case "fork":
                guard let fork = LogPosition(value) else { throw .unexpected("the fork of \(name)", line.utf8) }
                archive = DivergenceArchive(name: name, fork: fork)
            case "part":
                let parts = value.split(separator: " ", maxSplits: 1)
                guard parts.count == 2 else { throw .unexpected("a part of \(name)", line.utf8) }
                archive?.parts.append(.init(name: String(parts[0]), content: Excerpt.of(parts[1].utf8)))
            case "left": archive?.leftOut.append(Excerpt.of(value.utf8))
            case "bytes": archive?.bytes = Int(value)
            case "complete":
                guard let seconds = Int64(value), (0..<4_102_444_800).contains(seconds), archive?.bytes != nil else {
                    throw .unexpected("the end of \(name)", line.utf8)
                }
                archive?.completedAt = Timestamp(milliseconds: seconds * 1000)
            default: throw .unexpected("a line of \(name)", line.utf8)
            }
        }
        guard let archive else { throw Unreadable("the STATE of \(name) names no fork") }
        return archive
    }

    /// `PATH:TEXT`, of a path without a colon.
    private static func split(_ line: Substring) -> (path: Substring, text: Substring)? {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        return (line[..<colon], line[line.index(after: colon)...])
    }
}

extension ProbeReader {
    func readDivergence(_ probe: Probe, into facts: inout NodeFacts) {
        switch probe {
        case .timelines:
            facts.timelines = fact { () throws(Unreadable) in
                try DivergenceReadings.timelines(history: frame("timeline-history"), segments: frame("wal-segments"))
            }
        case .divergence:
            facts.divergence = fact { () throws(Unreadable) in
                try DivergenceReadings.archives(frame("divergence"))
            }
        default: break
        }
    }
}
