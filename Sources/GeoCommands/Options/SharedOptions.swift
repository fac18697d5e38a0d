import ArgumentParser
import FoundationEssentials
import GeoCore
import GeoDocuments
import GeoRuntime

enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable { case text, json, markdown }

struct InventoryOptions: ParsableArguments {
    @Option(
        name: [.customShort("i"), .customLong("inventory")],
        help: "The inventory file. Environment: GEO_FAILOVER_INVENTORY.")
    var path: String?

    var resolvedPath: String { path ?? Settings.environment("GEO_FAILOVER_INVENTORY") ?? "inventory.yaml" }

    /// The inventory, with its warnings said. Every problem of a bad file is said at once.
    func load() throws -> Inventory {
        let path = resolvedPath
        let (inventory, diagnostics) = InventoryDocument.load(
            text: try Documents.text(path, kind: "inventory", hint: "give one with --inventory FILE"),
            path: path, user: Settings.user, home: Settings.home)
        return try Documents.accept(inventory, diagnostics)
    }

    /// A run acts on the nodes of its own plan, and needs no inventory. Where the operator named one all the same, it says
    /// which deployment they mean; the folder of a run may have been copied from another.
    ///
    /// - Throws: ``CommandFailure`` (refused) when the two are different deployments.
    func refuseOtherDeployment(_ plan: Plan, of run: RunID) throws {
        guard path != nil || Settings.environment("GEO_FAILOVER_INVENTORY") != nil else { return }
        let named: String
        do {
            named = try load().deployment
        } catch is CommandFailure {
            Console.say(
                "note: \(resolvedPath) cannot be used; \(run) goes on by its own plan, of \(plan.inventory.deployment)")
            return
        }
        guard named != plan.inventory.deployment else { return }
        throw CommandFailure(
            """
            \(run) is a run on the deployment \(plan.inventory.deployment), and \(resolvedPath) is of \(named).
            Nothing was done. If the run's folder was copied here by mistake, move it away; if it is the one you mean, name
            its own inventory: --inventory FILE
            """, .refused)
    }
}

struct OutputOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "text, json (versioned lines), or markdown where it makes sense.")
    var output: OutputFormat = .text

    @Flag(name: .long, help: "Show passes and all evidence too.")
    var verbose = false
}

struct StateOptions: ParsableArguments {
    @Option(name: .customLong("state-dir"), help: "Where runs are kept. Environment: GEO_FAILOVER_STATE.")
    var directory: String?

    var path: String { directory ?? Self.usual }
    var runsDirectory: String { path + "/runs" }

    static var usual: String { Settings.environment("GEO_FAILOVER_STATE") ?? Settings.stateDirectory }

    /// The named run, or the newest one.
    func run(_ name: String?) throws -> RunDirectory {
        if let name {
            let directory = RunDirectory(run: RunID(name), under: runsDirectory)
            guard FileManager.default.fileExists(atPath: directory.planPath) else {
                throw CommandFailure("there is no run named \(name) in \(runsDirectory)", .badDocument)
            }
            return directory
        }
        // One that was refused before it changed anything says nothing of the deployment.
        let all = try names()
        let acting = try all.last { name in
            try !RecordedRun(RunDirectory(run: RunID(name), under: runsDirectory)).state.acted.isEmpty
        }
        guard let newest = acting ?? all.last else {
            throw CommandFailure(
                "there is no run in \(runsDirectory): nothing was executed from this machine yet", .badDocument)
        }
        return RunDirectory(run: RunID(newest), under: runsDirectory)
    }

    /// Names of runs, oldest first: they begin with their time.
    func names() throws -> [String] {
        guard FileManager.default.fileExists(atPath: runsDirectory) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: runsDirectory).filter {
            FileManager.default.fileExists(atPath: RunDirectory(run: RunID($0), under: runsDirectory).planPath)
        }.sorted()
    }
}

/// Reading the operator's files.
enum Documents {
    static func text(_ path: String, kind: String, hint: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("the \(kind) \(path) cannot be read: \(hint)", .badDocument)
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure("\(path):1:1: error: this is not text in UTF-8", .badDocument)
        }
        return text
    }

    static func accept<Value>(_ value: Value?, _ diagnostics: [Diagnostic]) throws -> Value {
        for diagnostic in diagnostics { Console.say(diagnostic.description) }
        guard let value else {
            let count = diagnostics.count { $0.severity == .error }
            throw CommandFailure("\(count) \(count == 1 ? "problem" : "problems"); nothing was done", .badDocument)
        }
        return value
    }

    /// A runbook by path, or by name in the usual folders.
    static func runbook(_ name: String) throws -> Runbook {
        let path = try runbookPath(name)
        let (runbook, diagnostics) = RunbookDocument.load(
            text: try text(path, kind: "runbook", hint: "see geo-failover runbook list"), path: path,
            knownChecks: Set(CheckCatalog.all.map(\.id.rawValue)))
        let accepted = try accept(runbook, diagnostics)
        let problems = RunbookLint.problems(of: accepted)
        guard problems.isEmpty else {
            for problem in problems { Console.say("\(path): error: \(problem)") }
            throw CommandFailure("\(problems.count) problems in \(path); nothing was done", .badDocument)
        }
        return accepted
    }

    static func runbookPath(_ name: String) throws -> String {
        if name.contains("/") || name.hasSuffix(".yaml") || name.hasSuffix(".yml") { return name }
        for directory in Settings.runbookDirectories {
            let path = "\(directory)/\(name).yaml"
            if FileManager.default.fileExists(atPath: path) { return path }
        }
        throw CommandFailure("there is no runbook named \(name); see geo-failover runbook list", .badDocument)
    }
}
