import FoundationEssentials
import GeoCore
import GeoRuntime
import Glibc

/// The machine that the tool runs on, as ``LocalLook`` asks for it.
enum OperatorMachine {
    /// Seconds that the resolver may take.
    private static let resolverLimit = 5

    static func look(clock: WallClock, stateDirectory: String) -> LocalLook {
        LocalLook(
            machine: {
                do {
                    return .known(value: try facts(stateDirectory), at: clock.now(), from: "operator")
                } catch {
                    return .unknown(reason: "\(stateDirectory) cannot be read: \(error)")
                }
            },
            addresses: { host in await addresses(of: host, clock: clock) },
            record: { host in await NameRecords.look(host, clock: clock) },
            prove: { program in await prove(program, clock: clock) })
    }

    /// Without a shell, and with nothing that could make it act: `GEO_FAILOVER_DRY_RUN` is for `run`.
    private static func prove(_ program: FenceProgram, clock: WallClock) async -> Observed<Int> {
        do {
            let answer = try await LocalProcess.programs.run(program.prove, [:], program.timeLimitSeconds)
            guard !answer.isTimedOut else {
                return .unknown(reason: "gave no answer within \(program.timeLimitSeconds) s")
            }
            guard let status = answer.status else { return .unknown(reason: "was ended by a signal") }
            return .known(value: status, at: clock.now(), from: "operator")
        } catch {
            return .unknown(reason: "could not be run: \(error)")
        }
    }

    private static func facts(_ stateDirectory: String) throws -> OperatorFacts {
        let history = try RecordedHistory.read(under: stateDirectory + "/runs")
        return OperatorFacts(
            addresses: addresses(), machineID: text("/etc/machine-id"),
            lastCheckAt: text(LastCheck.path(in: stateDirectory)).flatMap { Timestamp($0) },
            lastFinishedRunAt: history.lastFinishedAt, unproven: history.unproven, failovers: history.failovers)
    }

    private static func text(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path), data.count < 4096 else { return nil }
        let text = String(decoding: data, as: UTF8.self).split(separator: "\n").first.map(String.init)
        return text?.isEmpty == false ? text : nil
    }

    /// Of the interfaces that are there, loopback left out.
    private static func addresses() -> [String] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var found: Set<String> = []
        var entry = unsafe list
        while let current = unsafe entry {
            defer { unsafe entry = current.pointee.ifa_next }
            guard let address = unsafe current.pointee.ifa_addr else { continue }
            let family = Int32(unsafe address.pointee.sa_family)
            guard family == AF_INET || family == AF_INET6 else { continue }
            let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
            var buffer = [CChar](repeating: 0, count: 64)
            let status = unsafe getnameinfo(
                address, socklen_t(size), &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
            guard status == 0 else { continue }
            let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if !text.hasPrefix("127."), text != "::1" { found.insert(String(text.prefix { $0 != "%" })) }
        }
        return found.sorted()
    }

    /// By the system's own rules (`/etc/hosts`, search domains), in a process that can be ended.
    private static func addresses(of host: String, clock: WallClock) async -> Observed<[String]> {
        do {
            let answer = try await LocalProcess.programs.run(["getent", "ahosts", host], [:], resolverLimit)
            guard !answer.isTimedOut else {
                return .unknown(reason: "the resolver did not answer within \(resolverLimit) s")
            }
            // 2: no such name.
            if answer.status == 2 { return .known(value: [], at: clock.now(), from: "operator") }
            guard answer.status == 0 else {
                return .unknown(reason: "getent ahosts exited with status \(answer.status.map(String.init) ?? "?")")
            }
            let lines = String(decoding: answer.output, as: UTF8.self).split(separator: "\n")
            let found = Set(lines.compactMap { $0.split(separator: " ").first.map(String.init) })
            return .known(value: found.sorted(), at: clock.now(), from: "operator")
        } catch {
            return .unknown(reason: "getent cannot be run: \(error)")
        }
    }
}

/// When `check` last looked at everything from this machine.
enum LastCheck {
    static func path(in stateDirectory: String) -> String { stateDirectory + "/last-check" }

    /// Overwrites the one line; a check that cannot remember itself has still checked, so that is only said.
    static func remember(_ at: Timestamp, in stateDirectory: String) {
        do {
            try FileManager.default.createDirectory(
                atPath: stateDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            try Data("\(at)\n".utf8).write(to: URL(filePath: path(in: stateDirectory)), options: .atomic)
        } catch {
            Console.say("note: this check could not be written down in \(stateDirectory): \(error)")
        }
    }
}
