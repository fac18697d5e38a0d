/// Whether PostgreSQL lets in those that are to follow it.
enum AccessChecks {
    static let all = [admitsSecondaries]

    static let admitsSecondaries = Check.aboutFailover(
        "database.admits-secondaries",
        CheckText(
            question: "Would the candidate's PostgreSQL let the other sites' databases replicate from it?",
            rationale: "pg_hba.conf names who may replicate, and the secondary's was written before it had anybody to"
                + " feed: re-seeding the former primary then ends with \"no pg_hba.conf entry\". Addresses are compared,"
                + " a node's own ones where the inventory has a name; not users, passwords or translated addresses.",
            source: cite(.databaseSetup, .bringPrimaryBack, .accessRules),
            remedy: "add the other sites' addresses to postgresql['md5_auth_cidr_addresses'] in /etc/gitlab/gitlab.rb"
                + " of the candidate's database nodes, sudo gitlab-ctl reconfigure"),
        needs: { scope, pair, context in
            scope.ask([.accessRules], of: pair.to.databaseNodes)
            scope.askAddresses(of: context.inventory.databaseNodes(besides: pair.to))
        }
    ) { examination, pair in
        if pair.to.databaseNodes.isEmpty { _ = examination.database(of: pair.to) }
        let followers = examination.context.inventory.databaseNodes(besides: pair.to)
        if followers.isEmpty { _ = examination.database(of: pair.from) }
        for node in pair.to.databaseNodes {
            guard let rules = examination.readAccessRules(of: node) else { continue }
            for refused in examination.refused(followers, by: rules, of: node) {
                examination.warn(refused.sentence, remedy: refused.remedy)
            }
        }
        return "pg_hba.conf of \(pair.to.id) lets \(Quantity.list(followers.map(\.id.rawValue))) replicate"
    }
}

extension Inventory {
    fileprivate func databaseNodes(besides site: Site) -> [Node] {
        sites.filter { $0.id != site.id }.flatMap(\.databaseNodes)
    }
}

extension ObservationScope {
    /// What ``Examination/refused(_:by:of:)`` reads of nodes that the inventory has by names only.
    mutating func askAddresses(of nodes: [Node]) {
        ask([.machine], of: nodes.filter { NetworkAddress($0.access.address) == nil })
    }
}

extension Examination {
    mutating func readAccessRules(of node: Node) -> [AccessRule]? {
        let rules = readRows(\.accessRules, "pg_hba.conf", of: node) { rules in
            let told = rules.map { "\($0.address ?? "?")\($0.mask.map { "/\($0)" } ?? "") \($0.method)" }
            return "replication from \(told.isEmpty ? "nowhere" : Quantity.list(told, atMost: 8))"
        }
        for rule in rules ?? [] {
            guard let error = rule.error else { continue }
            fail(
                "PostgreSQL on \(node.id) cannot read its pg_hba.conf (\(error)): it would not start again",
                remedy: "sudo gitlab-psql -c 'SELECT * FROM pg_hba_file_rules WHERE error IS NOT NULL'  # on \(node.id)"
            )
        }
        return rules
    }

    /// Those of the nodes that the rules of a server do not let in.
    mutating func refused(
        _ followers: [Node], by rules: [AccessRule], of node: Node
    ) -> [(sentence: String, remedy: String)] {
        var found: [(sentence: String, remedy: String)] = []
        for follower in followers {
            let name = follower.access.address
            var machine: MachineFacts?
            if NetworkAddress(name) == nil {
                machine = read(\.machine, "machine", of: follower, as: \.evidenceText)
                if machine == nil { continue }
            }
            let addresses = follower.addresses(machine).map(\.address)
            if addresses.isEmpty {
                unknown("\(follower.id) told no address of its own", remedy: "hostname -I  # on \(follower.id)")
                continue
            }
            let answers = addresses.map { rules.admit($0, named: name) }
            guard !answers.contains(true) else { continue }
            if answers.contains(nil) {
                unknown(
                    "pg_hba.conf of \(node.id) speaks of names or of its own networks, which cannot be compared with"
                        + " \(follower.id) (\(name)) from here",
                    remedy: "sudo gitlab-psql -c 'SELECT * FROM pg_hba_file_rules'  # on \(node.id)")
                continue
            }
            let bits = addresses.first.map { $0.bytes.count * 8 } ?? 32
            found.append(
                (
                    "pg_hba.conf of \(node.id) does not let \(follower.id) (\(name)) replicate",
                    "add \(NetworkAddress(name) == nil ? "the address of \(name)" : "\(name)/\(bits)") to postgresql['md5_auth_cidr_addresses'] in /etc/gitlab/gitlab.rb of \(node.id),"
                        + " sudo gitlab-ctl reconfigure"
                ))
        }
        return found
    }
}

extension Node {
    /// Where its connections come from: the inventory's address, or its own where the inventory has a name.
    fileprivate func addresses(_ machine: MachineFacts?) -> [(text: String, address: NetworkAddress)] {
        let isNumber = NetworkAddress(access.address) != nil
        return (isNumber ? [access.address] : machine?.addresses ?? []).compactMap { text in
            NetworkAddress(text).map { (text, $0) }
        }
    }
}

extension [AccessRule] {
    /// The networks that the rules lack to let a node in, as pg_hba.conf writes them; empty where they let it in or only the
    /// server can tell.
    func missing(_ node: Node, _ machine: MachineFacts?) -> [String] {
        let known = node.addresses(machine)
        let answers = known.map { admit($0.address, named: node.access.address) }
        guard !known.isEmpty, answers.allSatisfy({ $0 == false }) else { return [] }
        return known.map { "\($0.text)/\($0.address.bytes.count * 8)" }
    }

    /// By the first rule that is about the address, as PostgreSQL does; one that refuses only some users refuses nobody
    /// here. `nil` where a rule before it may be about the address, and only the server can tell.
    fileprivate func admit(_ address: NetworkAddress, named name: String) -> Bool? {
        for rule in self where rule.error == nil && (rule.method != "reject" || rule.users.contains("all")) {
            switch rule.concerns(address, named: name) {
            case true?: return rule.method != "reject"
            case nil: return nil
            case false?: continue
            }
        }
        return false
    }
}

extension AccessRule {
    /// Names are looked up by the server, and `samenet` is about its own networks: those are not known here, unless the
    /// inventory has the same name. `samehost` is no other node.
    fileprivate func concerns(_ candidate: NetworkAddress, named name: String) -> Bool? {
        guard let address, address != "samehost" else { return false }
        if address == "all" { return true }
        if let network = NetworkAddress(address) {
            guard let mask = mask.flatMap({ NetworkAddress($0) }) else { return network == candidate }
            return candidate.isIn(network, mask: mask)
        }
        let isNamed =
            address.hasPrefix(".")
            ? name.lowercased().hasSuffix(address.lowercased()) : address.lowercased() == name.lowercased()
        return isNamed ? true : nil
    }
}
