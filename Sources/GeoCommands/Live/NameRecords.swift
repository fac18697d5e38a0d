import CLinux
import GeoCore
import GeoRuntime
import SystemThreads

/// DNS as the operator's machine has it, asked for one thing that the resolver's usual functions keep to themselves: how
/// long others may keep the answer.
enum NameRecords {
    /// Seconds that each server may take, per question; three servers at most are asked.
    private static let limit: Int32 = 2

    /// Known without a time to live where DNS says that there is no address; unknown where no server answered.
    static func look(_ host: String, clock: WallClock) async -> Observed<NameRecord> {
        let found = await withCheckedContinuation { continuation in
            // The library's call blocks.
            let isStarted = SystemThread.start(named: "geo-dns") { continuation.resume(returning: ask(host)) }
            if !isStarted { continuation.resume(returning: .failure(.init("the system has no thread left"))) }
        }
        return switch found {
        case .success(let record): .known(value: record, at: clock.now(), from: "operator")
        case .failure(let error): .unknown(reason: error.reason)
        }
    }

    private static func ask(_ host: String) -> Result<NameRecord, Unreadable> {
        var least: Int?
        for type in [DNSAnswer.ipv4, DNSAnswer.ipv6] {
            var answer = [UInt8](repeating: 0, count: 64 << 10)
            var reason: Int32 = 0
            let length = unsafe geo_dns_query(
                host, Int32(type), limit, &answer, Int32(answer.count), &reason)
            switch (length, reason) {
            case (0...Int32(answer.count), _):
                do throws(Unreadable) {
                    let seconds = try DNSAnswer.timeToLive(Array(answer[..<Int(length)]))
                    least = [least, seconds].compactMap(\.self).min()
                } catch {
                    return .failure(error)
                }
            case (-1, HOST_NOT_FOUND), (-1, NO_DATA): continue
            default: return .failure(Unreadable("no DNS server answered within \(limit) s each"))
            }
        }
        return .success(NameRecord(timeToLive: least))
    }
}

/// Reads a DNS message (RFC 1035, section 4.1). Pure; every byte may be anything.
enum DNSAnswer {
    static let ipv4: UInt16 = 1
    static let ipv6: UInt16 = 28
    private static let alias: UInt16 = 5

    /// The least time to live among the records that lead from the name to an address; `nil` when none does.
    static func timeToLive(_ bytes: [UInt8]) throws(Unreadable) -> Int? {
        var reader = Reader(bytes: bytes, position: 4)
        let (questions, answers) = (try reader.short(), try reader.short())
        reader.position = 12
        for _ in 0..<questions {
            try reader.skipName()
            try reader.skip(4)
        }
        var least: Int?
        var hasAddress = false
        for _ in 0..<answers {
            try reader.skipName()
            let type = try reader.short()
            try reader.skip(2)
            let seconds = Int(try reader.short()) << 16 + Int(try reader.short())
            try reader.skip(Int(try reader.short()))
            guard [ipv4, ipv6, alias].contains(type) else { continue }
            hasAddress = hasAddress || type != alias
            // A number with the highest bit counts as 0 (RFC 2181, section 8).
            least = min(least ?? .max, seconds >> 31 == 0 ? seconds : 0)
        }
        return hasAddress ? least : nil
    }

    private struct Reader {
        let bytes: [UInt8]
        var position: Int

        mutating func byte() throws(Unreadable) -> UInt8 {
            guard bytes.indices.contains(position) else { throw Unreadable("the DNS server's answer was cut off") }
            defer { position += 1 }
            return bytes[position]
        }

        mutating func short() throws(Unreadable) -> UInt16 { UInt16(try byte()) << 8 | UInt16(try byte()) }

        mutating func skip(_ count: Int) throws(Unreadable) {
            position += count
            guard position <= bytes.count else { throw Unreadable("the DNS server's answer was cut off") }
        }

        /// Labels up to an empty one, or up to a pointer to earlier labels.
        mutating func skipName() throws(Unreadable) {
            while true {
                let length = try byte()
                if length == 0 { return }
                if length >= 0xC0 { return try skip(1) }
                try skip(Int(length))
            }
        }
    }
}
