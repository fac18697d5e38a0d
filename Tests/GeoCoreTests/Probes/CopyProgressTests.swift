import GeoCore
import GeoTestSupport
import Testing

@Suite struct CopyProgressTests {
    private static let node = Fixtures.inventory().nodes.first { $0.id == "tokyo-pg-1" }

    private func copy(_ share: Int, to client: String?) -> BaseBackup {
        BaseBackup(phase: "streaming database files", totalBytes: 100, streamedBytes: share, client: client)
    }

    private func told(of node: Node, _ looks: [[[BaseBackup]?]]) -> [Measure?] {
        var progress = CopyProgress(of: node)
        return looks.map { progress.measure($0) }
    }

    /// The lab's command went on for half a minute behind "90 %, about 2 s more".
    @Test func aCopyThatTheSourceHasEndedIsNotGoingOn() throws {
        let node = try #require(Self.node)
        let (own, other) = (copy(90, to: node.access.address), copy(5, to: "192.0.2.9"))
        let again = copy(1, to: node.access.address)
        // One that does not answer may be the one that sends it.
        let told = told(of: node, [[[]], [[other, own]], [[], nil], [[other]], [[again]]])
        #expect(told[0] == nil && told[1] == own.measure && told[2] == nil && told[4] == again.measure)
        let ended = try #require(told[3])
        #expect(ended.phase?.contains("has ended its copy") == true && ended.done == 90 && ended.total == 100)
    }

    @Test func ofANodeWithANameOnlyTheOnlyCopyIsTold() throws {
        var node = try #require(Self.node)
        node.access.address = "tokyo-pg-1.example.com"
        let (one, other) = (copy(5, to: "192.0.2.9"), copy(7, to: "192.0.2.10"))
        #expect(told(of: node, [[[one, other]], [[other], []]]) == [nil, other.measure])
    }
}
