/// What Geo takes for granted of an installation, as `gitlab:geo:check` asks it, without starting Rails.
///
/// Asked of the candidate's copy: it is what the promoted site will work with, and it is there when the primary is not.
enum RequirementChecks {
    static let all = [license, hashedStorage, httpCloning, keyLookup, schemaMigrated]

    static let license = Check.aboutFailover(
        "geo.license",
        CheckText(
            question: "Is there a license?",
            rationale: "Geo is part of a license: without one its jobs stand still and its rake tasks refuse to work."
                + " What a license allows, and until when, is encrypted and cannot be seen from outside: see Admin.",
            source: cite(.geoTasks, .healthCheck),
            remedy: "Admin > Settings > General > Add license, on the primary"),
        needs: askSettings
    ) { examination, pair in
        guard let settings = examination.settings(of: pair.to) else { return "" }
        if !settings.facts.hasLicense {
            examination.fail(
                "no license is in the database of \(settings.node.id): Geo's jobs and tasks refuse to work",
                remedy: "Admin > Settings > General > Add license, on \(pair.from.url)")
        }
        return "there is a license; what it allows and until when is encrypted"
    }

    static let hashedStorage = Check.aboutFailover(
        "geo.hashed-storage",
        CheckText(
            question: "Are all projects in hashed storage, new ones too?",
            rationale: "A project of the old storage lies under its path. Renaming or moving it moves files, which"
                + " the sites do at different times: the copy is then looked for where it is not. Not counted where"
                + " the table of projects is larger than 1 GiB.",
            source: cite(.storagePaths, .hashedStorageCheck),
            remedy: "sudo gitlab-rake gitlab:storage:migrate_to_hashed on a Rails node of the primary"),
        needs: askSettings
    ) { examination, pair in
        guard let settings = examination.settings(of: pair.to) else { return "" }
        let rails = pair.from.nodes(running: .rails).first?.id.rawValue ?? "a Rails node of \(pair.from.id)"
        if settings.facts.hashesNewProjects == false {
            examination.warn(
                "new projects are not put into hashed storage",
                remedy: "sudo gitlab-rails runner"
                    + " 'Gitlab::CurrentSettings.update!(hashed_storage_enabled: true)'  # on \(rails)")
        }
        switch settings.facts.legacyProjects {
        case nil:
            examination.unknown(
                "the table of projects is too large to look for old kinds of storage",
                remedy: "sudo gitlab-rake gitlab:geo:check  # on \(rails): All projects are in hashed storage?")
        case .some(let count) where count > 0:
            let told = count < SettingFacts.countedAtMost ? "\(count)" : "at least \(count)"
            examination.warn(
                "\(told) \(count == 1 ? "project is" : "projects are") not in hashed storage",
                remedy: "sudo gitlab-rake gitlab:storage:migrate_to_hashed  # on \(rails)")
        case .some: break
        }
        return "all projects are in hashed storage"
    }

    static let httpCloning = Check.aboutFailover(
        "geo.http-cloning",
        CheckText(
            question: "Is cloning by HTTP(S) allowed?",
            rationale: "Geo itself copies repositories by HTTP. Where only SSH is allowed, nothing is copied any more"
                + " and no setting of Geo shows why.",
            source: cite(.httpCloneCheck, .troubleshooting),
            remedy: "Admin > Settings > General > Visibility and access controls: enabled Git access protocols \"Both\""
        ),
        needs: askSettings
    ) { examination, pair in
        guard let settings = examination.settings(of: pair.to) else { return "" }
        switch settings.facts.gitAccess ?? "" {
        case "", "http": break
        case "ssh":
            examination.warn(
                "only SSH is allowed for git: Geo can copy no repository",
                remedy: "Admin > Settings > General > Visibility and access controls, on \(pair.from.url)")
        case let other:
            examination.unknown(
                "git may be used by \(Excerpt.of(other.utf8)), which is neither SSH nor HTTP",
                remedy: "Admin > Settings > General > Visibility and access controls, on \(pair.from.url)")
        }
        return "repositories may be cloned by HTTP"
    }

    /// In every form of the command that GitLab documents: `gitlab-shell-authorized-keys-check`, or a copy of it.
    static let lookup = "gitlab-shell"

    static let keyLookup = Check.aboutFailover(
        "ssh.key-lookup",
        CheckText(
            question: "Do the Rails nodes look users' SSH keys up in the database?",
            rationale: "A file of keys is written on the primary only, and nothing copies it: after the promotion"
                + " nobody could push by SSH. Asked for the user git; sshd's own word, of the files as they are now.",
            source: cite(.keyLookup, .keyLookupCheck, .manual("sshd(8), -T")),
            remedy: "in /etc/ssh/sshd_config: Match User git, AuthorizedKeysCommand"
                + " /opt/gitlab/embedded/service/gitlab-shell/bin/gitlab-shell-authorized-keys-check git %u %k,"
                + " AuthorizedKeysCommandUser git; then systemctl reload ssh"),
        needs: { scope, pair, _ in
            scope.askSettings(of: pair.to)
            scope.ask([.services, .keyLookup], of: pair.nodes.filter { $0.runs(.rails) })
        }
    ) { examination, pair in
        for site in [pair.from, pair.to] {
            for node in examination.railsNodes(of: site) {
                examination.judgeKeyLookup(of: node, isCandidate: site.id == pair.to.id)
            }
        }
        if let settings = examination.settings(of: pair.to), settings.facts.writesAuthorizedKeys {
            examination.warn(
                "GitLab still writes keys to an authorized_keys file, which is on one site only",
                remedy: "Admin > Settings > Network > Performance optimization: clear \"Use authorized_keys file\", on"
                    + " \(pair.from.url)")
        }
        return "all Rails nodes look SSH keys up in the database"
    }

    static let schemaMigrated = Check.aboutFailover(
        "gitlab.schema-migrated",
        CheckText(
            question: "Has the main database every migration of the installed GitLab, on both sites?",
            rationale: "An upgrade that left migrations out works until the code needs them. A promoted site runs none"
                + " of them by itself, and its database can take them for the first time then. The newest"
                + " 500 are compared, with one Rails node of each site.",
            source: cite(.backgroundMigrations, .schemaVersions),
            remedy: "sudo gitlab-rake db:migrate on a Rails node of the primary"),
        needs: { scope, pair, _ in
            scope.askSettings(of: pair.to)
            scope.ask([.schemaFiles], of: [pair.from, pair.to].compactMap { $0.nodes(running: .rails).first })
        }
    ) { examination, pair in
        let settings = examination.settings(of: pair.to)
        for site in [pair.from, pair.to] {
            guard let node = examination.railsNodes(of: site).first else { continue }
            let files = examination.read(\.schemaFiles, "migrations of the package", of: node) { files in
                "\(files.count), the newest \(files.last ?? "none")"
            }
            if let files, let settings { examination.compare(files, of: node, with: settings, primary: pair.from) }
        }
        return "the database has all migrations of the installed GitLab"
    }

    private static let askSettings: @Sendable (inout ObservationScope, SitePair, CheckContext) -> Void = {
        scope, pair, _ in scope.askSettings(of: pair.to)
    }
}

/// What GitLab's settings say in the main database of a site.
struct SiteSettings {
    var node: Node
    var facts: SettingFacts
}

extension ObservationScope {
    /// What ``Examination/settings(of:)`` reads.
    fileprivate mutating func askSettings(of site: Site) {
        ask(site.databaseNodes.count > 1 ? [.settings, .database] : [.settings], of: site.databaseNodes)
    }
}

extension Examination {
    fileprivate mutating func settings(of site: Site) -> SiteSettings? {
        let leader = site.databaseNodes.count == 1 ? site.databaseNodes[0] : database(of: site)?.node
        guard let node = leader else { return nil }
        let facts = readRows(\.settings, "GitLab's settings", of: node) { facts in
            let storage = facts.legacyProjects.map { "\($0) projects of legacy storage" } ?? "projects not counted"
            return "license \(facts.hasLicense ? "present" : "missing"), \(storage), git by"
                + " \((facts.gitAccess ?? "").isEmpty ? "SSH and HTTP" : facts.gitAccess ?? ""),"
                + " authorized_keys file \(facts.writesAuthorizedKeys ? "written" : "not written"),"
                + " schema \(facts.migrations.last ?? "none")"
        }
        return facts.map { SiteSettings(node: node, facts: $0) }
    }

    fileprivate mutating func judgeKeyLookup(of node: Node, isCandidate: Bool) {
        let services = read(\.services, "services", of: node) { services in
            services.filter { $0.state == .running }.map(\.name).joined(separator: " ")
        }
        // GitLab's own SSH server asks GitLab for every key.
        if services?.contains(where: { $0.name == "gitlab-sshd" && $0.state == .running }) == true { return }
        guard let command = read(\.keyLookup, "sshd's AuthorizedKeysCommand", of: node),
            !command.contains(RequirementChecks.lookup)
        else { return }
        let sentence = "sshd of \(node.id) does not ask GitLab for users' keys (AuthorizedKeysCommand \(command))"
        let remedy =
            "sudo sshd -T -C user=git,host=localhost,addr=127.0.0.1 | grep -i authorizedkeyscommand"
            + "  # on \(node.id); set it in /etc/ssh/sshd_config to"
            + " /opt/gitlab/embedded/service/gitlab-shell/bin/gitlab-shell-authorized-keys-check git %u %k"
        if isCandidate {
            fail("\(sentence): after the promotion nobody could use git by SSH", remedy: remedy)
        } else {
            warn("\(sentence): once this site is a secondary its keys grow old", remedy: remedy)
        }
    }

    fileprivate mutating func compare(
        _ files: [String], of node: Node, with settings: SiteSettings, primary: Site
    ) {
        let rows = settings.facts.migrations
        guard let newest = rows.last, let newestFile = files.last else {
            unknown(
                "\(settings.node.id) or \(node.id) told no migration",
                remedy: "sudo gitlab-rake db:migrate:status | tail  # on \(node.id)")
            return
        }
        // Of a list that was cut off only what is younger than its start can be compared.
        let since = rows.count < SettingFacts.countedAtMost ? "" : rows[0]
        let known = Set(rows)
        let pending = files.filter { $0 >= since && !known.contains($0) }
        let rails = primary.nodes(running: .rails).first?.id.rawValue ?? "a Rails node of \(primary.id)"
        if !pending.isEmpty {
            warn(
                "\(Quantity.count(pending.count, "migration")) of GitLab on \(node.id) not in the database:"
                    + " \(Quantity.list(pending, atMost: 3))",
                remedy: "sudo gitlab-rake db:migrate  # on \(rails)")
        }
        if newest > newestFile {
            warn(
                "the database has migration \(newest), and GitLab on \(node.id) knows none after \(newestFile):"
                    + " it is older than its database",
                remedy: "sudo apt-get install gitlab-ee=VERSION  # on \(node.id), as on the primary")
        }
    }
}
