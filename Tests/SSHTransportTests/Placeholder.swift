import Testing

@Suite struct SSHTransportTestsPlaceholder {}
