import Foundation
import GeoCore
import GeoDocuments
import Testing

/// The same sequence for the same seed, on every machine.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct FuzzTests {
    private static let marks = Array("[]{}:,-?*&!|>'\"%@`#\n\t <~\u{0}\r".utf8)

    /// One to four flips, insertions, deletions and duplications.
    private static func mutated(_ original: [UInt8], _ generator: inout SeededGenerator) -> String {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, at + Int.random(in: 1...40, using: &generator))
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes[at] = marks.randomElement(using: &generator) ?? 0
            case 2: bytes.insert(marks.randomElement(using: &generator) ?? 0, at: at)
            case 3: bytes.removeSubrange(at..<end)
            default: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &generator))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: ["inventory/lab.yaml", "inventory/example-3k.yaml"])
    func spoiltInventoriesGiveAValueOrAnError(path: String) throws {
        let original = Array(try repositoryFile(path).utf8)
        var generator = SeededGenerator(seed: 0x6E0)
        for round in 0..<500 {
            let text = Self.mutated(original, &generator)
            let loaded = loadInventory(text)
            let hasErrors = loaded.diagnostics.contains { $0.severity == .error }
            #expect((loaded.inventory == nil) == hasErrors, "round \(round)")
            let lines = text.utf8.count + 2
            #expect(loaded.diagnostics.allSatisfy { (1...lines).contains($0.line) && $0.column >= 1 }, "round \(round)")
        }
    }

    @Test func spoiltRunbooksGiveAValueOrAnError() {
        let original = Array(soundRunbook.utf8)
        var generator = SeededGenerator(seed: 7)
        for round in 0..<1000 {
            let loaded = loadRunbook(Self.mutated(original, &generator))
            #expect((loaded.runbook == nil) == loaded.diagnostics.contains { $0.severity == .error }, "round \(round)")
        }
    }

    /// A thousand nodes of eight keys, as an operator's generator would write them.
    static func largeInventory(nodes count: Int) -> String {
        var text = "schema: 1\ndeployment: large\nsites:\n"
        for (number, site) in ["tokyo", "seoul"].enumerated() {
            text += "  \(site):\n    url: https://\(site).example.com\n    nodes:\n"
            for index in 0..<(count / 2) {
                let components =
                    index == 0
                    ? "[rails, postgresql]" : ["[gitaly]", "[rails, sidekiq]", "[redis, sentinel]"][index % 3]
                text += """
                          \(site)-node-\(index):
                            address: 10.\(number).\(index / 250).\(index % 250 + 1)
                            components: \(components)
                            user: geo-ops
                            port: 22
                            become: sudo
                            transport: libssh2
                            connect_time_limit: 10s
                            identity: ~/.ssh/geo-ops

                    """
            }
        }
        return text
    }

    /// A release build takes 40 to 50 ms for a thousand nodes; that the effort grows with the file, and no faster,
    /// holds on every machine.
    @Test func effortGrowsWithTheFileOnly() {
        var best: [Int: Double] = [:]
        for _ in 0..<3 {
            for count in [100, 1000] {
                let text = Self.largeInventory(nodes: count)
                let start = Self.ownProcessorSeconds()
                let loaded = loadInventory(text)
                best[count] = min(best[count] ?? .infinity, Self.ownProcessorSeconds() - start)
                #expect(loaded.diagnostics == [])
                #expect(loaded.inventory?.nodes.count == count)
            }
        }
        #expect((best[1000] ?? .infinity) < 25 * (best[100] ?? 0), "\(best)")
    }

    /// Of this thread, so that a busy machine does not count.
    private static func ownProcessorSeconds() -> Double {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
