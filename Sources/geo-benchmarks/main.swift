import GeoCommands
import GeoCore
import GeoDocuments
import GeoTestSupport
import GeoViews
import Glibc

// What deciding costs, without a network: from the text of an inventory to a printed plan. Run by scripts/bench;
// figures are processor time, medians of five, so that a busy machine does not change them much.

func processorSeconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

func measure(_ name: String, _ body: () throws -> Void) rethrows {
    var taken: [Double] = []
    for _ in 0..<5 {
        let began = processorSeconds()
        try body()
        taken.append((processorSeconds() - began) * 1000)
    }
    let milliseconds = (taken.sorted()[2] * 10).rounded() / 10
    let padding = String(repeating: " ", count: max(1, 44 - name.count))
    FileHandleWriter.write("\(name)\(padding)\(milliseconds) ms\n")
}

enum FileHandleWriter {
    static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }
}

/// Two sites of the lab's shape with as many Gitaly nodes as it takes.
func inventory(nodes count: Int) -> Inventory {
    var inventory = Fixtures.inventory()
    for index in 0..<max(0, count - inventory.nodes.count) {
        let site = index % 2
        let name = "\(inventory.sites[site].id)-gitaly-\(index / 2 + 2)"
        inventory.sites[site].nodes.append(
            Fixtures.node(name, address: "10.78.\(index / 250).\(index % 250 + 1)", [.gitaly]))
    }
    return inventory
}

/// The same as an operator would write it.
func text(_ inventory: Inventory) -> String {
    var text = "schema: 1\ndeployment: bench\nssh: { user: geo-ops, identity: id, known_hosts: known_hosts }\nsites:\n"
    for site in inventory.sites {
        text += "  \(site.id):\n    url: \(site.url)\n    geo_node_name: \(site.geoNodeName)\n    nodes:\n"
        for node in site.nodes {
            let components = node.components.map(\.rawValue).joined(separator: ", ")
            text += "      \(node.id): { address: \(node.access.address), components: [\(components)] }\n"
        }
    }
    return text
}

let directory = CommandLine.arguments.dropFirst().first ?? "runbooks"
let (loaded, problems) = RunbookDocument.load(
    text: try String(contentsOfFileAt: "\(directory)/planned-failover.yaml"), path: "planned-failover.yaml")
guard let runbook = loaded else { preconditionFailure("the shipped runbook does not load: \(problems)") }

for count in [15, 100, 1000] {
    let inventory = inventory(nodes: count)
    let source = text(inventory)
    let observation = Fixtures.healthy(inventory)
    let preflight = Preflight(inventory: inventory, runbook: runbook)
    let pair = Preflight.Pair(from: Fixtures.tokyo, to: Fixtures.seoul)
    let findings = preflight.findings(pair, observation)
    let request = PlanRequest(
        inventory: inventory, runbook: runbook, from: pair.from, to: pair.to, observation: observation,
        findings: findings, waivers: [], createdAt: Fixtures.moment(), createdBy: "bench", toolVersion: "bench")
    let plan = try Planner.plan(request)
    let file = try PlanFile(plan)

    FileHandleWriter.write("\n\(inventory.nodes.count) nodes, \(plan.steps.count) steps\n")
    measure("  inventory from YAML") { _ = InventoryDocument.load(text: source, path: "i.yaml", user: "u", home: "/") }
    measure("  whom to ask what (scope)") { _ = preflight.scope(from: nil, to: nil) }
    measure("  checks (\(findings.count) findings)") { _ = preflight.findings(pair, observation) }
    try measure("  plan with its invariants") { _ = try Planner.plan(request) }
    try measure("  plan file with digest (\(file.bytes.count / 1024) KiB)") { _ = try PlanFile(plan) }
    try measure("  plan file read back") { _ = try PlanFile(reading: file.bytes) }
    measure("  plan as text") { _ = PlanView.text(plan, digest: file.digest, path: "p", style: Style()) }
}

extension String {
    init(contentsOfFileAt path: String) throws {
        guard let file = unsafe fopen(path, "r") else { throw BenchmarkError(text: "cannot read \(path)") }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = unsafe fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        self = String(decoding: bytes, as: UTF8.self)
    }
}

struct BenchmarkError: Error {
    var text: String
}
