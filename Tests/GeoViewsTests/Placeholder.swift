import Testing

@Suite struct GeoViewsTestsPlaceholder {}
