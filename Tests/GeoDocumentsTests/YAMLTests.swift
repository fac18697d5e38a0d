import GeoCore
import GeoDocuments
import Testing

@Suite struct YAMLTests {
    private static let broken: [(text: String, problem: String)] = [
        ("", "1:1: error: the file is empty"),
        ("# only a comment\n", "1:1: error: the file is empty"),
        ("---\n", "error: the file is empty; expected a mapping"),
        ("- a\n- b\n", "1:1: error: the file is a list; expected a mapping with 'schema: 1' at its top"),
        ("hello", "1:1: error: the file is 'hello'"),
        ("schema: 1\nssh:\n\tuser: x\n", "3:1: error: this is not YAML"),
        ("schema: 1\nssh:\n\tuser: x\n", "try: indent with spaces"),
        ("schema: 1\na: b: c\n", "2:5: error: this is not YAML: mapping values are not allowed in this context"),
        ("schema: [1\n", "while parsing a flow sequence that begins in line 1"),
        ("schema: \"1\n", "found unexpected end of stream"),
        ("schema: *one\n", "1:9: error: this is not YAML: found undefined alias"),
        ("schema: 1\n---\nschema: 1\n", "2:1: error: this is not YAML: but found another document"),
        ("schema: @1\n", "1:9: error: this is not YAML"),
        ("schema: 1\nx: a\u{0}b\n", "2:5: error: this is not a text file"),
        ("schema: 1\n# caf\u{FFFD}\n", "2:6: error: this is not a text file: something that is not UTF-8 was found"),
        ("\u{7F}ELF\u{2}\u{1}", "1:1: error: this is not a text file"),
        ("schema: 1\n\u{1B}[31m: x\n", "2:1: error: this is not a text file"),
        (String(repeating: "[", count: 100_000), "1:201: error: brackets are nested too deeply"),
        (String(repeating: "[", count: 150) + String(repeating: "]", count: 150), "is nested too deeply"),
        (String(repeating: "- ", count: 500), "is nested too deeply"),
        (String(repeating: "- ", count: 50_000), "is nested too deeply"),
        ("schema: 1\n[a, b]: c\n", "2:1: error: a key is not a word"),
        ("schema: !!binary 1\n", "the tag 'tag:yaml.org,2002:binary' has no meaning here"),
        ("schema: 1\n<<: 5\n", "2:5: error: '<<' is '5'"),
    ]

    /// By number, because some of the texts would steer a terminal.
    @Test(arguments: broken.indices) func filesThatAreNoDocumentsGiveTheirPlace(index: Int) {
        let (text, problem) = Self.broken[index]
        let loaded = loadInventory(text)
        #expect(loaded.inventory == nil)
        #expect(loaded.diagnostics.contains { $0.description.contains(problem) }, "\(loaded.diagnostics)")
    }

    @Test(arguments: [
        "\u{FEFF}" + soundInventory, soundInventory.replacing("\n", with: "\r\n"), "---\n" + soundInventory,
        soundInventory + "...\n",
    ])
    func marksAndLineEndsOfOtherSystemsAreRead(text: String) {
        #expect(loadInventory(text).diagnostics == [])
    }

    @Test(arguments: ["\u{FEFF}", ""]) func placesCountAsEditorsDo(mark: String) {
        let text = (mark + soundInventory).replacing("\n", with: "\r\n").replacing(
            "[postgresql]", with: "[\"ü😀\", postgresq]", maxReplacements: 1)
        #expect(loadInventory(text).diagnostics.map { [$0.line, $0.column] } == [[9, 54], [9, 60]])
    }

    @Test func everyDuplicateKeyIsReportedWithEverythingElse() {
        let text = """
            schema: 1
            deployment: acme
            deployment: acme2
            sites:
              tokyo:
                url: https://tokyo.example.com
                "url": https://other.example.com
                nodes:
                  n1: { address: 10.0.0.1, components: [rails, postgresql] }
                  n1: { address: 10.0.0.2, components: [rails] }
                  n2: { address: 10.0.0.3, address: 10.0.0.4, components: [sidekik] }
                  n1: { address: 10.0.0.5, components: [redis] }

            """
        #expect(
            loadInventory(text).diagnostics.filter { $0.severity == .error }.map {
                "\($0.line):\($0.column) \($0.message)"
            } == [
                "3:1 the key 'deployment' is given twice in this mapping; the first is in line 2, column 1",
                "7:5 the key 'url' is given twice in this mapping; the first is in line 6, column 5",
                "10:7 the key 'n1' is given twice in this mapping; the first is in line 9, column 7",
                "11:32 the key 'address' is given twice in this mapping; the first is in line 11, column 13",
                "11:64 a component of node 'n2' is 'sidekik'",
                "12:7 the key 'n1' is given twice in this mapping; the first is in line 9, column 7",
            ])
    }

    @Test(arguments: [
        "&a a: 1\n&b a: 2\n", "\"\\x61\": 1\na: 2\n", "? a\n: 1\n? a\n: 2\n", "'': 1\n\"\": 2\n", "-: 1\n-: 2\n",
    ])
    func duplicateKeysInUnusualFormsAreErrorsToo(text: String) {
        let loaded = loadInventory("schema: 1\n" + text)
        #expect(loaded.inventory == nil)
        #expect(loaded.diagnostics.contains { $0.message.contains("twice") }, "\(loaded.diagnostics)")
    }

    @Test func manyDuplicatesEndInAnError() {
        let text = "schema: 1\n" + (0..<100).map { "k\($0): 1\nk\($0): 2\n" }.joined()
        let loaded = loadInventory(text)
        #expect(loaded.inventory == nil)
        #expect(loaded.diagnostics.contains { $0.message.contains("twice") })
    }

    @Test func anchorsAliasesAndMergesWork() throws {
        let text = """
            schema: 1
            deployment: acme
            ssh: &ssh { user: geo-ops, port: 2222 }
            sites:
              tokyo:
                url: https://tokyo.example.com
                ssh: { <<: *ssh, port: 22 }
                nodes:
                  n1: &node { address: 10.0.0.1, components: &all [rails, postgresql] }
                  n2: { <<: [*node], address: 10.0.0.2 }
              seoul:
                url: https://seoul.example.com
                ssh: *ssh
                nodes:
                  n3: { address: 10.0.0.3, components: *all }

            """
        let loaded = loadInventory(text)
        #expect(loaded.diagnostics == [])
        let inventory = try #require(loaded.inventory)
        #expect(inventory.nodes.map(\.access.port) == [22, 22, 2222])
        #expect(inventory.node("n2")?.components == [.rails, .postgresql])
    }

    @Test(arguments: [9, 30]) func aliasBombsAreRefusedQuickly(width: Int) {
        var text = "schema: 1\na0: &a0 [x]\n"
        for level in 1...30 {
            text +=
                "a\(level): &a\(level) [" + [String](repeating: "*a\(level - 1)", count: width).joined(separator: ", ")
                + "]\n"
        }
        for bomb in [text, text + "? *a30\n: x\n", text + "*a30 : x\n", text + "{ [*a30]: x }: y\n"] {
            let clock = ContinuousClock()
            let start = clock.now
            let loaded = loadInventory(bomb)
            #expect(loaded.inventory == nil)
            #expect(!loaded.diagnostics.isEmpty)
            #expect(start.duration(to: clock.now) < .seconds(60))
        }
    }

    @Test func hugeFilesAreRefused() {
        let text = soundInventory + "# " + String(repeating: "x", count: 10 << 20)
        #expect(loadInventory(text).diagnostics.map(\.expected) == ["at most 4 MiB"])
    }

    @Test func manyProblemsAreCounted() {
        let text = soundInventory + (0..<1000).map { "key-\($0): 1\n" }.joined()
        let diagnostics = loadInventory(text).diagnostics
        #expect(diagnostics.count == 201)
        #expect(diagnostics.last?.message == "800 more problems are not shown")
    }

    @Test func messagesCannotSteerATerminal() {
        let text = soundInventory.replacing("deployment: acme", with: "deployment: \"a\\x1b[31m\\nb\\u202e\"")
        let shown = loadInventory(text).diagnostics.map(\.description).joined()
        #expect(!shown.isEmpty)
        #expect(shown.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x202E })
    }
}
