/// Names and certificates: what users' machines will believe after the failover.
enum NetworkChecks {
    static let all = [dns, timeToLive, certificates, trustedAuthorities]

    static let dns = Check.aboutFailover(
        "site.dns",
        CheckText(
            question: "Do the sites' names lead to the sites, as seen from the operator's machine?",
            rationale:
                "A name that leads to the other site makes every look at one site a look at the other, and a name"
                + " that leads nowhere cannot be moved.",
            source: cite(.disasterRecovery, .plannedFailover),
            remedy: "getent ahosts HOST; then correct the record, /etc/hosts or the site's url in the inventory"),
        needs: { scope, pair, _ in scope.siteNames.formUnion([pair.from.id, pair.to.id]) }
    ) { examination, pair in
        for (site, other) in [(pair.from, pair.to), (pair.to, pair.from)] {
            let fact = examination.observation.siteAddresses[site.id] ?? .notAsked
            let host = URLHost.of(site.url)
            let remedy = "getent ahosts \(host)"
            guard
                let addresses = examination.read(
                    fact, "addresses of \(host)", remedy: remedy,
                    as: { $0.isEmpty ? "none" : $0.joined(separator: ", ") })
            else { continue }
            if addresses.isEmpty {
                examination.fail("the name \(host) of \(site.id) stands for no address", remedy: remedy)
            }
            // Who answers there, as far as the inventory knows; often a load balancer that it does not know.
            for address in addresses {
                let node = examination.context.inventory.nodes.first { $0.access.address == address }
                examination.note("\(address) is \(node?.id.rawValue ?? "no node of the inventory")")
            }
            // One name for both sites is a way to run Geo; then it may lead to either.
            guard URLHost.of(other.url) != host else { continue }
            for node in other.nodes where addresses.contains(node.access.address) {
                examination.fail(
                    "the name \(host) of \(site.id) leads to \(node.id) of \(other.id)",
                    remedy: "\(remedy); correct the record or the url of \(site.id) in"
                        + " \(examination.context.inventory.source.path)")
            }
        }
        return "the names of \(pair.from.id) and \(pair.to.id) lead to addresses of their own"
    }

    static let certificates = Check.aboutFailover(
        "certificate.served",
        CheckText(
            question: "Does the candidate serve certificates that are valid, also for the primary's name?",
            rationale: "After the failover users come by the primary's name, which only the candidate's certificate can"
                + " answer. Whether it does shows no page of GitLab before that moment.",
            source: cite(.disasterRecovery, .plannedFailover),
            remedy: "put a certificate for both names into /etc/gitlab/ssl, sudo gitlab-ctl hup nginx"),
        limits: [
            LimitDefault(
                name: "at_least_seconds", value: 1_209_600, unit: .seconds,
                meaning: "time before a certificate ends below which it warns")
        ],
        needs: { scope, pair, _ in
            guard URLHost.isSecure(pair.from.url) || URLHost.isSecure(pair.to.url) else { return }
            scope.ask([.certificate, .ports], of: pair.to.nodes(running: .rails, .loadBalancer))
        }
    ) { examination, pair in
        guard URLHost.isSecure(pair.from.url) || URLHost.isSecure(pair.to.url) else {
            return "neither URL is https: there is nothing that a certificate would be for"
        }
        let nodes = pair.to.nodes(running: .rails, .loadBalancer)
        var served = 0
        for node in nodes {
            let ports = examination.read(
                \.listeningPorts, "listening ports", of: node,
                as: { $0.map(String.init).joined(separator: ", ") })
            // Not asked for on a node that is known not to speak TLS.
            guard let ports, ports.contains(443) else { continue }
            served += 1
            if let certificate = examination.read(\.certificate, "certificate", of: node, as: \.evidenceText) {
                examination.judge(certificate, of: node, for: pair)
            }
        }
        if served == 0, examination.remarks.isEmpty {
            let host = URLHost.of(pair.to.url)
            examination.unknown(
                "no node of \(pair.to.id) in the inventory listens on 443: TLS ends somewhere else",
                remedy:
                    "openssl s_client -connect \(host):443 </dev/null | openssl x509 -noout -dates -ext subjectAltName")
        }
        return "\(Quantity.count(served, "certificate")) of \(pair.to.id) are valid for"
            + " \(URLHost.of(pair.from.url)) and \(URLHost.of(pair.to.url))"
    }
}

/// The host of an http URL, as inventories have them.
package enum URLHost {
    /// An IPv6 address has colons, an IPv4 address digits and dots only; a name has neither.
    static func isAddress(_ host: String) -> Bool {
        host.contains(":") || host.allSatisfy { $0 == "." || ("0"..."9").contains($0) }
    }

    static func isSecure(_ url: String) -> Bool { url.hasPrefix("https://") }

    package static func of(_ url: String) -> String {
        guard let start = url.firstRange(of: "://")?.upperBound else { return url }
        let authority = url[start...].prefix { $0 != "/" }
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        return String(authority.prefix { $0 != ":" })
    }
}

extension Examination {
    fileprivate mutating func judge(_ certificate: ServedCertificate, of node: Node, for pair: SitePair) {
        let remedy = "put a valid certificate into /etc/gitlab/ssl of \(node.id), sudo gitlab-ctl hup nginx"
        let left = certificate.notAfter.seconds(since: observation.endedAt)
        if left <= 0 {
            fail("the certificate on \(node.id) ended at \(certificate.notAfter.toSeconds)", remedy: remedy)
        } else if left < Double(limit("at_least_seconds")) {
            warn("the certificate on \(node.id) ends at \(certificate.notAfter.toSeconds)", remedy: remedy)
        }
        if certificate.notBefore > observation.endedAt {
            fail("the certificate on \(node.id) begins at \(certificate.notBefore.toSeconds)", remedy: remedy)
        }
        if let mistrust = certificate.mistrust {
            warn(
                "GitLab's own OpenSSL does not trust the certificate on \(node.id): \(mistrust)",
                remedy: "serve the whole chain, or put its authority into /etc/gitlab/trusted-certs of every node,"
                    + " sudo gitlab-ctl reconfigure")
        }
        let names = Quantity.list(certificate.names)
        let (own, future) = (URLHost.of(pair.to.url), URLHost.of(pair.from.url))
        if URLHost.isSecure(pair.to.url), !certificate.covers(own) {
            fail("the certificate on \(node.id) is not for \(own), but for \(names)", remedy: remedy)
        }
        if URLHost.isSecure(pair.from.url), !certificate.covers(future) {
            warn(
                "the certificate on \(node.id) is not for \(future), by which users come after the failover,"
                    + " but for \(names)",
                remedy: "put a certificate for both names into /etc/gitlab/ssl of \(node.id), sudo gitlab-ctl hup nginx"
            )
        }
    }
}

extension ServedCertificate {
    var evidenceText: String {
        "\(subject), for \(Quantity.list(names)), until \(notAfter.toSeconds),"
            + " \(mistrust.map { "not trusted: \($0)" } ?? "trusted")"
    }
}
