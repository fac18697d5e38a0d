package import GeoCore

/// What runs have left on the nodes, by run, newest last.
package enum JobsView {
    package static func text(_ nodes: [NodeJobs], style: Style) -> String {
        var page = Page(style)
        let all = nodes.flatMap { entry in entry.known.map { (node: entry.node, job: $0) } }
        if all.isEmpty { page.say("No node that answered has a job of any run.") }
        for (run, jobs) in Dictionary(grouping: all, by: \.job.run).sorted(by: { $0.key < $1.key }) {
            page.blank()
            page.say(summary(run, jobs), tone: .strong, hanging: 2)
            var table = Table(header: ["node", "job", "state", "command"])
            for (node, job) in jobs { table.add(node.rawValue, job.key, word(job.state), job.command) }
            page.table(table, indent: 2)
        }
        for entry in nodes {
            if case .failure(let unknown) = entry.jobs {
                page.say("\(entry.node): not known, \(unknown.reason)", indent: 2, lead: "-", tone: .bad)
            }
        }
        return page.text
    }

    /// `2026-11-21-0301: 41 jobs on 13 nodes, 1 running, 164 KiB, last changed 3 days ago`
    package static func summary(_ run: RunID, _ jobs: [(node: NodeID, job: NodeJob)]) -> String {
        let alive = jobs.count(where: \.job.isAlive)
        let age = jobs.map(\.job.ageSeconds).min() ?? 0
        let places = Set(jobs.map(\.node)).count
        return "\(run): \(CountText.of(jobs.count, "job")) on \(CountText.of(places, "node"))"
            + (alive > 0 ? ", \(alive) STILL RUNNING" : "")
            + ", \(jobs.map(\.job.kibibytes).reduce(0, +)) KiB, last changed \(DurationText.of(age)) ago"
    }

    package static func word(_ state: NodeJob.State) -> String {
        switch state {
        case .starting: "starting"
        case .running: "RUNNING"
        case .exited(let status): "exited with \(status)"
        case .rebooted: "lost: the node was started again"
        case .vanished: "lost: gone without exit status"
        case .neverStarted: "never started"
        }
    }

    package static func json(_ nodes: [NodeJobs]) -> [String] {
        nodes.flatMap { entry -> [String] in
            switch entry.jobs {
            case .success(let jobs): jobs.map { JSONLine.of(.job, JobBody(entry.node, $0)) }
            case .failure(let unknown):
                [JSONLine.of(.job, JobBody(node: entry.node.rawValue, state: "unknown", reason: unknown.reason))]
            }
        }
    }
}

private struct JobBody: Encodable {
    var node: String
    var run: String?
    var key: String?
    var state: String
    var exitStatus: Int?
    var lastChangedSecondsAgo: Int?
    var kibibytes: Int?
    var command: String?
    var reason: String?
}

extension JobBody {
    init(_ node: NodeID, _ job: NodeJob) {
        let (state, status): (String, Int?) =
            switch job.state {
            case .starting: ("starting", nil)
            case .running: ("running", nil)
            case .exited(let status): ("exited", status)
            case .rebooted, .vanished: ("lost", nil)
            case .neverStarted: ("never-started", nil)
            }
        self.init(
            node: node.rawValue, run: job.run.rawValue, key: job.key, state: state, exitStatus: status,
            lastChangedSecondsAgo: job.ageSeconds, kibibytes: job.kibibytes, command: job.command, reason: nil)
    }
}
