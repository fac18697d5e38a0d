import GeoCore

/// Files that operators keep ready for nodes that come back as those of a secondary. They may hold passwords: what is kept
/// of one is its digest.
enum ConfigurationFiles {
    /// What is put in place.
    static func text(of file: ConfigurationFile) throws -> [UInt8] {
        try ConfigurationFile.text(of: Secrets.read(file.content)).get()
    }

    /// The same inventory with a digest of each file, or with what keeps it from being read.
    static func read(_ inventory: Inventory) -> Inventory {
        var known: [SecretReference: Result<Digest, Unreadable>] = [:]
        func digest(_ file: ConfigurationFile) -> Result<Digest, Unreadable> {
            if let digest = known[file.content] { return digest }
            let result: Result<Digest, Unreadable>
            do {
                result = .success(Digest(of: try text(of: file)))
            } catch {
                result = .failure(Unreadable("\(error)"))
            }
            known[file.content] = result
            return result
        }
        var inventory = inventory
        for index in inventory.sites.indices {
            inventory.sites[index].secondaryConfiguration = inventory.sites[index].secondaryConfiguration?.map {
                entry in
                guard case .file(var file) = entry.source else { return entry }
                switch digest(file) {
                case .success(let digest): file.digest = digest
                case .failure(let reason): file.trouble = reason.reason
                }
                return ComponentConfiguration(component: entry.component, source: .file(file))
            }
        }
        return inventory
    }

    /// One sentence for each that cannot be read here.
    static func troubles(_ inventory: Inventory) -> [String] {
        inventory.sites.flatMap { site in
            (site.secondaryConfiguration ?? []).compactMap { entry in
                guard case .file(let file) = entry.source, let trouble = file.trouble else { return nil }
                return
                    "\(inventory.source.path): \(file.content.shown), for \(entry.component.rawValue) of \(site.id), cannot be"
                    + " used: \(trouble)"
            }
        }
    }
}
