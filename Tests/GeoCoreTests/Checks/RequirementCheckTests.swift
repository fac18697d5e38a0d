import GeoCore
import GeoTestSupport
import Testing

/// What Geo takes for granted of an installation.
@Suite struct RequirementCheckTests {
    private static func settings(_ change: @escaping @Sendable (inout SettingFacts) -> Void)
        -> @Sendable (inout Observation) -> Void
    {
        { observation in
            var facts = Fixtures.gitlabSettings()
            change(&facts)
            observation.put(\.settings, facts, on: "seoul-pg-1")
        }
    }

    @Test(arguments: [
        CheckCase("a license", "geo.license", is: .pass, says: ["until when is encrypted"]),
        CheckCase(
            "none", "geo.license", is: .fail, says: ["no license is in the database of seoul-pg-1"],
            change: settings { $0.hasLicense = false }),
        CheckCase("not told", "geo.license", is: .unknown) { $0.lose(\.settings, on: "seoul-pg-1") },
    ])
    func withoutALicenseGeoRefusesToWork(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "old projects", "geo.hashed-storage", is: .warn, says: ["3 projects are not in hashed storage"],
            change: settings { $0.legacyProjects = 3 }),
        CheckCase(
            "more than are counted", "geo.hashed-storage", is: .warn, says: ["at least 500 projects"],
            change: settings { $0.legacyProjects = 500 }),
        CheckCase(
            "too large to count", "geo.hashed-storage", is: .unknown, says: ["too large"],
            change: settings { $0.legacyProjects = nil }),
        CheckCase(
            "new projects too", "geo.hashed-storage", is: .warn, says: ["new projects are not put"],
            change: settings { $0.hashesNewProjects = false }),
        CheckCase(
            "no such choice any more", "geo.hashed-storage", is: .pass,
            change: settings { $0.hashesNewProjects = nil }),
    ])
    func projectsThatLieUnderTheirPathsAreSaid(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "SSH only", "geo.http-cloning", is: .warn, says: ["Geo can copy no repository"],
            change: settings { $0.gitAccess = "ssh" }),
        CheckCase("HTTP only", "geo.http-cloning", is: .pass, change: settings { $0.gitAccess = "http" }),
        CheckCase("both, as an empty text", "geo.http-cloning", is: .pass, change: settings { $0.gitAccess = "" }),
        CheckCase("neither", "geo.http-cloning", is: .unknown, change: settings { $0.gitAccess = "carrier pigeon" }),
    ])
    func whereOnlySSHIsAllowedGeoCopiesNothing(_ line: CheckCase) { line.verify() }

    private static func lookup(_ command: String, _ node: NodeID) -> @Sendable (inout Observation) -> Void {
        { $0.put(\.keyLookup, command, on: node) }
    }

    @Test(arguments: [
        CheckCase(
            "the candidate reads a file", "ssh.key-lookup", is: .fail,
            says: ["sshd of seoul-rails-2 does not ask GitLab", "nobody could use git by SSH"],
            change: lookup("none", "seoul-rails-2")),
        CheckCase(
            "the primary does", "ssh.key-lookup", is: .warn, says: ["sshd of tokyo-rails-1"],
            change: lookup("none", "tokyo-rails-1")),
        CheckCase(
            "another program", "ssh.key-lookup", is: .fail, says: ["/usr/bin/sss_ssh_authorizedkeys"],
            change: lookup("/usr/bin/sss_ssh_authorizedkeys %u", "seoul-rails-1")),
        CheckCase(
            "a copy of GitLab's", "ssh.key-lookup", is: .pass,
            change: lookup("/opt/gitlab-shell/authorized_keys %u %k", "seoul-rails-1")),
        CheckCase("GitLab's own SSH server", "ssh.key-lookup", is: .pass) { observation in
            for node in ["seoul-rails-1", "seoul-rails-2"] as [NodeID] {
                lookup("none", node)(&observation)
                let services = observation[node].services.value ?? []
                observation.put(\.services, services + [.init(name: "gitlab-sshd", state: .running)], on: node)
            }
        },
        CheckCase("which is down", "ssh.key-lookup", is: .fail) { observation in
            lookup("none", "seoul-rails-1")(&observation)
            let services = observation["seoul-rails-1"].services.value ?? []
            observation.put(\.services, services + [.init(name: "gitlab-sshd", state: .down)], on: "seoul-rails-1")
        },
        CheckCase(
            "a file is written besides", "ssh.key-lookup", is: .warn, says: ["authorized_keys file"],
            change: settings { $0.writesAuthorizedKeys = true }),
        CheckCase("not told", "ssh.key-lookup", is: .unknown) { $0.lose(\.keyLookup, on: "seoul-rails-1") },
    ])
    func keysInAFileAreNotThereAfterThePromotion(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "left out by an upgrade", "gitlab.schema-migrated", is: .warn,
            says: ["1 migration of GitLab on tokyo-rails-1 not in the database: 20260803114027"],
            change: settings { $0.migrations.removeLast() }),
        CheckCase(
            "the candidate was upgraded first", "gitlab.schema-migrated", is: .warn, says: ["on seoul-rails-1"]
        ) {
            $0.put(\.schemaFiles, Fixtures.migrations + ["20261101000000"], on: "seoul-rails-1")
        },
        CheckCase(
            "an older GitLab", "gitlab.schema-migrated", is: .warn, says: ["is older than its database"]
        ) {
            $0.put(\.schemaFiles, ["20260712081533"], on: "seoul-rails-1")
        },
        CheckCase(
            "what is older than the list is not missing", "gitlab.schema-migrated", is: .pass,
            change: settings { facts in
                facts.migrations = (0..<499).map { String(20_260_801_000_000 + $0) } + ["20260803114027"]
            }),
        CheckCase(
            "no migration told", "gitlab.schema-migrated", is: .unknown, change: settings { $0.migrations = [] }),
        CheckCase("no file told", "gitlab.schema-migrated", is: .unknown) {
            $0.lose(\.schemaFiles, on: "tokyo-rails-1")
        },
    ])
    func aDatabaseThatLacksMigrationsIsSaidBeforeItIsThePrimarys(_ line: CheckCase) { line.verify() }

    private static func passwords(_ node: NodeID, _ name: String, _ value: String?)
        -> @Sendable (inout Observation) -> Void
    {
        { observation in
            var told = observation[node].passwords.value ?? [:]
            told[name] = value
            observation.put(\.passwords, told, on: node)
        }
    }

    @Test(arguments: [
        CheckCase("the same", "passwords.equal", is: .pass, says: ["gitlab_rails.db_password"]),
        CheckCase(
            "another replication password", "passwords.equal", is: .warn,
            says: ["postgresql['sql_replication_password'] of seoul-pg-1 is not that of tokyo-pg-1"],
            change: passwords("seoul-pg-1", "postgresql.sql_replication_password", String(repeating: "ff", count: 16))),
        CheckCase(
            "none on one site", "passwords.equal", is: .warn,
            says: ["no node of seoul is configured with postgresql['sql_user_password']"],
            change: passwords("seoul-pg-1", "postgresql.sql_user_password", nil)),
        CheckCase(
            "Patroni on one site only", "passwords.equal", is: .pass,
            change: passwords("tokyo-pg-1", "patroni.password", String(repeating: "ff", count: 16))),
        CheckCase("other secrets", "passwords.equal", is: .unknown, says: ["cannot be compared"]) {
            $0.put(\.secretsDigest, "other", on: "seoul-pg-1")
        },
        CheckCase("not told", "passwords.equal", is: .unknown) { $0.lose(\.passwords, on: "seoul-pg-1") },
    ])
    func otherPasswordsOnTheOtherSiteAreSaidWithoutTellingThem(_ line: CheckCase) {
        line.verify()
        let told = line.findings.flatMap { [$0.summary] + $0.evidence.map(\.text) }
        #expect(!told.contains { $0.contains("ffff") || $0.contains("0a0a") })
    }
}
