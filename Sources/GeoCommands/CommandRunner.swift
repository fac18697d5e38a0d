import ArgumentParser
import GeoCore
import GeoRuntime

extension AsyncParsableCommand {
    /// Runs a command's body and turns what it throws into words and an exit code, in one place.
    func reporting(_ body: () async throws -> ExitStatus) async throws {
        do {
            let status = try await body()
            if status != .done { throw status.code }
        } catch let failure as CommandFailure {
            Console.say("geo-failover: \(failure.message)")
            throw failure.status.code
        } catch let error as ExitCode {
            throw error
        } catch let error as PlanFileError {
            Console.say("geo-failover: \(error)")
            throw ExitStatus.refused.code
        } catch let error as JournalError {
            let failure = CommandFailure.cannotRecord(error)
            Console.say("geo-failover: \(failure.message)")
            throw failure.status.code
        } catch let error as JournalContradiction {
            Console.say("geo-failover: \(error)")
            throw ExitStatus.refused.code
        } catch {
            Console.say("geo-failover: \(error)")
            throw ExitStatus.unexpected.code
        }
    }
}
