import Testing

@Suite struct PostgresTransportTestsPlaceholder {}
