import GeoCore
import GeoViews

/// Prints what a check came to, in the form that was asked for.
struct CheckPresenter {
    let format: CheckOutputOptions

    func show(_ result: CheckLook.Result, since before: SavedCheck?) {
        let report = result.report
        let style = Console.style(forResult: true)
        switch format.output {
        case .json: json(result, since: before)
        case .junit: Console.result(JUnitView.xml(report))
        case .nagios: Console.result(NagiosView.line(report))
        case .markdown: Console.result(ChangeRequestView.markdown(report))
        case .text:
            if let before {
                sayWhatCannotBeCompared(result.saved, before)
                let text = DifferenceView.text(
                    Self.differences(before, result.saved), since: before.at, now: report.now, style: style,
                    isVerbose: format.verbose)
                Console.result(text)
                return
            }
            Console.result(
                FindingsView.text(report.assessments, now: report.now, style: style, isVerbose: format.verbose))
            // The loss stands last, where it is still on the screen.
            for loss in report.losses {
                Console.result(LossView.text(loss, now: report.now, style: style, isDetailed: format.lossDetail))
            }
            if let ranking = result.ranking { Console.result(WatchView.ranking(ranking, style: style)) }
        }
    }

    /// For programs a verdict is the last line.
    private func json(_ result: CheckLook.Result, since before: SavedCheck?) {
        let report = result.report
        if let before {
            sayWhatCannotBeCompared(result.saved, before)
            for line in DifferenceView.json(Self.differences(before, result.saved), since: before.at) {
                Console.result(line)
            }
        }
        for loss in report.losses { Console.result(LossView.json(loss, profile: report.profile)) }
        if let ranking = result.ranking {
            for line in WatchView.json(ranking) { Console.result(line) }
        }
        for line in FindingsView.json(report.assessments, now: report.now) { Console.result(line) }
    }

    private func sayWhatCannotBeCompared(_ after: SavedCheck, _ before: SavedCheck) {
        if after.profile != before.profile {
            Console.say(
                "note: that check was made for \(before.profile.rawValue), this one for \(after.profile.rawValue)")
        }
        if after.inventory.digest != before.inventory.digest {
            Console.say("note: the inventory is not the one of that check")
        }
        for pair in after.pairs where !before.pairs.contains(where: { $0.from == pair.from && $0.to == pair.to }) {
            Console.say("note: that check did not look at \(pair.from) -> \(pair.to)")
        }
    }

    static func differences(_ before: SavedCheck, _ after: SavedCheck) -> [CheckDifference] {
        after.pairs.compactMap { pair in
            before.pairs.first { $0.from == pair.from && $0.to == pair.to }
                .map { CheckDifference(from: $0, to: pair) }
        }
    }
}
