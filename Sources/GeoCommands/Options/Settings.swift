import GeoCore
import Glibc

/// Where settings come from, in this order: flags, environment, defaults. Secrets are never among them.
enum Settings {
    static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }

    static var home: String { environment("HOME") ?? "/root" }
    static var user: String {
        if let name = environment("SUDO_USER") ?? environment("USER") ?? environment("LOGNAME") { return name }
        guard let entry = unsafe getpwuid(geteuid()) else { return "uid-\(geteuid())" }
        return unsafe String(cString: entry.pointee.pw_name)
    }
    static var host: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown-host" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static var actor: Actor { Actor(user: user, host: host) }

    /// Holds `runs/`; survives a reboot of the operator's machine.
    static var stateDirectory: String {
        (environment("XDG_STATE_HOME") ?? home + "/.local/state") + "/geo-failover"
    }

    /// Folders that may hold runbooks, nearest first: the working directory, then what was shipped with the program.
    static var runbookDirectories: [String] {
        var found = ["runbooks"]
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { return found }
        let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var parts = path.split(separator: "/").dropLast()
        found.append("/" + parts.joined(separator: "/") + "/../share/geo-failover/runbooks")
        while !parts.isEmpty {
            found.append("/" + parts.joined(separator: "/") + "/runbooks")
            parts = parts.dropLast()
        }
        return found
    }
}
