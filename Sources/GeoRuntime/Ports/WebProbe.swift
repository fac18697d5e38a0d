package import GeoCore

/// Asks a site's URL over HTTP from the operator's machine.
package struct WebProbe: Sendable {
    /// HTTP status of `GET url`; unknown with the reason when there was no answer.
    package var status: @Sendable (_ url: String) async -> Observed<Int>
    package init(status: @escaping @Sendable (_ url: String) async -> Observed<Int>) { self.status = status }
}
