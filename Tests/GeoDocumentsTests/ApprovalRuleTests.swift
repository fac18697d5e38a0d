import GeoCore
import GeoDocuments
import Testing

@Suite struct ApprovalRuleTests {
    @Test(arguments: [
        ("approvals: 2", 2, "conf/allowed_signers"),
        ("approvals: { people: 3 }", 3, "conf/allowed_signers"),
        ("approvals: { people: 1, allowed_signers: /etc/geo/signers }", 1, "/etc/geo/signers"),
    ])
    func theNumberAloneIsEnoughAndTheFileLiesBesideTheInventory(text: String, people: Int, file: String) {
        let (inventory, diagnostics) = loadInventory(soundInventory + text + "\n")
        #expect(diagnostics.map(\.description) == [])
        #expect(inventory?.approvals == ApprovalRule(people: people, allowedSigners: file))
    }

    @Test func withoutTheKeyNobodyHasToSign() {
        #expect(loadInventory(soundInventory).inventory?.approvals == nil)
    }

    @Test(arguments: [
        ("approvals: 0", "'approvals' is"), ("approvals: two", "'approvals' is"),
        ("approvals: { allowed_signers: x }", "has no 'people'"),
        ("approvals: { people: 2, allowed_signers: ~root/x }", "is in the home of somebody else"),
        ("approvals: { people: 2, signers: x }", "has no key 'signers'"),
    ])
    func whatIsNoRuleIsAnError(text: String, problem: String) {
        let (inventory, diagnostics) = loadInventory(soundInventory + text + "\n")
        #expect(inventory == nil)
        #expect(diagnostics.contains { $0.description.contains(problem) }, "\(diagnostics)")
    }
}
