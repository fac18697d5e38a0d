package import GeoCore

/// Looks at the operator's own machine: its addresses, what it remembers, what its resolver says. Changes nothing.
package struct LocalLook: Sendable {
    package var machine: @Sendable () async -> Observed<OperatorFacts>
    /// Addresses of a host name or an address, sorted; known and empty when the name stands for none. Bounded in time by
    /// the implementation.
    package var addresses: @Sendable (_ host: String) async -> Observed<[String]>

    package init(
        machine: @escaping @Sendable () async -> Observed<OperatorFacts>,
        addresses: @escaping @Sendable (_ host: String) async -> Observed<[String]>
    ) {
        self.machine = machine
        self.addresses = addresses
    }

    /// Answers nothing.
    package static let none = LocalLook(machine: { .notAsked }, addresses: { _ in .notAsked })
}
