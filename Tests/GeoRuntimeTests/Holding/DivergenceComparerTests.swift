import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// Which saved refs the new primary lacks, by what its Gitaly nodes say.
@Suite struct DivergenceComparerTests {
    private static let objects = (1...3).map { String(repeating: String($0), count: 40) }
    private static let refs = objects.enumerated().map { index, object in
        ArchivedRef(repository: "\(index).git", object: object, name: "refs/heads/main")
    }

    /// Each node says one text, or does not answer.
    private static func compare(_ says: [NodeID: String], silent: [NodeID] = []) async -> [String: DivergedRef.State] {
        let keeper = NodeKeeper { script, node in
            guard let text = says[node.id] else {
                return .failed(NodeFailure(kind: .unreachable, text: "no route to host"))
            }
            let answer =
                "\(script.boundary) content \(text.utf8.count) \(text.utf8.count)\n\(text)\n\(script.boundary) end\n"
            return .answered(output: Array(answer.utf8), elapsedMilliseconds: 1)
        }
        let comparer = DivergenceComparer(
            keeper: keeper, boundary: { "geo-test-boundary" }, holder: Actor(user: "anna", host: "laptop"))
        let nodes = (says.keys.sorted() + silent).map { Fixtures.node($0.rawValue, address: "10.0.0.1", [.gitaly]) }
        return await comparer.compare(refs, with: nodes).reduce(into: [:]) { $0[$1.ref.repository] = $1.state }
    }

    @Test func whatOneNodeHasIsThere() async {
        let found = await Self.compare([
            "a": "0.git\t-\n1.git\t\(Self.objects[1])\n2.git\t-\n", "b": "1.git\t-\n2.git\t-\n",
        ])
        #expect(found == ["1.git": .missing, "2.git": .noRepository])
    }

    @Test func whoDoesNotAnswerMayHaveIt() async {
        let found = await Self.compare(["a": "1.git\t-\n2.git\t?\n"], silent: ["b"])
        #expect(found["0.git"] == nil)
        #expect(found["1.git"] == .unknown(reason: "b: no route to host"))
        #expect(found.keys.sorted() == ["1.git", "2.git"])
    }

    @Test(arguments: ["x\n", "0.git\t1\t2\n"]) func anOddAnswerIsNoAnswer(text: String) async {
        let found = await Self.compare(["a": text])
        #expect(found.count == 3 && found.values.allSatisfy { if case .unknown = $0 { true } else { false } })
    }

    @Test(arguments: ["", "a.git\tzz\trefs/heads/main", "a.git\t\(objects[0])\tHEAD", "\t\(objects[0])\trefs/heads/x"])
    func onlyWholeLinesAreRefs(line: String) {
        #expect(ArchivedRef(line[...]) == nil)
        #expect(ArchivedRef("a.git\t\(Self.objects[0])\trefs/heads/x")?.name == "refs/heads/x")
    }
}
