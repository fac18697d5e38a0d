/// The answers of one `psql` that was fed ``DatabaseQueries/psqlInput(_:boundary:)``.
package enum PsqlAnswer {
    /// The JSON of one query.
    package static func json(of query: DatabaseQuery, in frame: ProbeFrame, boundary: String) throws(Unreadable)
        -> [UInt8]
    {
        if let refusal = frame.refusal { throw refusal }
        let marker = DatabaseQueries.marker(boundary)
        var answer: [Substring]?
        var isClosed = false
        // 2: the server cannot be reached, or went away in the middle (psql(1), exit status).
        if frame.status == 2 {
            throw .unexpected("PostgreSQL cannot be reached", unreachable(frame))
        }
        for line in try frame.text().split(separator: "\n", omittingEmptySubsequences: true) {
            guard line.hasPrefix(marker) else {
                if !isClosed { answer?.append(line) }
                continue
            }
            let words = line.dropFirst(marker.count).split(separator: " ", maxSplits: 1)
            switch (words.first, words.count) {
            case ("answer", 2) where words[1] == query.name: answer = []
            case ("failed", _) where answer != nil && !isClosed:
                throw .unexpected("PostgreSQL refused the question", (words.count > 1 ? words[1] : "").utf8)
            default: isClosed = answer != nil
            }
        }
        guard let answer, isClosed else { throw .cutOff }
        guard answer.count == 1 else { throw .unexpected("psql did not answer with one line", answer.joined().utf8) }
        return Array(answer[0].utf8)
    }

    /// The server's own words where it has any: a long socket path before them would leave no room for the reason.
    private static func unreachable(_ frame: ProbeFrame) -> [UInt8] {
        let said = frame.complaint.isEmpty ? frame.output : frame.complaint
        guard let reason = said.firstRange(of: Array("FATAL:".utf8)) else { return said }
        return Array(said[reason.lowerBound...])
    }
}
