/// Whether `geo promote` did on a node what it claims; its exit status and its last line are only claims.
enum PromotionChecks {
    static let all = [promoted]

    static let promoted = Check.aboutNode(
        "node.promoted",
        CheckText(
            question: "Did the promotion of the node take effect, by everything that can be looked at?",
            rationale: "geo promote prints success and exits 0 after a failed reconfigure, and while PostgreSQL is in"
                + " recovery. The log cursor and the tracking database keep running afterwards: that is no fault.",
            source: cite(.promote, .promoteDatabase, .clusterFile),
            remedy: "sudo gitlab-ctl reconfigure, then sudo gitlab-ctl geo promote --force on the node"),
        needs: { scope, node, context in
            guard node.components.contains(where: \.isPromoted) else { return }
            scope.ask([.attributes, .clusterFile, .services, .changesRunning, .database, .pointInTimeFile], of: [node])
            // A Patroni replica stays in recovery; the site's leader must not.
            if node.runs(.patroni), let site = context.site { scope.ask([.database], of: site.databaseNodes) }
        }
    ) { examination, node in
        guard node.components.contains(where: \.isPromoted) else {
            return "\(node.id) runs nothing that a promotion changes"
        }
        examination.requireGoodAttributes(of: node)
        _ = examination.readClusterFile(of: node)
        examination.requireNoChange(of: node)
        if let services = examination.readServices(of: node) {
            examination.requireRunning(node.expectedServicesOfPrimary, among: services, of: node)
        }
        var told = examination.requirePromotedDatabase(on: node)
        if examination.context.transcript?.saysNotOK == true {
            // The attribute file is complete only after a reconfigure that ended; a bad one has failed above.
            told += "; its output said NOT OK, and a complete reconfigure followed"
            examination.note("the command's output says NOT OK")
        }
        return "\(node.id) is promoted: reconfigured, services up\(told)"
    }
}

extension Examination {
    /// What to add to the sentence of a pass.
    fileprivate mutating func requirePromotedDatabase(on node: Node) -> String {
        guard node.runs(.postgresql) || node.runs(.patroni) else { return "" }
        let file = read(\.pointInTimeFile, "geo-pitr-file", of: node, as: \.evidenceText)
        guard let facts = readDatabase(of: node) else { return "" }
        if facts.isInRecovery {
            if node.runs(.patroni), let site = context.site {
                guard let leader = database(of: site), leader.facts.isInRecovery else {
                    return ", replica of a new leader"
                }
            }
            let data = "/var/opt/gitlab/postgresql/data"
            var remedy = "sudo gitlab-ctl geo promote --force  # on \(node.id)"
            if case .present = file {
                remedy =
                    "sudo mv \(data)/geo-pitr-file \(data)/../geo-pitr-file.old"
                    + " && sudo truncate -s 0 \(data)/gitlab-geo.conf && \(node.toRestartPostgreSQL),"
                    + " wait until it answers, then \(remedy)"
            }
            fail("the database of \(node.id) is still in recovery", remedy: remedy)
            return ""
        }
        guard case .present(let text) = file else { return ", database out of recovery" }
        return ", database out of recovery; geo-pitr-file (\(text)) is still there and must go before the next re-seed"
    }
}
