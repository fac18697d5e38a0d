/// Durations of the command line, written as in inventories and runbooks.
package enum WrittenDuration {
    /// For messages: `a duration such as 90s, 5m, 2h or 1d`.
    package static let form = Quantity.durationForm

    /// Seconds of `90s 5m 2h 1d`; `nil` for anything else, and beyond 10 years.
    package static func seconds(_ text: String) -> Int? { Quantity.seconds(text) }
}
