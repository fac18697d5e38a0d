package import GeoCore

extension Fixtures {
    /// As ``patroniHealthy()``, with Seoul's members seeded from Tokyo through the slot that gitlab.rb names.
    package static func patroniReturned() -> Observation {
        var observation = patroniHealthy()
        observation.change("tokyo-pg-1") {
            let slots = [slot("geo_secondary"), slot("tokyo_pg_2")]
            let senders = [sender(), sender(address: "10.77.1.22")]
            $0.database = seen(primary(senders: senders, slots: slots), on: "tokyo-pg-1")
        }
        observation.change("seoul-pg-1") {
            $0.database = seen(standby(receiver: receiver(slot: "geo_secondary")), on: "seoul-pg-1")
        }
        return observation
    }

    /// Seoul is to come back: Patroni is stopped on both members, and its store runs.
    package static func patroniReturning() -> Observation {
        var observation = patroniReturned()
        for node in patroniInventory().site(seoul)?.nodes(running: .patroni) ?? [] {
            observation.change(node.id) { facts in
                facts.services = seen(
                    services(node, .down) + [ServiceState(name: "consul", state: .running)], on: node.id)
                facts.patroni = seen(PatroniFacts(members: [], isPaused: false, isStandbyCluster: false), on: node.id)
                for probe in [Probe.database, .server, .geo, .application, .projects, .settings, .accessRules] {
                    facts.markUnknown(probe, reason: "psql: connection refused")
                }
                facts.controlData = seen(controlData("shut down"), on: node.id)
            }
        }
        return observation
    }
}
