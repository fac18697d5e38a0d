/// Whether a node can take a promotion, and would survive one.
enum NodeStateChecks {
    static let all = [disk, servicesUp, startsAtBoot, attributesGood, clusterFile, noChangeRunning, inService]

    static let directories = ["/etc/gitlab", "/opt/gitlab", "/var/opt/gitlab", "/var/log/gitlab"]

    static let disk = Check.aboutNode(
        "node.disk",
        CheckText(
            question: "Is there room to write where GitLab's commands write?",
            rationale: "On a full disk geo promote leaves an empty gitlab-cluster.json,"
                + " after which promote and reconfigure fail until it is deleted.",
            source: cite(.promote, .clusterFile),
            remedy: "free some space in the directory that is named: sudo du -xh --max-depth=2 DIRECTORY | sort -h | "
                + "tail"),
        limits: [
            LimitDefault(
                name: "at_least_bytes", value: 1 << 30, unit: .bytes, meaning: "free space below this fails"),
            LimitDefault(
                name: "at_least_percent", value: 5, unit: .percent, meaning: "free space below this share warns"),
        ],
        needs: { scope, node, _ in if node.isManagedByOmnibus { scope.ask([.disks], of: [node]) } }
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        guard
            let disks = examination.read(
                \.disks, "disks", of: node,
                as: { $0.map { "\($0.path) \(Quantity.bytes($0.freeBytes)) free" }.joined(separator: ", ") })
        else { return "" }
        for path in directories {
            guard let disk = disks.first(where: { $0.path == path }), disk.totalBytes > 0 else {
                examination.unknown(
                    "free space in \(path) of \(node.id) was not told", remedy: "df -B1 \(path)  # on \(node.id)")
                continue
            }
            judge(disk, of: node, &examination)
        }
        let least = disks.filter { directories.contains($0.path) }.map(\.freeBytes).min() ?? 0
        return "\(node.id) has at least \(Quantity.bytes(least)) free in \(directories.joined(separator: ", "))"
    }

    private static func judge(_ disk: DiskSpace, of node: Node, _ examination: inout Examination) {
        let (bytes, percent) = (examination.limit("at_least_bytes"), examination.limit("at_least_percent"))
        let share = Double(disk.freeBytes) * 100 / Double(disk.totalBytes)
        let remedy = "sudo du -xh --max-depth=2 \(disk.path) | sort -h | tail  # on \(node.id); then free some space"
        let seen = "\(disk.path) of \(node.id) has \(Quantity.bytes(disk.freeBytes)) free"
        if disk.freeBytes < bytes {
            examination.fail("\(seen), at least \(Quantity.bytes(bytes)) is needed", remedy: remedy)
        } else if share < Double(percent) {
            examination.warn("\(seen), less than \(percent) % of it", remedy: remedy)
        }
    }

    static let servicesUp = Check.aboutNode(
        "node.services-up",
        CheckText(
            question: "Do all services that the node's components need run, and is none on its way elsewhere?",
            rationale: "A service that is down before a failover is a fault that the failover would be blamed for.",
            source: cite(.serviceTable, .serviceControl),
            remedy: "sudo gitlab-ctl start SERVICE; sudo gitlab-ctl tail SERVICE on the node"),
        probes: [.services]
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        guard let services = examination.readServices(of: node) else { return "" }
        let isOfPrimary = examination.context.pair.map { $0.from.nodes.contains { $0.id == node.id } } ?? false
        let expected = isOfPrimary ? node.expectedServicesOfPrimary : node.expectedServices
        examination.requireRunning(expected, among: services, of: node)
        for service in services where !expected.contains(service.name) {
            if isOfPrimary, Node.secondaryServices.contains(service.name) { continue }
            if service.isChanging {
                examination.fail(
                    "\(service.name) of \(node.id) is on its way to another state",
                    remedy: "sudo gitlab-ctl status \(service.name)  # on \(node.id), until it has settled")
            } else if service.state != .running {
                examination.warn(
                    "\(service.name) of \(node.id) is enabled and does not run",
                    remedy: "sudo gitlab-ctl start \(service.name)  # on \(node.id)")
            }
        }
        return "all \(Quantity.count(services.count, "service")) of \(node.id) run"
    }

    static let inService = Check.aboutNode(
        "node.in-service",
        CheckText(
            question: "Do the node's services run, and will they after a reboot?",
            rationale: "A node that was fenced and is only started goes off again with its next reboot.",
            source: cite(.serviceControl),
            remedy: "sudo systemctl unmask gitlab-runsvdir && sudo systemctl enable --now gitlab-runsvdir"
                + " && sudo gitlab-ctl start"),
        probes: [.services, .boot]
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        for part in [servicesUp, startsAtBoot] {
            for finding in part.findings(examination.context, examination.observation) { examination.prove(finding) }
        }
        return "\(node.id) is in service: its services run, and start at boot"
    }

    static let startsAtBoot = Check.aboutNode(
        "node.starts-at-boot",
        CheckText(
            question: "Does GitLab start again when the node reboots?",
            rationale: "A node that was fenced once stays off after its next reboot, and gitlab-ctl start cannot help.",
            source: cite(.disasterRecovery, .serviceControl),
            remedy: "sudo systemctl unmask gitlab-runsvdir && sudo systemctl enable --now gitlab-runsvdir on the node"),
        probes: [.boot]
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        if let starts = examination.read(\.startsAtBoot, "gitlab-runsvdir enabled", of: node), !starts {
            examination.fail(
                "gitlab-runsvdir is disabled on \(node.id): nothing of GitLab would run after a reboot",
                remedy: "sudo systemctl unmask gitlab-runsvdir && sudo systemctl enable --now gitlab-runsvdir"
                    + "  # on \(node.id)")
        }
        return "GitLab starts at boot on \(node.id)"
    }

    static let attributesGood = Check.aboutNode(
        "node.attributes-good",
        CheckText(
            question: "Did the last reconfigure of the node end well?",
            rationale: "After an interrupted reconfigure geo promote exits 3 until another one succeeds.",
            source: cite(.attributeReader, .promote),
            remedy: "sudo gitlab-ctl reconfigure on the node"),
        probes: [.attributes]
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        examination.requireGoodAttributes(of: node)
        return "the last reconfigure of \(node.id) left a complete attribute file"
    }

    static let clusterFile = Check.aboutNode(
        "node.cluster-file",
        CheckText(
            question: "Is gitlab-cluster.json absent, or at least readable and meant to be there?",
            rationale: "Promote and reconfigure fail on an empty file. A file left by an earlier promotion overrides"
                + " gitlab.rb; on a Patroni node of a secondary the next reconfigure would promote the database.",
            source: cite(.clusterFile, .disasterRecovery),
            remedy: "sudo mv /etc/gitlab/gitlab-cluster.json /etc/gitlab/gitlab-cluster.json.old && sudo gitlab-ctl "
                + "reconfigure on the node"),
        probes: [.clusterFile]
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        guard let file = examination.readClusterFile(of: node) else { return "" }
        let context = examination.context
        guard case .valid(let text) = file else { return "\(node.id) has no gitlab-cluster.json" }
        let isLeft = context.site != nil && context.site?.id == context.from
        if isLeft { return "\(node.id) was promoted once, as a node of the primary may have been" }
        let remedy =
            "sudo mv /etc/gitlab/gitlab-cluster.json /etc/gitlab/gitlab-cluster.json.old"
            + " && sudo gitlab-ctl reconfigure  # on \(node.id)"
        if node.runs(.patroni), text.contains("standby_cluster") {
            examination.fail(
                "gitlab-cluster.json of \(node.id) turns the Patroni standby cluster off:"
                    + " the next reconfigure would promote the database",
                remedy: remedy)
        } else {
            examination.warn(
                "\(node.id) was promoted once: its gitlab-cluster.json overrides gitlab.rb", remedy: remedy)
        }
        return ""
    }

    static let noChangeRunning = Check.aboutNode(
        "node.no-change-running",
        CheckText(
            question: "Is nobody changing the node at this moment?",
            rationale:
                "A second gitlab-ctl waits silently for the first one's Chef run, and both change the same files.",
            source: cite(.promote),
            remedy: "wait until pgrep -af 'gitlab-ctl|omnibus-ctl|cinc-client' prints nothing on the node"),
        probes: [.changesRunning]
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        examination.requireNoChange(of: node)
        return "no gitlab-ctl and no Chef runs on \(node.id)"
    }
}

extension Node {
    var runsNoGitLab: String { "\(id) runs no GitLab service" }
}

/// Demands that several checks make of a node.
extension Examination {
    /// The services of a node; `nil`, with a remark, when they are not known or none is listed.
    mutating func readServices(of node: Node) -> [ServiceState]? {
        guard
            let services = read(
                \.services, "services", of: node, as: { $0.map(\.evidenceText).joined(separator: ", ") })
        else { return nil }
        guard !services.isEmpty else {
            unknown(
                "gitlab-ctl status lists no service on \(node.id), so that nothing is known about any",
                remedy: "sudo gitlab-ctl status  # on \(node.id)")
            return nil
        }
        return services
    }

    mutating func requireRunning(_ names: [String], among services: [ServiceState], of node: Node) {
        for name in names {
            let remedy = "sudo gitlab-ctl start \(name)  # on \(node.id); then sudo gitlab-ctl tail \(name)"
            switch services.first(where: { $0.name == name }) {
            case nil:
                fail(
                    "\(name) is not among the services of \(node.id)",
                    remedy: "enable \(name) in /etc/gitlab/gitlab.rb of \(node.id) and run sudo gitlab-ctl reconfigure,"
                        + " or correct the node's components in \(context.inventory.source.path)")
            case .some(let service) where service.state == .unsupervised:
                fail(
                    "\(name) of \(node.id) has no supervisor: runsv does not run",
                    remedy: "sudo systemctl unmask gitlab-runsvdir && sudo systemctl enable --now gitlab-runsvdir"
                        + "  # on \(node.id)")
            case .some(let service) where service.isChanging:
                fail("\(name) of \(node.id) is on its way to another state", remedy: remedy)
            case .some(let service) where service.state == .down:
                fail("\(name) of \(node.id) is down since \(service.seconds) s", remedy: remedy)
            case .some: break
            }
        }
    }

    mutating func requireGoodAttributes(of node: Node) {
        let remedy = "sudo gitlab-ctl reconfigure  # on \(node.id)"
        switch read(\.attributeFile, "attribute file", of: node, as: \.rawValue) {
        case .missing: fail("\(node.id) has no attribute file: it was never reconfigured", remedy: remedy)
        case .stub: fail("the last reconfigure of \(node.id) did not end: its attribute file is a stub", remedy: remedy)
        case .good, nil: break
        }
    }

    mutating func requireNoChange(of node: Node) {
        let running = read(\.changesRunning, "running changes", of: node) {
            $0.isEmpty ? "none" : $0.joined(separator: ", ")
        }
        guard let running, !running.isEmpty else { return }
        fail(
            "\(Quantity.count(running.count, "change")) in progress on \(node.id):"
                + " \(Quantity.list(running, atMost: 2))",
            remedy: "pgrep -af 'gitlab-ctl|omnibus-ctl|cinc-client'  # on \(node.id), until it prints nothing")
    }

    /// The file that `geo promote` writes, if a promotion can get past it; otherwise `nil` with a remark.
    mutating func readClusterFile(of node: Node) -> ClusterFile? {
        let file = read(\.clusterFile, "gitlab-cluster.json", of: node, as: \.evidenceText)
        let remedy = "sudo mv /etc/gitlab/gitlab-cluster.json /etc/gitlab/gitlab-cluster.json.broken  # on \(node.id)"
        switch file {
        case .empty:
            fail("gitlab-cluster.json of \(node.id) has 0 bytes: promote and reconfigure fail", remedy: remedy)
            return nil
        case .invalid:
            fail("gitlab-cluster.json of \(node.id) is not JSON: promote and reconfigure fail", remedy: remedy)
            return nil
        case .absent, .valid, nil: return file
        }
    }
}

extension ServiceState {
    var evidenceText: String { "\(name) \(state.rawValue)\(isChanging ? " (changing)" : "")" }
}

extension ClusterFile {
    var evidenceText: String {
        switch self {
        case .absent: "absent"
        case .empty: "0 bytes"
        case .invalid(let text): "not JSON: \(text.prefix(80))"
        case .valid(let text): String(text.prefix(200))
        }
    }
}
