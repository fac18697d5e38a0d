import Testing

@Suite struct GeoCoreTestsPlaceholder {}
