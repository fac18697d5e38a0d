import GeoCore
import GeoDocuments
import Testing

/// `secondary_configuration` of a site: what its nodes get when it comes back as a secondary.
@Suite struct SecondaryConfigurationTests {
    private func load(_ entries: String) -> (inventory: Inventory?, diagnostics: [Diagnostic]) {
        loadInventory(
            soundInventory.replacing(
                "    url: https://seoul", with: "    secondary_configuration: {\(entries)}\n    url: https://seoul"))
    }

    @Test func filesAndManagedComponentsAreReadInTheOrderOfTheFile() throws {
        let loaded = load(
            " rails: { content: 'file:seoul/rails.rb', path: /etc/gitlab/conf.d/geo.rb }, sidekiq: managed,"
                + " postgresql: { content: 'command:sops -d pg.rb' } ")
        #expect(loaded.diagnostics == [])
        let site = try #require(loaded.inventory?.site("seoul"))
        let file = ConfigurationFile(
            content: .file(path: "conf/seoul/rails.rb"),
            path: try #require(ConfigurationPath("/etc/gitlab/conf.d/geo.rb")))
        #expect(
            site.secondaryConfiguration == [
                ComponentConfiguration(component: .rails, source: .file(file)),
                ComponentConfiguration(component: .sidekiq, source: .managed),
                ComponentConfiguration(
                    component: .postgresql,
                    source: .file(ConfigurationFile(content: .command(arguments: ["sops", "-d", "pg.rb"])))),
            ])
        // A file counts more than that somebody else writes it.
        #expect(site.configuration(of: site.nodes[0]) == .files([file]))
        #expect(site.configuration(of: site.nodes[1]).files.map(\.path) == [.main])
        let tokyo = try #require(loaded.inventory?.site("tokyo"))
        #expect(tokyo.configuration(of: tokyo.nodes[0]) == .switched)
    }

    @Test(arguments: [
        ("rails: mangaed", "try: managed"), ("railz: managed", "try: rails"),
        ("load-balancer: managed", "no GitLab runs for 'load-balancer'"),
        ("rails: { content: geo.rb }", "try: file:geo.rb"), ("rails: { content: hunter2 }", "must not hold the secret"),
        ("rails: { path: /etc/gitlab/geo.rb }", "has no 'content'"),
        ("rails: { content: 'file:a', path: geo }", "try: /etc/gitlab/geo.rb"),
        ("rails: { content: 'file:a', path: /etc/gitlab/../passwd.rb }", "a path below /etc/gitlab"),
        ("rails: { content: 'file:a', path: /etc/gitlab-secrets.rb }", "a path below /etc/gitlab"),
        ("rails: { content: 'file:a', path: /etc/gitlab/gitlab-secrets.json }", "a path below /etc/gitlab"),
        ("rails: { content: 'file:a', path: '/etc/gitlab/a b.rb' }", "a path below /etc/gitlab"),
        ("rails: { content: 'file:a', path: /etc/gitlab/a/b/c/d.rb }", "at most 2 folders deep"),
        ("rails: { contents: 'file:a' }", "try: content"),
        (
            "rails: { content: 'file:a' }, sidekiq: { content: 'file:b' }",
            "would get two files as /etc/gitlab/gitlab.rb"
        ),
        ("patroni: { content: 'file:a' }", "only what its gitlab.rb has can be turned on"), ("rails: [a]", "is a list"),
    ])
    func whatCannotBeMeantIsRefusedWithASuggestion(entries: String, expected: String) {
        let loaded = load(" \(entries) ")
        #expect(loaded.inventory == nil)
        #expect(loaded.diagnostics.contains { $0.description.contains(expected) }, "\(loaded.diagnostics)")
        #expect(loaded.diagnostics.allSatisfy { !$0.description.contains("hunter2") && $0.line >= 11 })
    }

    @Test func aComponentThatNobodyRunsIsSaid() {
        let loaded = load(" redis: managed ")
        #expect(loaded.inventory != nil)
        #expect(loaded.diagnostics.map(\.severity) == [.warning])
    }

    @Test func theSameFileMayServeTwoComponentsOfANode() {
        #expect(load(" rails: { content: 'file:a' }, sidekiq: { content: 'file:a' } ").diagnostics == [])
    }
}
