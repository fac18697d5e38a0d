import Testing

@Suite struct GeoDocumentsTestsPlaceholder {}
