import Testing

@Suite struct RunbookTestsPlaceholder {}
