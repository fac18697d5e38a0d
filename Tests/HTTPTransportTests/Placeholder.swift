import Testing

@Suite struct HTTPTransportTestsPlaceholder {}
