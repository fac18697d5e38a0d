import GeoCore
import GeoDocuments
import Testing

@Suite struct ExampleTests {
    @Test(arguments: ["lab", "example-3k"])
    func shippedInventoriesLoadWithoutDiagnostics(name: String) throws {
        let loaded = loadInventory(try repositoryFile("inventory/\(name).yaml"))
        #expect(loaded.diagnostics == [])
        #expect(loaded.inventory?.sites.map(\.id) == ["tokyo", "seoul"])
    }

    @Test func theLabIsTheOneOfItsContract() throws {
        let inventory = try #require(loadInventory(try repositoryFile("inventory/lab.yaml")).inventory)
        #expect(inventory.nodes.count == 15)
        #expect(inventory.objectives == Objectives(rtoSeconds: 900, rpoSeconds: 0))
        let cursor = try #require(inventory.node("seoul-sidekiq-1"))
        #expect(cursor.components == [.sidekiq, .logcursor])
        #expect(cursor.access.address == "10.77.2.15")
        #expect(cursor.access.identity == Identity(file: "/var/lib/geo-failover-lab/default/id_ed25519"))
        #expect(inventory.hooks["point-dns-at"]?.run.last == "{site}")
        #expect(inventory.canary == Canary(repository: "{url}/canary/canary.git"))
    }

    @Test func everyComponentAppearsInTheLargeExample() throws {
        let inventory = try #require(loadInventory(try repositoryFile("inventory/example-3k.yaml")).inventory)
        let used = Set(inventory.nodes.flatMap(\.components))
        #expect(Set(Component.allCases).subtracting(used) == [.postgresql])
        #expect(
            inventory.node("seoul-pg-1")?.access.jump == [
                JumpHost(address: "bastion.seoul.example.com", port: 2222, user: "geo-ops")
            ])
        #expect(
            inventory.node("seoul-pg-1")?.access.identity.passphrase
                == .command(arguments: ["pass", "show", "gitlab/geo-ops"]))
        #expect(inventory.fences.map(\.name) == ["hypervisor", "firewall"])
    }

    @Test func theExampleOfTheReadmeLoads() throws {
        let readme = try repositoryFile("inventory/README.md")
        let block = try #require(readme.split(separator: "```yaml\n").dropFirst().first?.split(separator: "```").first)
        let text = block.split(separator: "\n").filter { !$0.contains("seoul:") }.joined(separator: "\n")
        let loaded = loadInventory(text)
        #expect(loaded.inventory != nil)
        #expect(loaded.diagnostics.map(\.severity) == [.warning])
    }

    @Test func defaultsAreAppliedToEveryNode() throws {
        let text = soundInventory.replacing(
            "ssh: { user: geo-ops, identity: ~/.ssh/geo, known_hosts: known_hosts }", with: "")
        let inventory = try #require(loadInventory(text).inventory)
        #expect(
            inventory.nodes.first?.access
                == NodeAccess(
                    address: "10.1.0.11", port: 22, user: "olga", identity: Identity(usesAgent: true),
                    knownHosts: "/home/olga/.ssh/known_hosts", jump: [], become: .sudo, transport: .libssh2,
                    connectTimeLimitSeconds: 10))
        #expect(inventory.database == DatabaseAccess(via: .shell, port: 5432))
        #expect(inventory.sites.map(\.geoNodeName) == ["tokyo", "seoul"])
        #expect(inventory.source.path == "conf/geo.yaml")
        #expect(inventory.source.digest == Digest(of: text.utf8))
    }

    @Test func theNearestWordCountsForAccess() throws {
        let text = """
            schema: 1
            deployment: acme
            ssh: { user: top, identity: { file: keys/top, passphrase: "file:pass" }, jump: [a.example.com, me@b.example.com:2200], port: 2222 }
            sites:
              tokyo:
                url: https://tokyo.example.com/gitlab
                geo_node_name: Tokyo site
                ssh: { user: mid, become: none, connect_time_limit: 1m, agent: true }
                nodes:
                  n1: { address: "2001:db8::1", components: [rails, postgresql], jump: [], user: low, port: 22, identity: /keys/low }
                  n2: { address: db.example.com, components: [sidekiq], transport: openssh }

            """
        let inventory = try #require(loadInventory(text).inventory)
        #expect(
            inventory.nodes.map(\.access) == [
                NodeAccess(
                    address: "2001:db8::1", port: 22, user: "low",
                    identity: Identity(file: "/keys/low", usesAgent: true),
                    knownHosts: "/home/olga/.ssh/known_hosts", become: .none, connectTimeLimitSeconds: 60),
                NodeAccess(
                    address: "db.example.com", port: 2222, user: "mid",
                    identity: Identity(file: "conf/keys/top", passphrase: .file(path: "conf/pass"), usesAgent: true),
                    knownHosts: "/home/olga/.ssh/known_hosts",
                    jump: [
                        JumpHost(address: "a.example.com", user: "mid"),
                        JumpHost(address: "b.example.com", port: 2200, user: "me"),
                    ],
                    become: .none, transport: .openssh, connectTimeLimitSeconds: 60),
            ])
        #expect(inventory.sites.first?.geoNodeName == "Tokyo site")
    }

    @Test func runbooksMapToTheirValue() throws {
        let loaded = loadRunbook(soundRunbook)
        #expect(loaded.diagnostics == [])
        let runbook = try #require(loaded.runbook)
        #expect(runbook.preflight == [PreflightReference(check: "replication.lag", limits: Limits(["at_most": 30]))])
        #expect(
            runbook.steps == [
                RunbookStep(
                    id: "block", action: .enableMaintenanceMode,
                    target: .init(part: .from, components: [.rails], nodes: .one),
                    until: .init(check: "site.read-only", on: .from, withinSeconds: 300),
                    why: "Later writes would be lost."),
                RunbookStep(id: "confirm", action: .confirm, after: ["block"], text: "Type the name of the site."),
            ])
    }
}
