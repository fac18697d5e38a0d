import FoundationEssentials
import GeoCore
import GeoViews
import Testing

/// Whoever doubts an answer must be able to look its source up.
@Suite struct CitationTests {
    private static let sources: [(name: String, source: String)] =
        CheckCatalog.all.map { ($0.id.rawValue, $0.source) }
        + ActionCatalog.all.map { ($0.name.rawValue, $0.source) }

    /// A page on the web, a file of a public repository with its version, a manual, or a file of this repository.
    @Test func everySourceIsSomewhereThatAReaderCanGo() throws {
        let publics = [
            "https://docs.gitlab.com/", "omnibus-gitlab 19.3: ", "omnibus-ctl 0.6: ", "gitlab-org/gitlab 19.x: ",
            "PostgreSQL documentation: ", "manual page ", "https://patroni.readthedocs.io/",
        ]
        for (name, source) in Self.sources {
            for place in source.split(separator: ";").map({ $0.drop { $0 == " " } }) {
                if publics.contains(where: place.hasPrefix) { continue }
                let path = String(place.prefix { $0 != "," && $0 != " " })
                #expect(path.hasPrefix("docs/"), "\(name) cites \(place)")
                #expect(FileManager.default.fileExists(atPath: Shipped.root + "/" + path), "\(name) cites \(place)")
            }
        }
    }

    /// The whole catalogue as a reader gets it: no document that only its authors had, no section of one.
    @Test func noTextOfTheCatalogueNamesAFileThatNobodyHas() throws {
        let texts =
            CheckCatalog.all.map { CheckView.explain($0, style: Style()) }
            + ActionCatalog.all.map { ActionView.explain($0, on: nil, style: Style()) }
        for text in texts {
            for match in text.matches(of: /[\w.\/-]+\.md\b/) {
                let path = String(match.0)
                let isHere = FileManager.default.fileExists(atPath: Shipped.root + "/" + path)
                // The package's own documentation, cited as omnibus-gitlab's.
                #expect(isHere || path.hasPrefix("doc/settings/"), "\(path)")
            }
        }
    }
}
