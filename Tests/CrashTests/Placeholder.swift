import Testing

@Suite struct CrashTestsPlaceholder {}
