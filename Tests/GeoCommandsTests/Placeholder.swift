import Testing

@Suite struct GeoCommandsTestsPlaceholder {}
