/// Sidekiq's cron jobs that an administrator had switched off before a run: they stay off, on either way out of it.
///
/// Their state is in each site's Redis and is not replicated, and GitLab's promotion enables them all on the site that it
/// promotes (gitlab-geo 5.2, items 9 and 20). So what was off is remembered from before the run stopped the others.
package enum CronJobs {
    /// Names of GitLab's ordinary jobs that are off on a site, sorted. Geo's own follow the role of the site by themselves.
    ///
    /// Empty where Redis did not tell, and where half of them or more are off: nobody chose that, it is what a run that was
    /// broken off left, and a site without cron jobs is worse than one with a job too many.
    package static func switchedOff(on site: Site?, in observation: Observation) -> [String] {
        let seen = (site?.nodes(running: .redis) ?? []).compactMap { observation[$0.id].cronStates.value }
        let ordinary = merged(seen).filter { !$0.key.contains("geo") }
        let off = ordinary.filter { $0.value == "disabled" }.keys.filter(isName).sorted()
        return off.count * 2 < ordinary.count ? off : []
    }

    /// Of all Redis nodes of a site: replicas repeat the jobs of their primary, and where they differ, what is off counts.
    static func merged(_ seen: [[String: String]]) -> [String: String] {
        seen.reduce(into: [:]) { $0.merge($1) { $0 == "enabled" ? $1 : $0 } }
    }

    /// Goes into Ruby as a word of `%w[]`.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == 0x5F
            }
    }
}
