import FoundationEssentials
import GeoCore
import GeoDocuments
import GeoTestSupport
import Testing

/// What is shipped in `runbooks/` and `inventory/`, as an operator's command would load it.
enum Shipped {
    static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    static func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root + "/" + folder).filter { $0.hasSuffix(".yaml") }
            .sorted()
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try #require(FileManager.default.contents(atPath: root + "/" + path)), as: UTF8.self)
    }

    /// Requires that there is nothing to say about it.
    static func inventory(_ name: String) throws -> Inventory {
        let path = "inventory/" + name
        let (inventory, diagnostics) = InventoryDocument.load(
            text: try text(path), path: path, user: "olga", home: "/home/olga")
        #expect(diagnostics.map(\.description) == [])
        return try #require(inventory)
    }

    /// Requires that there is nothing to say about it, by the document's rules or the catalogues.
    static func runbook(_ name: String) throws -> Runbook {
        let path = "runbooks/" + name
        let (runbook, diagnostics) = RunbookDocument.load(
            text: try text(path), path: path, knownChecks: Set(CheckCatalog.all.map(\.id.rawValue)))
        #expect(diagnostics.map(\.description) == [])
        let loaded = try #require(runbook)
        #expect(RunbookLint.problems(of: loaded).map(\.description) == [])
        return loaded
    }

    // MARK: Plans

    /// A failover from Tokyo to Seoul, asked for at a fixed time, on a deployment where all is well.
    static func request(_ runbook: Runbook, _ inventory: Inventory) -> PlanRequest {
        let observation = Fixtures.healthy(inventory)
        return PlanRequest(
            inventory: inventory, runbook: runbook, from: Fixtures.tokyo, to: Fixtures.seoul, observation: observation,
            findings: findings(runbook, inventory, observation), waivers: [], createdAt: Fixtures.moment(30),
            createdBy: "olga@workstation", toolVersion: "0.1.0")
    }

    static func findings(_ runbook: Runbook, _ inventory: Inventory, _ observation: Observation) -> [Finding] {
        let limits = Dictionary(
            runbook.preflight.map { ($0.check, $0.limits) }, uniquingKeysWith: { first, _ in first })
        return CheckCatalog.plannedPreflight.flatMap { item -> [Finding] in
            guard let check = CheckCatalog.check(item.check) else { return [] }
            let subjects = CheckCatalog.subjects(
                of: check, inventory: inventory, from: Fixtures.tokyo, to: Fixtures.seoul)
            return subjects.flatMap { subject in
                let context = CheckContext(
                    inventory: inventory, subject: subject, limits: limits[item.check] ?? .init(), from: Fixtures.tokyo,
                    to: Fixtures.seoul)
                return check.findings(context, observation)
            }
        }
    }

    /// Why there is no plan; empty when there is one.
    static func reasons(against request: PlanRequest) -> [String] {
        do throws(PlanRefusal) {
            _ = try Planner.plan(request)
            return []
        } catch {
            return error.reasons
        }
    }

    static func plan(_ request: PlanRequest) throws -> Plan { try Planner.plan(request) }

    /// Stands for the plan's own, which changes with every byte of a plan.
    static let digest = Digest("sha256:" + String(repeating: "0123456789abcdef", count: 4))
}
