import GeoCore

extension Fixtures {
    /// Of gitlab.rb.
    package static let settingsDigest = String(Digest(of: Array("gitlab.rb".utf8)).text.dropFirst("sha256:".count))

    package static func appliedSettings(isOn: Bool) -> [String: Bool] {
        let names = ["geo_secondary", "geo_logcursor", "geo_postgresql", "patroni['standby_cluster']"]
        return Dictionary(uniqueKeysWithValues: names.map { ($0, isOn) })
    }
}
