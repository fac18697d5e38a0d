extension NetworkChecks {
    static let timeToLive = Check.aboutFailover(
        "site.dns-ttl",
        CheckText(
            question: "Would users follow soon, when the primary's name is led to another address?",
            rationale:
                "Resolvers keep an address as long as its record says. With a day, users are sent to the site that"
                + " was left for a day, and no page of GitLab shows it.",
            source: cite(.plannedFailover, .disasterRecovery),
            remedy: "lower the record's time to live, at least that long before the failover"),
        limits: [
            LimitDefault(
                name: "at_most_seconds", value: 300, unit: .seconds,
                meaning: "time to live of the primary's name beyond which it warns")
        ],
        needs: { scope, pair, _ in
            if !URLHost.isAddress(URLHost.of(pair.from.url)) { scope.siteRecords.insert(pair.from.id) }
        }
    ) { examination, pair in
        let host = URLHost.of(pair.from.url)
        guard !URLHost.isAddress(host) else {
            return "users come by the address \(host): there is nothing that a resolver could keep"
        }
        let remedy = "dig +noall +answer \(host)"
        let record = examination.read(
            examination.observation.siteRecords[pair.from.id] ?? .notAsked, "DNS record of \(host)", remedy: remedy,
            as: { $0.timeToLive.map { "kept for \($0) s" } ?? "there is none" })
        guard let record else { return "" }
        guard let seconds = record.timeToLive else {
            examination.warn(
                "DNS has no address for \(host): users find it by other means, and have to be moved by them",
                remedy: "\(remedy); getent ahosts \(host)  # where this machine has it from")
            return ""
        }
        if seconds > examination.limit("at_most_seconds") {
            examination.warn(
                "resolvers keep the address of \(host) for \(Quantity.days(Double(seconds))) or longer, at most"
                    + " \(examination.limit("at_most_seconds")) s is wanted",
                remedy: "lower the time to live of \(host), that long before the failover")
        }
        return "this machine's resolver keeps the address of \(host) for \(seconds) s more"
    }

    static let trustedAuthorities = Check.aboutFailover(
        "certificate.authorities",
        CheckText(
            question: "Does the candidate trust every authority that the primary was told to trust?",
            rationale:
                "An authority of one's own is put into /etc/gitlab/trusted-certs by hand, node by node. Where it is"
                + " missing, mail, directories, webhooks and object storage fail after the failover.",
            source: cite(.customCertificates, .plannedFailover),
            remedy: "copy the files to /etc/gitlab/trusted-certs of the candidate's nodes, sudo gitlab-ctl reconfigure"),
        needs: { scope, pair, _ in scope.ask([.trustedCertificates], of: pair.nodes) }
    ) { examination, pair in
        let seen = [pair.from, pair.to].map { site in
            examination.readEach(
                \.trustedCertificates, "trusted certificates", of: site.nodes(running: .rails, .sidekiq)
            ) { prints in
                prints.isEmpty ? "none" : Quantity.list(prints.map { String($0.prefix(16)) })
            }
        }
        let wanted = Set(seen[0].flatMap(\.value))
        for (node, prints) in seen[1] {
            let missing = wanted.subtracting(prints).sorted()
            guard let first = missing.first else { continue }
            let owner = seen[0].first { $0.value.contains(first) }?.node.id ?? node.id
            examination.warn(
                "\(node.id) lacks \(Quantity.count(missing.count, "certificate")) of /etc/gitlab/trusted-certs that"
                    + " \(owner) has (SHA-256 \(first.prefix(16))...)",
                remedy: "copy /etc/gitlab/trusted-certs of \(owner) to \(node.id), sudo gitlab-ctl reconfigure there")
        }
        return "\(pair.to.id) trusts the \(Quantity.count(wanted.count, "authority", "authorities")) of its own that"
            + " \(pair.from.id) trusts"
    }
}
