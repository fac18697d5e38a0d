/// Whether the tool gets onto the nodes, and onto the right ones.
enum ReachabilityChecks {
    static let all = [reachable, sudo, distinct, clock]

    static let reachable = Check.aboutNode(
        "node.reachable",
        CheckText(
            question: "Does the node answer over SSH?",
            rationale: "Every step runs on a node. A node that does not answer is not known to be down.",
            source: cite(.promise(2)),
            remedy: "ssh -v USER@ADDRESS true, with the address, user and key that `inventory show` prints; then "
                + "firewall, sshd, jump host"),
        probes: [.identity]
    ) { examination, node in
        let duration = examination.read(\.connection, "visit", of: node) { "\($0) ms" }
        return "\(node.id) answered within \(duration ?? 0) ms"
    }

    static let sudo = Check.aboutNode(
        "node.sudo",
        CheckText(
            question: "May the tool run commands as root on the node, without a password?",
            rationale: "Every gitlab-ctl command needs root, and nobody can answer a prompt in the middle of a step.",
            source: cite(.promote, .manual("sudoers(5)")),
            remedy: "geo-failover sudoers --user USER | sudo tee /etc/sudoers.d/geo-failover on the node"),
        probes: [.privileges]
    ) { examination, node in
        if let mayBecomeRoot = examination.read(\.privileges, "root by sudo -n", of: node), !mayBecomeRoot {
            examination.fail(
                "sudo -n on \(node.id) is refused for \(node.access.user)",
                remedy: "geo-failover sudoers | sudo tee /etc/sudoers.d/geo-failover  # on \(node.id)")
        }
        return "commands on \(node.id) run as root without a password"
    }

    static let distinct = Check.aboutFailover(
        "nodes.distinct",
        CheckText(
            question: "Is every node of both sites another machine than every other node of the inventory?",
            rationale: "Two names for one machine turn a command for the one into a command for the other,"
                + " and a fence of the one into nothing.",
            source: cite(.promise(6), .manual("machine-id(5)")),
            remedy: "correct the address in the inventory; for a copied image sudo rm /etc/machine-id && sudo "
                + "systemd-machine-id-setup on the copy"),
        needs: { scope, _, context in scope.ask([.identity], of: context.inventory.nodes) }
    ) { examination, pair in
        let seen = examination.readEach(\.identity, "identity", of: pair.nodes, as: \.evidenceText)
        let own = Set(pair.nodes.map(\.id))
        // A third site's node that did not answer says nothing against these two.
        let bystanders = examination.context.inventory.nodes.filter { !own.contains($0.id) }.compactMap { node in
            examination.observation[node.id].identity.value.map { (node: node, value: $0) }
        }
        examination.warnOfOneHostName(seen)
        var sameMachine: [String: [(node: Node, value: NodeIdentity)]] = [:]
        for answer in seen + bystanders { sameMachine[answer.value.machineID, default: []].append(answer) }
        for (node, identity) in seen {
            examination.compareHostName(of: node, identity)
            if identity.machineID.isEmpty {
                examination.unknown(
                    "\(node.id) has an empty machine id", remedy: "sudo systemd-machine-id-setup  # on \(node.id)")
            } else if let alike = sameMachine.removeValue(forKey: identity.machineID), alike.count > 1 {
                examination.failForOneMachine(alike)
            }
        }
        return "all \(seen.count + bystanders.count) nodes that answered are machines of their own"
    }

    static let clock = Check.aboutNode(
        "node.clock",
        CheckText(
            question: "Does the node's clock agree with the operator's?",
            rationale: "Geo refuses requests between sites whose clocks differ by about a minute,"
                + " and records of a failover cannot be put in order.",
            source: cite(.troubleshooting),
            remedy: "sudo chronyc makestep on the node, then chronyc tracking"),
        probes: [.identity],
        limits: [
            LimitDefault(
                name: "at_most", value: 10_000, unit: .milliseconds,
                meaning: "difference from the operator's clock, the uncertainty of the measurement included")
        ]
    ) { examination, node in
        let limit = examination.limit("at_most")
        guard let offset = examination.read(\.clockOffset, "clock offset", of: node, as: { "\($0) ms" }),
            let visit = examination.read(\.connection, "visit", of: node, as: { "\($0) ms" })
        else { return "" }
        let (distance, error) = (abs(offset), visit / 2)
        let direction = offset < 0 ? "behind" : "ahead of"
        if distance - error > limit {
            examination.fail(
                "the clock of \(node.id) is \(distance) ms \(direction) the operator's (± \(error) ms),"
                    + " at most \(limit) ms is allowed",
                remedy: "sudo chronyc makestep  # on \(node.id); then chronyc tracking")
        } else if distance + error > limit {
            examination.unknown(
                "the clock of \(node.id) is \(distance) ms \(direction) the operator's, give or take \(error) ms,"
                    + " which may be more than \(limit) ms",
                remedy: "chronyc tracking  # on \(node.id); the visit was too slow to measure")
        }
        return "the clock of \(node.id) is \(distance) ms \(direction) the operator's (± \(error) ms)"
    }
}

extension Examination {
    /// A name unlike the inventory's is a matter of taste; the name of another node is an address in the wrong place, and
    /// a command for the one would reach the other.
    fileprivate mutating func compareHostName(of node: Node, _ identity: NodeIdentity) {
        let short = identity.hostName.prefix { $0 != "." }
        guard identity.hostName != node.id.rawValue, short != node.id.rawValue else { return }
        let other = context.inventory.node(NodeID(identity.hostName)) ?? context.inventory.node(NodeID(String(short)))
        guard let other else {
            note("host name \(identity.hostName) differs from the inventory's \(node.id)")
            return
        }
        fail(
            "\(node.access.address), which the inventory calls \(node.id), answers as \(other.id)",
            remedy: "correct the address of \(node.id) (\(node.access.address)) or of \(other.id)"
                + " (\(other.access.address)) in \(context.inventory.source.path)")
    }

    /// Chef keeps what it knows of a node under its name, and so do Patroni and Consul.
    fileprivate mutating func warnOfOneHostName(_ seen: [(node: Node, value: NodeIdentity)]) {
        let alike = Dictionary(grouping: seen.filter { !$0.value.hostName.isEmpty }, by: \.value.hostName)
        for (name, nodes) in alike.sorted(by: { $0.key < $1.key }) where nodes.count > 1 {
            let names = nodes.map(\.node.id.rawValue)
            warn(
                "\(names.joined(separator: " and ")) have the same host name \(name)",
                remedy: "sudo hostnamectl set-hostname NAME && sudo gitlab-ctl reconfigure"
                    + "  # on \(names.dropFirst().joined(separator: " and "))")
        }
    }

    /// Says of nodes with one machine id whether they are one running machine or copies of one image.
    fileprivate mutating func failForOneMachine(_ alike: [(node: Node, value: NodeIdentity)]) {
        let machineID = alike[0].value.machineID
        for (node, identity) in alike { note("identity of \(node.id): \(identity.evidenceText)") }
        let names = alike.map(\.node.id.rawValue)
        if Set(alike.map(\.value.bootID)).count < alike.count {
            let addresses = alike.map { "\($0.node.id) (\($0.node.access.address))" }
            fail(
                "\(names.joined(separator: " and ")) reach one machine: they answer with machine id \(machineID)",
                remedy:
                    "correct the address of \(addresses.joined(separator: " or of ")) in \(context.inventory.source.path)"
            )
        } else {
            fail(
                "\(names.joined(separator: " and ")) have the same machine id \(machineID),"
                    + " so that the tool cannot tell them apart",
                remedy: "sudo rm /etc/machine-id && sudo systemd-machine-id-setup"
                    + "  # on \(names.dropFirst().joined(separator: " and ")), made from the image of \(names[0])")
        }
    }
}

extension NodeIdentity {
    var evidenceText: String { "host name \(hostName), machine id \(machineID), boot id \(bootID)" }
}
