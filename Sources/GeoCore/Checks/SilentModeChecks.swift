/// Whether a site keeps quiet: Silent Mode holds back mail, webhooks, mirrors and the like.
enum SilentModeChecks {
    static let all = [silent]

    static let silent = Check.aboutSite(
        "site.silent",
        CheckText(
            question: "Does the site's own database say that Silent Mode is on?",
            rationale:
                "In a drill the promoted site has all data of the real one: without Silent Mode it would write to"
                + " its users, call their webhooks and push to their mirrors. A setting of that name in the database is"
                + " what Rails reads; the promotion's exit status is a claim.",
            source: cite(.silentMode, .disasterRecovery),
            remedy:
                "sudo gitlab-rails runner '::Gitlab::CurrentSettings.update!(silent_mode_enabled: true)' on a Rails "
                + "node",
            versions: "GitLab 16.5 and later"),
        needs: { scope, site, _ in scope.askGeo(of: site) }
    ) { examination, site in
        guard let geo = examination.geo(of: site) else { return "" }
        switch geo.facts.isSilent {
        case true?: break
        case false?:
            examination.fail(
                "\(site.id) is not in Silent Mode: it sends mail and calls webhooks",
                remedy: "sudo gitlab-rails runner '\(ActionCommands.Ruby.silentModeOn)'"
                    + "  # on a Rails node of \(site.id)")
        case nil:
            examination.unknown(
                "the database of \(site.id) has no word of Silent Mode: its GitLab is too old, or was not asked",
                remedy:
                    "sudo gitlab-ctl upgrade to 16.5 or later on the nodes of \(site.id), before any drill")
        }
        return "\(site.id) is in Silent Mode by its own database"
    }
}

extension Examination {
    /// Silent Mode is replicated with all settings, and a drill turns it on: a site may be left in it unawares.
    mutating func warnOfSilentMode(_ facts: GeoFacts, of site: Site) {
        guard facts.isSilent == true else { return }
        warn(
            "\(site.id) is in Silent Mode: no mail, webhooks or mirrors of it go out",
            remedy:
                "sudo gitlab-rails runner '\(ActionCommands.Ruby.silentModeOff)'  # on a Rails node of \(site.id)"
        )
    }
}
