/// Whether Patroni of a node would let a failover go through. Asked of every node that runs it: the answers come from the
/// configuration store, and a member that is cut off from it gives none.
enum PatroniChecks {
    static let all = [oneLeader, notPaused, timelines, noPendingRestart, standbyCluster, storeQuorum]

    private static let list = "sudo gitlab-ctl patroni members"

    static let oneLeader = Check.aboutNode(
        "patroni.one-leader",
        CheckText(
            question: "Has the node's Patroni cluster exactly one leader, and does every member run?",
            rationale:
                "`geo promote` acts on the leader alone. Without one it finds nothing to promote and exits 0, and"
                + " a member that does not run comes back after the failover with an old history.",
            source: cite(.promote, .patroniList),
            remedy: "sudo gitlab-ctl patroni members, then sudo gitlab-ctl tail patroni on the member that does not run"
        ),
        probes: [.patroni]
    ) { examination, node in
        guard let cluster = examination.patroni(of: node) else { return "" }
        let leaders = cluster.members.filter(\.leads)
        if leaders.count != 1 {
            examination.fail(
                leaders.isEmpty
                    ? "the Patroni cluster of \(node.id) has no leader"
                    : "the Patroni cluster of \(node.id) has \(leaders.count) leaders:"
                        + " \(Quantity.list(leaders.map(\.name)))",
                remedy: "\(list)  # on \(node.id); sudo gitlab-ctl tail patroni consul")
        }
        for member in cluster.members where !member.isUp {
            examination.fail(
                "member \(member.name) of the Patroni cluster of \(node.id) is \"\(member.state)\"",
                remedy: "sudo gitlab-ctl tail patroni  # on \(member.name)")
        }
        let wanted = examination.context.inventory.site(of: node.id)?.nodes(running: .patroni).count ?? 0
        if cluster.members.count < wanted {
            examination.fail(
                "the Patroni cluster of \(node.id) has \(Quantity.count(cluster.members.count, "member")), the inventory"
                    + " has \(wanted) nodes for it",
                remedy: "\(list)  # on \(node.id); sudo gitlab-ctl start patroni on the node that is missing")
        }
        return "\(leaders.first?.name ?? "") leads \(Quantity.count(cluster.members.count, "member")) that run"
    }

    static let notPaused = Check.aboutNode(
        "patroni.not-paused",
        CheckText(
            question: "Is Patroni of the node not paused?",
            rationale:
                "`geo promote` pauses it for its reconfigure and resumes it at the end. When it fails in between,"
                + " or somebody paused it by hand, nothing takes over a leader that dies, and nobody is told.",
            source: cite(.promote, .patroniPause), remedy: "sudo gitlab-ctl patroni resume"),
        probes: [.patroni]
    ) { examination, node in
        guard let cluster = examination.patroni(of: node) else { return "" }
        if cluster.isPaused {
            examination.fail(
                "Patroni of \(node.id) is paused: no member takes over when its leader dies",
                remedy: "sudo gitlab-ctl patroni resume  # on \(node.id), unless somebody works on it")
        }
        return "Patroni of \(node.id) is not paused"
    }

    static let timelines = Check.aboutNode(
        "patroni.timelines",
        CheckText(
            question: "Are all members of the node's Patroni cluster on one timeline?",
            rationale:
                "A member on another timeline has parted from the leader: it looks like a replica and can neither"
                + " follow nor take over before it is made anew.",
            source: cite(.patroniList, .recoveryFunctions),
            remedy: "sudo gitlab-ctl patroni reinitialize-replica --member MEMBER"),
        probes: [.patroni]
    ) { examination, node in
        guard let cluster = examination.patroni(of: node) else { return "" }
        guard let leader = cluster.members.first(where: \.leads), let timeline = leader.timeline else {
            examination.unknown(
                "the Patroni cluster of \(node.id) shows no timeline of a leader", remedy: "\(list)  # on \(node.id)")
            return ""
        }
        for member in cluster.members where member.timeline != timeline {
            guard let other = member.timeline else {
                examination.unknown(
                    "the timeline of \(member.name) was not told", remedy: "\(list)  # on \(node.id)")
                continue
            }
            examination.fail(
                "\(member.name) is on timeline \(other), its leader \(leader.name) on \(timeline)",
                remedy: "sudo gitlab-ctl patroni reinitialize-replica --member \(member.name)  # on \(node.id)")
        }
        return "all \(Quantity.count(cluster.members.count, "member")) are on timeline \(timeline)"
    }

    static let noPendingRestart = Check.aboutNode(
        "patroni.pending-restart",
        CheckText(
            question: "Does no member of the node's Patroni cluster wait for a restart?",
            rationale: "Patroni writes settings that count only after a restart and waits for somebody to ask for it."
                + " They take effect in the middle of a failover.",
            source: cite(.patroniList, .postgresqlSettings), remedy: "sudo gitlab-ctl patroni restart"),
        probes: [.patroni]
    ) { examination, node in
        guard let cluster = examination.patroni(of: node) else { return "" }
        for member in cluster.members where member.isRestartPending {
            examination.warn(
                "\(member.name) waits for a restart to use its settings",
                remedy: "sudo gitlab-ctl patroni restart  # on \(member.name), outside working hours")
        }
        return "no member waits for a restart"
    }

    static let standbyCluster = Check.aboutNode(
        "patroni.standby-cluster",
        CheckText(
            question: "Does the node's Patroni cluster follow another one exactly when its site is the secondary?",
            rationale: "What the configuration store says wins over gitlab.rb. A leftover `standby_cluster` on the"
                + " primary makes its database read-only at the next restart; a missing one on the secondary promotes it.",
            source: cite(.databaseSetup, .promote, .patroniList),
            remedy: "set patroni['standby_cluster']['enable'] in /etc/gitlab/gitlab.rb, sudo gitlab-ctl reconfigure"),
        probes: [.patroni]
    ) { examination, node in
        guard let cluster = examination.patroni(of: node) else { return "" }
        let site = examination.context.inventory.site(of: node.id)?.id
        guard let from = examination.context.from, let to = examination.context.to, site == from || site == to else {
            examination.unknown(
                "whether \(node.id) belongs to the primary or to the candidate was not said",
                remedy: "ask with --from and --to")
            return ""
        }
        let edit = "/etc/gitlab/gitlab.rb of \(node.id), sudo gitlab-ctl reconfigure"
        if site == to, !cluster.isStandbyCluster {
            examination.fail(
                "the Patroni cluster of \(node.id) follows nobody, and \(to) is to be a secondary",
                remedy: "set patroni['standby_cluster']['enable'] = true in \(edit); re-seed it if it was promoted")
        } else if site == from, cluster.isStandbyCluster {
            examination.fail(
                "the Patroni cluster of \(node.id) is told to follow another one, and \(from) is the primary",
                remedy: "set patroni['standby_cluster']['enable'] = false in \(edit)")
        }
        let leader = cluster.members.first(where: \.leads)?.role
        if let leader, (leader == "standby leader") != cluster.isStandbyCluster {
            examination.fail(
                "the Patroni cluster of \(node.id) is led by a \(leader), and its configuration says otherwise",
                remedy: "\(list)  # on \(node.id); sudo gitlab-ctl tail patroni")
        }
        return cluster.isStandbyCluster ? "it follows another cluster" : "it follows nobody"
    }
}

extension PatroniChecks {
    static let storeQuorum = Check.aboutNode(
        "patroni.store-quorum",
        CheckText(
            question: "Do more than half of the servers live that keep Patroni's leader, as the node sees them?",
            rationale: "Without a majority of the Consul servers no leader can be kept: Patroni makes every database"
                + " read-only, and a promotion waits in vain. A server that failed is on no page of GitLab.",
            source: cite(.consul, .patroniList),
            remedy: "sudo gitlab-ctl status consul; sudo gitlab-ctl tail consul on the server that failed"),
        probes: [.consul]
    ) { examination, node in
        let facts = examination.read(\.consul, "Consul", of: node) { facts in
            facts.servers.map { "\($0.name) \($0.status)" }.joined(separator: ", ")
        }
        guard let servers = facts?.servers else { return "" }
        let failed = servers.filter { $0.status != "alive" }.map(\.name)
        let alive = servers.count - failed.count
        let remedy = "sudo gitlab-ctl tail consul  # on \(failed.isEmpty ? node.id.rawValue : Quantity.list(failed))"
        if alive * 2 <= servers.count {
            examination.fail(
                servers.isEmpty
                    ? "\(node.id) sees no Consul server"
                    : "\(alive) of \(servers.count) Consul servers live, as \(node.id) sees them: no majority",
                remedy: remedy)
        } else if !failed.isEmpty {
            examination.warn(
                "Consul server \(Quantity.list(failed)) does not live, as \(node.id) sees it; \(alive) of"
                    + " \(servers.count) do",
                remedy: remedy)
        } else if servers.count < 3 {
            examination.warn(
                "there are \(servers.count) Consul servers: without one of them there is no majority",
                remedy: "add Consul servers, three at least: roles(['consul_role']) in gitlab.rb of their nodes")
        }
        return "all \(servers.count) Consul servers live, as \(node.id) sees them"
    }
}

extension Examination {
    fileprivate mutating func patroni(of node: Node) -> PatroniFacts? {
        guard let cluster = read(\.patroni, "Patroni", of: node, as: \.evidenceText) else { return nil }
        guard !cluster.members.isEmpty else {
            fail(
                "the store that \(node.id) asks knows no member of its Patroni cluster: none runs",
                remedy: "sudo gitlab-ctl patroni members  # on \(node.id); sudo gitlab-ctl start patroni")
            return nil
        }
        return cluster
    }
}

extension PatroniFacts {
    var evidenceText: String {
        let told = members.map { member in
            "\(member.name) \(member.role) \(member.state) on \(member.timeline.map(String.init) ?? "?")"
        }
        return (told.isEmpty ? "no member" : told.joined(separator: ", ")) + (isPaused ? "; paused" : "")
            + (isStandbyCluster ? "; follows another cluster" : "")
    }
}
