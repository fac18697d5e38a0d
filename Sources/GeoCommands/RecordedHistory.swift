import FoundationEssentials
import GeoCore
import GeoRuntime

/// Reads the history of this machine's runs.
enum RecordedHistory {
    /// - Throws: when the folder of the runs cannot be listed. A run that cannot be read is said to be one.
    static func read(under runs: String) throws -> RunHistory {
        var history = RunHistory()
        guard FileManager.default.fileExists(atPath: runs) else { return history }
        for name in try FileManager.default.contentsOfDirectory(atPath: runs).sorted().reversed() {
            let directory = RunDirectory(run: RunID(name), under: runs)
            guard FileManager.default.fileExists(atPath: directory.journalPath) else { continue }
            do {
                history.add(directory.run, try RecordedRun(directory, isQuiet: true).state)
            } catch {
                history.add(unreadable: directory.run, because: "\(error)")
            }
        }
        return history
    }
}
