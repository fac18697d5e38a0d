package import GeoCore

/// Looks at the operator's own machine: its addresses, what it remembers, what its resolver says. Changes nothing.
package struct LocalLook: Sendable {
    package var machine: @Sendable () async -> Observed<OperatorFacts>
    /// Addresses of a host name or an address, sorted; known and empty when the name stands for none. Bounded in time by
    /// the implementation.
    package var addresses: @Sendable (_ host: String) async -> Observed<[String]>

    /// What DNS says of a host name; unknown when no resolver answered. Bounded in time by the implementation.
    package var record: @Sendable (_ host: String) async -> Observed<NameRecord>

    /// Exit status of a fencing program's `prove`; unknown when it could not be run, was ended by a signal, or took
    /// longer than its limit.
    package var prove: @Sendable (_ program: FenceProgram) async -> Observed<Int>

    package init(
        machine: @escaping @Sendable () async -> Observed<OperatorFacts>,
        addresses: @escaping @Sendable (_ host: String) async -> Observed<[String]>,
        record: @escaping @Sendable (_ host: String) async -> Observed<NameRecord> = { _ in .notAsked },
        prove: @escaping @Sendable (_ program: FenceProgram) async -> Observed<Int> = { _ in .notAsked }
    ) {
        self.machine = machine
        self.addresses = addresses
        self.record = record
        self.prove = prove
    }

    /// Answers nothing.
    package static let none = LocalLook(machine: { .notAsked }, addresses: { _ in .notAsked })
}
