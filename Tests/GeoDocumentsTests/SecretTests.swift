import GeoCore
import GeoDocuments
import Testing

@Suite struct SecretTests {
    private func load(password: String) -> (inventory: Inventory?, diagnostics: [Diagnostic]) {
        loadInventory(
            soundInventory.replacing(
                "sites:", with: "database: { via: direct, user: geo, password: \(password) }\nsites:",
                maxReplacements: 1))
    }

    @Test(arguments: [
        "hunter2", "\"hunter2\"", "[hunter2]", "{ value: hunter2 }", "env:hunter2-x", "command:echo 'hunter2'",
        "http:hunter2",
        "file:~hunter2", "|hunter2", "command:echo $hunter2",
    ])
    func secretsByValueAreRefusedAndNotRepeated(password: String) {
        let loaded = load(password: password)
        #expect(loaded.inventory == nil)
        #expect(!loaded.diagnostics.isEmpty)
        for diagnostic in loaded.diagnostics { #expect(!diagnostic.description.contains("hunter2")) }
    }

    @Test func theThreeFormsAreSuggested() {
        let diagnostics = load(password: "hunter2").diagnostics
        #expect(
            diagnostics.map(\.description) == [
                "conf/geo.yaml:4:47: error: 'password' of 'database' must not hold the secret itself (its text is not shown); "
                    + "expected env:NAME, file:PATH or command:PROGRAM ARGUMENTS; try: env:GEO_FAILOVER_SECRET"
            ])
    }

    @Test(arguments: [
        ("env:PGPASSWORD", SecretReference.environment(name: "PGPASSWORD")),
        ("file:secrets/pg", .file(path: "conf/secrets/pg")),
        ("file:~/pg", .file(path: "/home/olga/pg")), ("file:/etc/pg", .file(path: "/etc/pg")),
        ("command:pass show geo/pg", .command(arguments: ["pass", "show", "geo/pg"])),
        ("command:./secret pg", .command(arguments: ["conf/secret", "pg"])),
    ])
    func referencesAreResolved(text: String, expected: SecretReference) {
        let loaded = load(password: "\"\(text)\"")
        #expect(loaded.diagnostics == [])
        #expect(loaded.inventory?.database.password == expected)
    }

    @Test(arguments: [
        ("https://tokyo.example.com", "https://olga:hunter2@tokyo.example.com"),
        ("sites:", "canary: { repository: 'https://olga:hunter2@example.com/x.git' }\nsites:"),
        ("sites:", "canary: { repository: 'https://hunter2@example.com/x.git' }\nsites:"),
        ("user: geo-ops", "password: hunter2"),
        ("user: geo-ops", "jump: 'olga:hunter2@bastion'"),
        ("identity: ~/.ssh/geo", "identity: \"-----BEGIN OPENSSH PRIVATE KEY-----hunter2\""),
        ("identity: ~/.ssh/geo", "identity: { file: x, passphrase: hunter2 }"),
    ])
    func secretsInOtherPlacesAreRefusedAndNotRepeated(old: String, new: String) {
        let loaded = loadInventory(soundInventory.replacing(old, with: new, maxReplacements: 1))
        #expect(loaded.inventory == nil)
        #expect(loaded.diagnostics.count == 1)
        for diagnostic in loaded.diagnostics { #expect(!diagnostic.description.contains("hunter2")) }
    }
}
