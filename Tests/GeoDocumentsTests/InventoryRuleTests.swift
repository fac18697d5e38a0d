import GeoCore
import GeoDocuments
import Testing

/// One change to a sound file, and the problem that it must give: exactly one, of that place, with those words.
struct Spoiling: Sendable, CustomTestStringConvertible {
    var old: String
    var new: String
    var problem: String
    var isError = true

    init(_ old: String, _ new: String, _ problem: String, isError: Bool = true) {
        self.old = old
        self.new = new
        self.problem = problem
        self.isError = isError
    }

    var testDescription: String { problem }

    func check(
        _ sound: String, sourceLocation: SourceLocation = #_sourceLocation, load: (String) -> (Bool, [Diagnostic])
    ) {
        #expect(sound.contains(old), sourceLocation: sourceLocation)
        let (hasValue, diagnostics) = load(sound.replacing(old, with: new, maxReplacements: 1))
        #expect(diagnostics.count == 1, sourceLocation: sourceLocation)
        #expect(diagnostics.first?.severity == (isError ? .error : .warning), sourceLocation: sourceLocation)
        #expect(hasValue == !isError, sourceLocation: sourceLocation)
        #expect(
            diagnostics.first?.description.contains(problem) == true, "\(diagnostics)", sourceLocation: sourceLocation)
    }
}

@Suite struct InventoryRuleTests {
    private static let top: [Spoiling] = [
        .init("schema: 1", "schema: 2", "geo.yaml:1:9: error: schema 2 is not known; expected schema 1"),
        .init(
            "schema: 1\n", "",
            "1:1: error: the file does not say which schema it has; expected an inventory; try: schema: 1"),
        .init("schema: 1", "schema: one", "1:9: error: 'schema' is 'one'"),
        .init("deployment: acme\n", "", "1:1: error: the inventory has no 'deployment'"),
        .init("deployment: acme", "deployment: ACME Corp", "2:13: error: 'deployment' of the inventory is 'ACME Corp'"),
        .init("deployment: acme", "deployment: acme\ncanari: {}", "3:1: error: the inventory has no key 'canari'"),
        .init(
            "deployment: acme", "deployment: acme\nobjectives: { rto: 60, rpo: 0s }",
            "3:20: error: 'rto' of 'objectives' is '60'; expected a duration such as 90s, 5m, 2h or 1d; try: 60s"),
        .init("deployment: acme", "deployment: acme\nobjectives: { rto: 0s }", "at least 1s"),
        .init("deployment: acme", "deployment: acme\nobjectives: { rto: 1h30m }", "try: 90m"),
        .init(
            "deployment: acme", "deployment: acme\nobjectives: [1h]",
            "3:13: error: 'objectives' is a list; expected a mapping with rto, rpo"),
        .init("{ user: geo-ops, identity: ~/.ssh/geo, known_hosts: known_hosts }", "", "3:5: error: 'ssh' is empty"),
    ]

    private static let ssh: [Spoiling] = [
        .init("user: geo-ops", "user: -oProxyCommand=x", "'user' of 'ssh' is '-oProxyCommand=x'"),
        .init("user: geo-ops", "users: geo-ops", "3:8: error: 'ssh' has no key 'users'"),
        .init(
            "user: geo-ops", "port: 0", "3:14: error: 'port' of 'ssh' is '0'; expected a whole number from 1 to 65535"),
        .init("user: geo-ops", "port: 65536", "'65536'"),
        .init("user: geo-ops", "port: \"22\"", "try: 22, without quotes"),
        .init("user: geo-ops", "port: ssh", "is 'ssh'"),
        .init("user: geo-ops", "become: sduo", "expected sudo or none; try: sudo"),
        .init("user: geo-ops", "transport: libssh", "expected libssh2 or openssh; try: libssh2"),
        .init("user: geo-ops", "agent: yes", "expected true or false; try: true"),
        .init("user: geo-ops", "connect_time_limit: 0s", "at least 1s"),
        .init("user: geo-ops", "connect_time_limit: 10", "try: 10s"),
        .init("user: geo-ops", "jump: \"a b\"", "'jump' of 'ssh' is the text 'a b'"),
        .init("user: geo-ops", "jump: [a.example.com:99999]", "3:15: error: 'jump' of 'ssh'"),
        .init("identity: ~/.ssh/geo", "identity: ~root/.ssh/geo", "expected a path"),
        .init("identity: ~/.ssh/geo", "identity: { passphrase: env:P }", "'identity' of 'ssh' has no 'file'"),
        .init("identity: ~/.ssh/geo", "agent: false", "3:30: error: there is no way to log in"),
        .init("identity: ~/.ssh/geo", "identity_file: ~/.ssh/geo", "try: identity"),
    ]

    private static let sites: [Spoiling] = [
        .init("  tokyo:\n", "  Tokyo:\n", "5:3: error: the name of a site is 'Tokyo'; expected lower-case letters"),
        .init("  tokyo:\n", "  primary:\n", "5:3: warning: site 'primary' is named after a role", isError: false),
        .init("  tokyo:\n", "  eu-secondary-2:\n", "(secondary)", isError: false),
        .init("    url: https://tokyo.example.com\n", "", "5:3: error: site 'tokyo' has no 'url'"),
        .init(
            "https://tokyo.example.com", "tokyo.example.com",
            "6:10: error: 'url' of site 'tokyo' 'tokyo.example.com' has no scheme; expected http:// or https://, a host, and at most a port and a path; try: https://tokyo.example.com"
        ),
        .init(
            "https://tokyo.example.com", "https://tokyo.example.com/",
            "ends with a slash; expected http:// or https://, a host, and at most a port and a path; try: https://tokyo.example.com"
        ),
        .init(
            "https://tokyo.example.com", "https://tokyo.example.com/gitlab/", "try: https://tokyo.example.com/gitlab"),
        .init("https://tokyo.example.com", "https://tokyo.example.com?a=b", "has a query or a fragment"),
        .init("https://tokyo.example.com", "https://tokyo.example.com:0", "has no usable host"),
        .init("https://tokyo.example.com", "ftp://tokyo.example.com", "has no scheme"),
        .init(
            "https://tokyo.example.com", "https://seoul.example.com",
            "11:10: error: site 'seoul' has the same 'url' as the site in line 6"),
        .init(
            "url: https://seoul.example.com", "url: https://seoul.example.com\n    geo_node_name: tokyo",
            "12:20: error: site 'seoul' has the same 'geo_node_name' 'tokyo' as the site in line 5"),
        .init(
            "components: [rails, sidekiq]", "components: [sidekiq]",
            "5:3: error: site 'tokyo' has no node with the component rails"),
        .init("components: [postgresql]", "components: [redis]", "5:3: error: site 'tokyo' has no database node"),
        .init(
            "    nodes:\n      tokyo-rails-1: { address: 10.1.0.11, components: [rails, sidekiq] }\n      tokyo-pg-1: { address: 10.1.0.21, components: [postgresql] }\n",
            "    nodes: {}\n", "5:3: error: site 'tokyo' has no nodes"),
        .init(
            "[rails, sidekiq] }\n      tokyo-pg-1: { address: 10.1.0.21, components: [postgresql]",
            "[rails, tracking-db] }\n      tokyo-pg-1: { address: 10.1.0.21, components: [postgresql, tracking-db]",
            "9:7: error: node 'tokyo-pg-1' is another tracking database of site 'tokyo'; the first is 'tokyo-rails-1' in line 8"
        ),
        .init(
            "  seoul:\n    url: https://seoul.example.com\n    nodes:\n      seoul-rails-1: { address: 10.2.0.11, components: [rails, sidekiq] }\n      seoul-pg-1: { address: 10.2.0.21, components: [postgresql] }\n",
            "", "4:1: warning: there is one site only", isError: false),
    ]

    private static let nodes: [Spoiling] = [
        .init(
            "tokyo-pg-1:", "tokyo_PG 1:",
            "9:7: error: the name of a node is 'tokyo_PG 1'; expected lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit; try: tokyo_pg-1"
        ),
        .init(
            "tokyo-pg-1:", "seoul-pg-1:",
            "14:7: error: the name 'seoul-pg-1' was given to a node of another site in line 9"),
        .init(
            "10.2.0.21", "10.1.0.21",
            "14:30: error: node 'seoul-pg-1' has the address and port of node 'tokyo-pg-1' in line 9"),
        .init(
            "address: 10.1.0.21, ", "",
            "9:7: error: node 'tokyo-pg-1' has no 'address'; expected a host name or an IP address"),
        .init("address: 10.1.0.21", "host: 10.1.0.21, address: a", "try: address"),
        .init("10.1.0.21", "10.1.0.256", "9:30: error: 'address' of node 'tokyo-pg-1' is '10.1.0.256'"),
        .init("10.1.0.21", "db_.-x.example.com", "'db_.-x.example.com'"),
        .init("10.1.0.21", "\"2001:db8::1::2\"", "'2001:db8::1::2'"),
        .init("10.1.0.21", "10.1.0.21:2222", "try: address: 10.1.0.21, port: 2222"),
        .init("10.1.0.21", "root@10.1.0.21", "'user: root' beside it"),
        .init(
            "components: [postgresql]", "components: []",
            "'components' of node 'tokyo-pg-1' is an empty list; expected one of rails"),
        .init(
            "components: [postgresql]", "components: [postgres]",
            "9:54: error: a component of node 'tokyo-pg-1' is 'postgres'"),
        .init("components: [postgresql]", "components: [postgres]", "try: postgresql"),
        .init("components: [postgresql]", "components: postgresql", "try: [postgresql]"),
        .init(
            "components: [postgresql]", "components: [postgresql, postgresql]", "lists the component 'postgresql' twice"
        ),
        .init(", components: [postgresql]", "", "9:7: error: node 'tokyo-pg-1' has no 'components'"),
        .init(
            "{ address: 10.1.0.21, components: [postgresql] }", "10.1.0.21",
            "node 'tokyo-pg-1' is '10.1.0.21'; expected a mapping"),
    ]

    private static let rest: [Spoiling] = [
        .init(
            "sites:", "database: { via: tunel }\nsites:",
            "4:18: error: 'via' of 'database' is 'tunel'; expected shell, tunnel or direct; try: tunnel"),
        .init(
            "sites:", "database: { via: direct, sslmode: verify }\nsites:",
            "expected disable, allow, prefer, require, verify-ca or verify-full; try: verify-"),
        .init(
            "sites:", "database: { port: 6432 }\nsites:",
            "4:13: warning: 'port' of 'database' has no effect with 'via: shell'", isError: false),
        .init("sites:", "hooks: { dns: { run: ./dns {site} } }\nsites:", "expected ',' or '}'"),
        .init(
            "sites:", "hooks: { dns: { run: './dns {site}' } }\nsites:",
            "'run' of hook 'dns' is the text './dns {site}'; expected a list: a program and its arguments; try: [./dns, \"{site}\"]"
        ),
        .init("sites:", "hooks: { dns: { run: [] } }\nsites:", "'run' of hook 'dns' is an empty list"),
        .init(
            "sites:", "hooks: { dns: { run: [./dns, '{sitee}'] } }\nsites:",
            "expected {site}, {url} or {node}; try: {site}"),
        .init(
            "sites:", "hooks: { dns: { run: [./dns], time_limit: 0s } }\nsites:",
            "4:43: error: 'time_limit' of hook 'dns' is '0s'"),
        .init("sites:", "hooks: { dns: { command: [./dns], run: [x] } }\nsites:", "try: run"),
        .init("sites:", "hooks: { dns: { time_limit: 1m } }\nsites:", "4:10: error: hook 'dns' has no 'run'"),
        .init("sites:", "hooks: { DNS: { run: [x] } }\nsites:", "the name of a hook is 'DNS'"),
        .init(
            "sites:", "fences: { power: { run: [x] } }\nsites:",
            "4:9: error: 'fences' is a mapping; expected a list of { name, run, prove, time_limit }"),
        .init("sites:", "fences: [{ run: [x] }]\nsites:", "4:10: error: a fence has no 'name'"),
        .init(
            "sites:", "fences: [{ name: a, run: [x], prove: [z] }, { name: a, run: [y], prove: [z] }]\nsites:",
            "4:53: error: the fence 'a' is named again"),
        .init(
            "sites:", "fences: [{ name: a, run: [x] }]\nsites:",
            "4:10: error: a fence has no 'prove'"),
        .init(
            "sites:", "fences: [{ name: a, run: [x], prove: [y], sites: [tokio] }]\nsites:",
            "'sites' of a fence names 'tokio', which the inventory does not have"),
        .init(
            "sites:", "fences: [{ name: a, run: [x, '{nod}'], prove: [y] }]\nsites:",
            "holds the placeholder '{nod}'"),
        .init("sites:", "canary: {}\nsites:", "'canary' has no 'repository'"),
        .init("sites:", "canary: { repository: 'x/{site}' }\nsites:", "holds the placeholder '{site}'"),
    ]

    @Test(arguments: top + ssh) func settingsAreChecked(spoiling: Spoiling) { check(spoiling) }
    @Test(arguments: sites) func sitesAreChecked(spoiling: Spoiling) { check(spoiling) }
    @Test(arguments: nodes) func nodesAreChecked(spoiling: Spoiling) { check(spoiling) }
    @Test(arguments: rest) func hooksFencesCanaryAndDatabaseAreChecked(spoiling: Spoiling) { check(spoiling) }

    private func check(_ spoiling: Spoiling) {
        spoiling.check(soundInventory) { text in
            let loaded = loadInventory(text)
            return (loaded.inventory != nil, loaded.diagnostics)
        }
    }

    @Test func theSameAddressBehindAnotherBastionIsAnotherNode() {
        let text = soundInventory.replacing(
            "address: 10.2.0.21", with: "address: 10.1.0.21, jump: bastion.seoul.example.com")
        #expect(loadInventory(text).diagnostics == [])
    }

    @Test func aListOfSitesIsRefused() {
        let loaded = loadInventory("schema: 1\ndeployment: acme\nsites: [tokyo]\n")
        #expect(
            loaded.diagnostics.map(\.description) == [
                "conf/geo.yaml:3:8: error: 'sites' of the inventory is a list; expected a mapping of names to sites"
            ])
    }

    @Test func anInventoryWithoutSitesIsRefused() {
        let loaded = loadInventory("schema: 1\ndeployment: acme\nsites: {}\n")
        #expect(loaded.inventory == nil)
        #expect(loaded.diagnostics.map(\.message) == ["there is no site"])
    }

    @Test(arguments: [
        "10.0.0.1", "gitlab.example.com", "db-1", "2001:db8::1", "::1", "fe80::1%eth0", "::ffff:10.0.0.1", "1.example",
    ])
    func usualAddressesAreTaken(address: String) {
        #expect(loadInventory(soundInventory.replacing("10.1.0.21", with: "\"\(address)\"")).diagnostics == [])
    }
}
