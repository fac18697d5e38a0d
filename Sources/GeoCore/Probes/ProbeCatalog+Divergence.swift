extension ProbeCatalog {
    /// Where histories part, and what was saved of them. `grep` reads many small files with one exact command line; a line
    /// comes with the path of its file.
    static func divergence(_ probe: Probe) -> [ProbeCommand] {
        let log = dataDirectory + "/pg_wal"
        switch probe {
        case .timelines:
            return [
                ProbeCommand(
                    "timeline-history", ["/bin/grep", "-rH", "--include=*.history", "-e", ".", log], as: .root,
                    outputLimitBytes: 256 << 10),
                ProbeCommand(
                    "wal-segments", ["/bin/ls", "-ln", "--time-style=+%s", log], as: .root, outputLimitBytes: 1 << 20),
            ]
        case .divergence:
            return [
                ProbeCommand(
                    "divergence",
                    ["/bin/grep", "-rH", "--include=STATE"] + leftAside + ["-e", ".", DivergenceArchive.base],
                    as: .root,
                    outputLimitBytes: 256 << 10)
            ]
        default: return []
        }
    }

    /// What an archive holds, where no STATE is.
    private static let leftAside = ["database", "repositories", "files", "copy-*"].map { "--exclude-dir=\($0)" }
}
