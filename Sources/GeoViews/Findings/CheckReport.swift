package import GeoCore

/// Everything that one `check` found out, for the views that show it whole.
package struct CheckReport: Sendable, Hashable {
    package var deployment: String
    package var profile: CheckProfile
    package var assessments: [Assessment]
    /// One per assessed failover; empty where a loss is no question.
    package var losses: [LossStatement]
    package var startedAt: Timestamp
    package var endedAt: Timestamp
    /// The operator's clock, for ages.
    package var now: Timestamp

    package init(
        deployment: String, profile: CheckProfile, assessments: [Assessment], losses: [LossStatement],
        startedAt: Timestamp, endedAt: Timestamp, now: Timestamp
    ) {
        self.deployment = deployment
        self.profile = profile
        self.assessments = assessments
        self.losses = losses
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.now = now
    }

    func loss(of assessment: Assessment) -> LossStatement? {
        losses.first { Subject.failover(from: $0.from, to: $0.to) == assessment.subject }
    }

    var seconds: Double { max(0, endedAt.seconds(since: startedAt)) }
}

extension Finding {
    /// What is only believed of a site that was left stands in red wherever it is shown.
    var tone: Style.Tone { check == "operator.left-proven" && verdict != .pass ? .bad : .plain }

    /// Evidence and remedy under a sentence, as the formats for programs show them to people.
    func detailLines(now: Timestamp) -> [String] {
        let seen = evidence.map { evidence in
            let source = [evidence.from.map { "seen from \($0)" }, evidence.at.map { AgeText.of($0, now: now) }]
                .compactMap(\.self).joined(separator: ", ")
            return "  " + Plain.line(evidence.text) + (source.isEmpty ? "" : " (\(source))")
        }
        let fix = Plain.lines(remedy ?? "").filter { !$0.isEmpty }.map { "fix: \($0)" }
        return [Plain.line(summary)] + seen + fix
    }
}
