/// Sizes and times of the files that configure a node, as ``ProbeCatalog/configurationTimes`` lists them: long lines of
/// `ls -lnt --time-style=+%s`, files by full name, then the directory's own after its heading.
struct InstallationTimes {
    struct File {
        var name: String
        var size: Int
        var at: Timestamp
    }

    /// By full name.
    private(set) var files: [String: Timestamp] = [:]
    /// The files of ``ProbeCatalog/attributeDirectory``, the newest first; empty also where it is not there.
    private(set) var directory: [File] = []
    private(set) var hasDirectory = false

    init(_ frame: ProbeFrame) throws(Unreadable) {
        // 2: one of the three is not there, which is an answer.
        let isMissing = frame.status == 2 && frame.complains("No such file or directory")
        for line in try frame.text(accepting: isMissing ? [0, 2] : [0]).nonemptyLines {
            if line.hasPrefix("total ") { continue }
            if line.hasSuffix(":"), line.hasPrefix("/") {
                hasDirectory = true
                continue
            }
            let words = line.split(separator: " ", maxSplits: 6, omittingEmptySubsequences: true)
            guard words.count == 7, let size = Int(words[4]), let seconds = Int64(words[5]),
                (0..<4_102_444_800).contains(seconds)
            else { throw .unexpected("ls -lnt", line.utf8) }
            let at = Timestamp(milliseconds: seconds * 1000)
            if hasDirectory {
                directory.append(File(name: String(words[6]), size: size, at: at))
            } else {
                files[String(words[6])] = at
            }
        }
        guard hasDirectory || isMissing && frame.complains(ProbeCatalog.attributeDirectory) else {
            throw .unexpected("ls -lnt", frame.output)
        }
    }
}
