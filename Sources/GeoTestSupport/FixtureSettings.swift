package import GeoCore

extension Fixtures {
    /// Of gitlab.rb.
    package static let settingsDigest = Digest(of: Array("gitlab.rb".utf8))

    package static func appliedSettings(isOn: Bool) -> [String: Bool] {
        let names = ["geo_secondary", "geo_logcursor", "geo_postgresql", "patroni['standby_cluster']"]
        return Dictionary(uniqueKeysWithValues: names.map { ($0, isOn) })
    }
}
