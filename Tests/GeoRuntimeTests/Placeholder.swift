import Testing

@Suite struct GeoRuntimeTestsPlaceholder {}
