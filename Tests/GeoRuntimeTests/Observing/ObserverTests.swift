import GeoCore
import GeoRuntime
import Synchronization
import Testing

/// The fan-out over nodes, with inspectors that die, hang and dawdle.
struct ObserverTests {
    private static let time = Timestamp(milliseconds: 1_795_221_546_000)

    private static func node(_ id: NodeID, components: [Component] = [.gitaly]) -> Node {
        Node(
            id: id, components: components,
            access: NodeAccess(address: id.rawValue, user: "geo-ops", identity: Identity(), knownHosts: "known_hosts"))
    }

    private static func inventory(_ nodes: [Node], via: DatabaseAccess.Via = .shell) -> Inventory {
        Inventory(
            deployment: "test", database: DatabaseAccess(via: via),
            sites: [Site(id: "tokyo", url: "https://tokyo.example.com", geoNodeName: "tokyo", nodes: nodes)],
            source: DocumentReference(path: "test.yaml", digest: Digest(of: [])))
    }

    private static func observer(
        atOnce: Int = 64, databases: DatabaseReader? = nil, web: WebProbe = WebProbe { _ in .notAsked },
        _ visit: @escaping @Sendable (ProbeScript, Node) async -> NodeVisit
    ) -> Observer {
        Observer(
            inspector: NodeInspector(visit: visit), web: web, databases: databases,
            clock: WallClock(now: { time }, uptime: { .zero }, sleep: { _ in }), atOnce: atOnce,
            boundary: { "0123456789abcdef" })
    }

    /// What a node says that answers `systemctl is-enabled` with `enabled` and nothing else.
    private static func answer(_ script: ProbeScript) -> NodeVisit {
        let b = script.boundary
        let text =
            "\(b) visit 1795221546.000000000\n\n\(b) begin boot\nenabled\n\n\(b) exit 0\n\n\(b) said boot\n\n\(b) end boot\n"
        return .answered(output: Array((text + "\n\(b) trailer 1795221546.100000000\n").utf8), elapsedMilliseconds: 100)
    }

    private static func scope(_ nodes: [Node], _ probes: Set<Probe> = [.boot]) -> ObservationScope {
        var scope = ObservationScope()
        scope.ask(probes, of: nodes)
        return scope
    }

    @Test func deadNodeBlindsNoOther() async {
        let nodes = [Self.node("a"), Self.node("b"), Self.node("c")]
        let observer = Self.observer { script, node in
            node.id == "b"
                ? .failed(NodeFailure(kind: .unreachable, text: "b did not answer on port 22")) : Self.answer(script)
        }
        let seen = await observer.observe(Self.scope(nodes), inventory: Self.inventory(nodes))
        #expect(seen["a"].startsAtBoot == .known(value: true, at: Self.time, from: "a"))
        #expect(seen["c"].startsAtBoot.value == true)
        #expect(seen["b"].startsAtBoot == .unknown(reason: "b was not reached: no connection"))
        #expect(seen["b"].connection == .unknown(reason: "b did not answer on port 22"))
        #expect(seen["b"].services == .notAsked)
    }

    /// A node that refuses the login is there; one that is silent may be anything.
    @Test func howFarAConnectionCameIsKept() async {
        let nodes = [Self.node("a"), Self.node("b"), Self.node("c")]
        let observer = Self.observer { script, node in
            switch node.id {
            case "a": Self.answer(script)
            case "b": .failed(NodeFailure(kind: .authentication, text: "permission denied", contact: .answered))
            default: .failed(NodeFailure(kind: .unreachable, text: "the jump host could not connect"))
            }
        }
        let seen = await observer.observe(Self.scope(nodes), inventory: Self.inventory(nodes))
        #expect(seen["a"].contact == .known(value: .answered, at: Self.time, from: "operator"))
        #expect(seen["b"].contact == .known(value: .answered, at: Self.time, from: "operator"))
        #expect(seen["b"].connection.value == nil)
        #expect(seen["c"].contact == .unknown(reason: "no connection"))
    }

    @Test func onlyWhoIsToLookAtOthersIsTold() async {
        let nodes = [Self.node("a"), Self.node("b")]
        var inventory = Self.inventory([Self.node("c", components: [.postgresql])])
        inventory.sites.append(
            Site(id: "seoul", url: "https://seoul.example.com", geoNodeName: "seoul", nodes: nodes))
        let told = Mutex<[NodeID: PeerLooks]>([:])
        let observer = Self.observer { script, node in
            told.withLock { $0[node.id] = script.looks }
            return Self.answer(script)
        }
        var scope = Self.scope(nodes)
        scope.ask([.views], of: [nodes[0]])
        scope.watched["a"] = ["tokyo"]
        _ = await observer.observe(scope, inventory: inventory)
        let looks = told.withLock { $0 }
        #expect(looks["a"]?.ports.map(\.port) == [22, 5432])
        #expect(looks["a"]?.urls.map(\.url) == ["https://tokyo.example.com"])
        #expect(looks["b"] == PeerLooks.none)
    }

    @Test func eachNodeIsVisitedOnceWithAllItsQuestions() async {
        let nodes = (0..<200).map { Self.node(NodeID("n\($0)")) }
        let visits = Mutex<[NodeID: [Set<Probe>]]>([:])
        let observer = Self.observer { script, node in
            visits.withLock { $0[node.id, default: []].append(Set(script.probes)) }
            return Self.answer(script)
        }
        var scope = Self.scope(nodes)
        scope.ask([.services, .version], of: nodes)
        let seen = await observer.observe(scope, inventory: Self.inventory(nodes))
        #expect(seen.nodes.count == 200)
        #expect(visits.withLock { $0.count } == 200)
        #expect(visits.withLock { $0.values.allSatisfy { $0 == [[.boot, .services, .version]] } })
    }

    @Test func atMostSoManyVisitsRunAtOnce() async {
        let nodes = (0..<50).map { Self.node(NodeID("n\($0)")) }
        let running = Mutex((now: 0, most: 0))
        let observer = Self.observer(atOnce: 4) { script, _ in
            running.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            for _ in 0..<20 { await Task.yield() }
            running.withLock { $0.now -= 1 }
            return Self.answer(script)
        }
        _ = await observer.observe(Self.scope(nodes), inventory: Self.inventory(nodes))
        #expect(running.withLock { $0.most } == 4)
    }

    /// A node whose visit ends only when its own limit says so; the others are reported before.
    @Test func hangingNodeHoldsUpNobody() async {
        let nodes = [Self.node("hung")] + (0..<8).map { Self.node(NodeID("n\($0)")) }
        let (deadline, expire) = AsyncStream<Void>.makeStream()
        let observer = Self.observer(atOnce: 3) { script, node in
            guard node.id == "hung" else { return Self.answer(script) }
            for await _ in deadline { break }
            return .failed(NodeFailure(kind: .timedOut, text: "hung did not answer within 30 s"))
        }
        let finished = Mutex<[NodeID]>([])
        let seen = await observer.observe(Self.scope(nodes), inventory: Self.inventory(nodes)) { node, _ in
            let count = finished.withLock {
                $0.append(node)
                return $0.count
            }
            if count == 8 { expire.yield() }
        }
        #expect(finished.withLock { $0.last } == "hung")
        #expect(finished.withLock { $0.count } == 9)
        #expect(seen["hung"].startsAtBoot == .unknown(reason: "hung was not reached: no answer in time"))
        #expect(seen["n7"].startsAtBoot.value == true)
    }

    @Test func unknownNodeAndSiteAreNamed() async {
        let nodes = [Self.node("a")]
        var scope = Self.scope(nodes)
        scope.probes["ghost"] = [.boot]
        scope.siteURLs = ["tokyo", "atlantis"]
        let web = WebProbe { url in
            url == "https://tokyo.example.com/-/readiness"
                ? .known(value: 200, at: Self.time, from: "operator") : .unknown(reason: url)
        }
        let seen = await Self.observer(web: web) { script, _ in Self.answer(script) }
            .observe(scope, inventory: Self.inventory(nodes))
        #expect(seen["ghost"].startsAtBoot == .unknown(reason: "ghost is not in the inventory"))
        #expect(seen.siteReadiness["tokyo"]?.value == 200)
        #expect(seen.siteReadiness["atlantis"] == .unknown(reason: "atlantis is not in the inventory"))
    }

    @Test func databaseIsAskedDirectlyWhereTheInventorySaysSo() async {
        let nodes = [Self.node("pg", components: [.postgresql])]
        let json = """
            {"nodes":[],"uncounted":{},"maintenance_mode":true,"last_event_id":7}
            """
        let reader = DatabaseReader { queries, database, _, _ in
            #expect(database == .main)
            return queries.map { query in
                query == .geo
                    ? .success(Array(json.utf8)) : .failure(NodeFailure(kind: .unreachable, text: "port 5432 refused"))
            }
        }
        let asked = Mutex<Set<Probe>>([])
        let observer = Self.observer(databases: reader) { script, _ in
            asked.withLock { $0.formUnion(script.probes) }
            return Self.answer(script)
        }
        let scope = Self.scope(nodes, [.boot, .database, .geo])
        let direct = await observer.observe(scope, inventory: Self.inventory(nodes, via: .direct))
        #expect(asked.withLock { $0 } == [.boot])
        #expect(direct["pg"].geo.value == GeoFacts(nodes: [], isInMaintenanceMode: true, lastEventID: 7))
        #expect(direct["pg"].database == .unknown(reason: "port 5432 refused"))
        #expect(direct["pg"].startsAtBoot.value == true)
        let throughShell = await observer.observe(scope, inventory: Self.inventory(nodes))
        #expect(asked.withLock { $0 } == [.boot, .database, .geo])
        #expect(throughShell["pg"].geo == .unknown(reason: "the answer was garbled"))
    }
}
