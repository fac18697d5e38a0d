import GeoCore
import GeoDocuments
import Testing

@Suite struct CopyRateTests {
    private static func load(_ rate: String) -> (rate: CopyRate?, problems: [String]) {
        let text = soundInventory + "replication: { password: env:X, copy_rate: \(rate) }\n"
        let (inventory, diagnostics) = loadInventory(text)
        return (inventory?.replication?.copyRate, diagnostics.map(\.description))
    }

    @Test(arguments: [
        ("50MB", 50 << 10, "50M"), ("32kB", 32, "32k"), ("1024MB", 1 << 20, "1024M"), ("1GB", 1 << 20, "1024M"),
        ("2048kB", 2 << 10, "2M"), ("\"100kB\"", 100, "100k"),
    ])
    func aRateIsWhatPostgreSQLTakes(text: String, kilobytes: Int, argument: String) {
        let (rate, problems) = Self.load(text)
        #expect(problems == [])
        #expect(rate?.kilobytesPerSecond == kilobytes && rate?.argument == argument)
    }

    @Test func withoutTheKeyThereIsNoRate() {
        let (inventory, diagnostics) = loadInventory(soundInventory + "replication: { password: env:X }\n")
        #expect(diagnostics.isEmpty && inventory?.replication != nil && inventory?.replication?.copyRate == nil)
    }

    @Test(arguments: [
        ("50", "try: 50MB"), ("50M", "try: 50MB"), ("50 mb/s", "try: 50MB"), ("50MiB", "try: 50MB"),
        ("10kB", "try: 32kB"), ("0MB", "try: 32kB"), ("2GB", "try: 1024MB"), ("100KB", "try: 100kB"),
        ("-5MB", ""), ("fast", ""), ("1.5MB", ""), ("[50MB]", ""), ("99999999999999999999MB", ""), ("\"\"", ""),
    ])
    func anythingElseIsAnErrorWithItsPlaceAndWhatToWrite(text: String, suggestion: String) {
        let (rate, problems) = Self.load(text)
        #expect(rate == nil && problems.count == 1, "\(problems)")
        let line = soundInventory.split(separator: "\n", omittingEmptySubsequences: false).count
        let said = problems.first ?? ""
        #expect(said.contains("\(line):44: error: 'copy_rate' of 'replication' is "), "\(said)")
        #expect(said.contains("expected how much a second, from 32kB to 1024MB, such as 50MB"), "\(said)")
        #expect(said.contains("try:") == !suggestion.isEmpty && said.hasSuffix(suggestion), "\(said)")
    }

    @Test func theSlowestRateThatIsNamedIsFastEnough() {
        for (bytes, seconds) in [(90 << 30, 43_200), (1, 60), (5 << 40, 43_200), ((1 << 20) * 60, 60)] {
            let rate = CopyRate.slowest(for: bytes, within: seconds)
            #expect(rate.map { $0.seconds(for: bytes) <= seconds } == true, "\(bytes) in \(seconds)")
        }
        #expect(CopyRate.slowest(for: 1 << 50, within: 60) == nil)
    }
}
