/// Whether the tool gets onto the nodes, and onto the right ones.
enum ReachabilityChecks {
    static let all = [reachable, sudo, distinct, clock]

    static let reachable = Check.aboutNode(
        "node.reachable",
        CheckText(
            question: "Does the node answer over SSH?",
            rationale: "Every step runs on a node. A node that does not answer is not known to be down.",
            source: "DESIGN.md 6"),
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
            source: "gitlab-geo.md 2, 4.11"),
        probes: [.privileges]
    ) { examination, node in
        if let mayBecomeRoot = examination.read(\.privileges, "root by sudo -n", of: node), !mayBecomeRoot {
            examination.fail(
                "sudo -n on \(node.id) is refused for \(node.access.user)",
                remedy: "geo-failover sudoers | sudo tee /etc/sudoers.d/geo-failover  # on \(node.id)")
        }
        return "commands on \(node.id) run as root without a password"
    }

    static let distinct = Check.aboutNode(
        "node.distinct",
        CheckText(
            question: "Is the node another machine than every other node of the inventory?",
            rationale: "Two names for one machine turn a command for the one into a command for the other,"
                + " and a fence of the one into nothing.",
            source: "DESIGN.md 9, identity guard"),
        needs: { scope, _, context in scope.ask([.identity], of: context.inventory.nodes) }
    ) { examination, node in
        let others = examination.context.inventory.nodes.filter { $0.id != node.id }
        let seen = others.compactMap { other in
            examination.observation[other.id].identity.value.map { (node: other.id, identity: $0) }
        }
        guard let own = examination.read(\.identity, "identity", of: node, as: \.evidenceText) else { return "" }
        if own.machineID.isEmpty {
            examination.unknown(
                "\(node.id) has an empty machine id",
                remedy: "sudo systemd-machine-id-setup  # on \(node.id)")
        }
        if own.hostName.split(separator: ".").first.map(String.init) != node.id.rawValue,
            own.hostName != node.id.rawValue
        {
            examination.note("host name \(own.hostName) differs from the inventory's \(node.id)")
        }
        for other in seen where other.identity.machineID == own.machineID {
            examination.note("identity of \(other.node): \(other.identity.evidenceText)")
            if other.identity.bootID == own.bootID {
                examination.fail(
                    "\(node.id) and \(other.node) reach one machine: both answer with machine id \(own.machineID)",
                    remedy: "correct the address of \(node.id) (\(node.access.address)) or of \(other.node)"
                        + " in \(examination.context.inventory.source.path)")
            } else {
                examination.fail(
                    "\(node.id) and \(other.node) have the same machine id \(own.machineID),"
                        + " so that the tool cannot tell them apart",
                    remedy: "sudo rm /etc/machine-id && sudo systemd-machine-id-setup  # on \(node.id), a cloned image")
            }
        }
        return "\(node.id) differs from all \(seen.count) other nodes that answered"
    }

    static let clock = Check.aboutNode(
        "node.clock",
        CheckText(
            question: "Does the node's clock agree with the operator's?",
            rationale: "Geo refuses requests between sites whose clocks differ by about a minute,"
                + " and records of a failover cannot be put in order.",
            source: "gitlab-geo.md 4.1, 4.11"),
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

extension NodeIdentity {
    var evidenceText: String { "host name \(hostName), machine id \(machineID), boot id \(bootID)" }
}
