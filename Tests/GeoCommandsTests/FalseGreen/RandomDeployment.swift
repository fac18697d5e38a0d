import GeoCore
import GeoTestSupport

/// Deployments that are in order and unlike each other: other positions, counts, ages, sizes, versions and identifiers, the
/// same ones for the same seed.
struct RandomDeployment {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    mutating func number(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) >> 1) % bound
    }

    mutating func observation() -> Observation {
        var observation = Fixtures.healthy()
        spreadDatabases(&observation)
        spreadGeo(&observation)
        spreadMachines(&observation)
        return observation
    }

    private mutating func spreadDatabases(_ observation: inout Observation) {
        let position = LogPosition(bytes: UInt64(0x1000_0000 + number(below: 1 << 44)))
        let behind = UInt64(number(below: 2) * number(below: 16 << 20))
        let (lineage, timeline) = ("74\(1_000_000_000_000_000 + number(below: 1 << 40))", 1 + number(below: 40))
        let version = [130_011, 140_009, 150_018, 160_002, 170_001][number(below: 5)]
        var sender = Fixtures.sender()
        sender.replayed = position
        var receiver = Fixtures.receiver(silence: Double(number(below: 40)))
        receiver.latestEnd = position
        let slot = Fixtures.slot(retainedBytes: number(below: 10 << 30))
        observation.change("tokyo-pg-1") {
            $0.database = Fixtures.seen(
                Fixtures.primary(
                    current: position, senders: [sender], slots: [slot], systemIdentifier: lineage, timeline: timeline,
                    version: version), on: "tokyo-pg-1")
            $0.controlData = Fixtures.seen(
                Fixtures.controlData(
                    "in production", checkpoint: position, systemIdentifier: lineage, timeline: timeline),
                on: "tokyo-pg-1")
        }
        let replayed = LogPosition(bytes: position.bytes - behind)
        let late = Double(number(below: 29))
        observation.change("seoul-pg-1") {
            $0.database = Fixtures.seen(
                Fixtures.standby(
                    replayed: replayed, receiver: receiver, secondsSinceLastReplay: late, systemIdentifier: lineage,
                    timeline: timeline, version: version), on: "seoul-pg-1")
            $0.controlData = Fixtures.seen(
                Fixtures.controlData(
                    "in archive recovery", checkpoint: replayed, systemIdentifier: lineage, timeline: timeline),
                on: "seoul-pg-1")
        }
    }

    private mutating func spreadGeo(_ observation: inout Observation) {
        // One type has nothing, as in most deployments.
        var items: [String: Int] = [:]
        for (type, count) in Fixtures.items.sorted(by: { $0.key < $1.key }) {
            items[type] = count == 0 ? 0 : 1 + number(below: 1 << 20)
        }
        let event = 1 + number(below: 1 << 40)
        let ages = [Double(number(below: 250)), Double(number(below: 250))]
        for node in ["tokyo-pg-1", "seoul-pg-1"] as [NodeID] {
            var geo = Fixtures.geo(lastEventID: event)
            for index in geo.nodes.indices {
                guard var status = geo.nodes[index].status else { continue }
                status.ageSeconds = ages[index]
                for (type, count) in items {
                    for part in ["", "_checksum_total", "_checksummed"] {
                        status.counts["\(type)\(part)_count"] = count
                    }
                }
                geo.nodes[index].status = status
            }
            observation.change(node) { $0.geo = Fixtures.seen(geo, on: node) }
        }
        var tracking = Fixtures.tracking(cursorEventID: event)
        for (type, count) in items { tracking.registries[type] = Fixtures.registry(count) }
        observation.change("seoul-geo-1") { $0.tracking = Fixtures.seen(tracking, on: "seoul-geo-1") }
    }

    private mutating func spreadMachines(_ observation: inout Observation) {
        let machine = Fixtures.machine(processors: 2 + number(below: 60), memory: (4 + number(below: 200)) << 30)
        let version = ["16.11.10-ee.0", "17.7.0-ee.0", "18.5.1-ee.0", "19.3.0-ee.0"][number(below: 4)]
        let secrets = "\(number(below: 1 << 60))"
        for node in Fixtures.inventory().nodes {
            let (milliseconds, offset, free) = (20 + number(below: 2000), number(below: 4000) - 2000, number(below: 80))
            observation.change(node.id) { facts in
                facts.connection = Fixtures.seen(milliseconds)
                facts.clockOffset = Fixtures.seen(offset, on: node.id)
                facts.machine = Fixtures.seen(machine, on: node.id)
                facts.disks = facts.disks.map {
                    $0.map { DiskSpace(path: $0.path, freeBytes: (20 + free) << 30, totalBytes: 100 << 30) }
                }
                guard node.isManagedByOmnibus else { return }
                facts.gitlabVersion = Fixtures.seen(version, on: node.id)
                facts.secretsDigest = Fixtures.seen(secrets, on: node.id)
            }
        }
        let waiting = number(below: 9000)
        observation.change("tokyo-redis-1") {
            $0.queues = Fixtures.seen(["default": waiting, "mailers": 0], on: "tokyo-redis-1")
        }
        let backups = Fixtures.backups(ago: Double(number(below: 172_000)))
        for node in ["tokyo-rails-1", "tokyo-rails-2"] as [NodeID] {
            observation.change(node) { $0.backups = Fixtures.seen(backups, on: node) }
        }
    }
}
