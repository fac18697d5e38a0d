extension ActionCatalog {
    /// What brings a former primary back as a secondary.
    static func reseeding(_ name: ActionName) -> Action {
        switch name {
        case .configureSecondary: configureSecondary
        case .liftBootGuard: liftBootGuard
        case .replicateDatabase: replicateDatabase
        case .seedStandbyLeader: seedStandbyLeader
        case .seedReplica: seedReplica
        case .registerSite:
            Action(
                name: name, reach: .node,
                summary:
                    "Writes the row of the site that comes back into Geo's tables, by one Rails node of the primary.",
                source: cite(.bringPrimaryBack, .configuration), components: [.rails], part: .from, effect: .none,
                effectText: "the primary lists one more site", expectedSeconds: 40, timeLimitSeconds: 600)
        case .resetTracking:
            Action(
                name: name, reach: .node,
                summary:
                    "Gives the site an empty tracking database; one of an earlier time is renamed and kept.",
                source: cite(.bringPrimaryBack, .troubleshootingSync), components: [.trackingDB], part: .to,
                effect: .none, effectText: "the site serves nobody yet", expectedSeconds: 180, timeLimitSeconds: 1800)
        case .migrateTracking:
            Action(
                name: name, reach: .node, summary: "Makes the tables of the tracking database, by one Rails node.",
                source: cite(.bringPrimaryBack, .troubleshooting), components: [.rails], part: .to, effect: .none,
                effectText: "the site serves nobody yet", expectedSeconds: 60, timeLimitSeconds: 1800)
        case .restoreNode:
            Action(
                name: name, reach: .node,
                summary:
                    "Takes back what the steps of a re-seed did to a node, last first; made by abort, never written.",
                source: cite(.promise(12), .serviceControl), part: .to, effect: .none,
                effectText: "the node is as it was", expectedSeconds: 30, timeLimitSeconds: 600)
        default:
            Action(
                name: name, reach: .node,
                summary: "Lets services start at boot again, applies gitlab.rb, and starts everything.",
                source: cite(.bringPrimaryBack, .serviceControl, .bootUnit), part: .to, effect: .none,
                effectText: "the node serves a secondary", expectedSeconds: 150, timeLimitSeconds: 1800)
        }
    }

    private static var configureSecondary: Action {
        Action(
            name: .configureSecondary, reach: .node,
            summary:
                "Turns on in gitlab.rb what only a secondary runs, or puts files in place; sets gitlab-cluster.json aside; all are kept.",
            source: cite(.bringPrimaryBack, .multipleNodes, .clusterFile), part: .to, effect: .none,
            effectText: "nothing changes before the node is reconfigured", expectedSeconds: 5, timeLimitSeconds: 60)
    }

    private static var liftBootGuard: Action {
        Action(
            name: .liftBootGuard, reach: .node,
            summary:
                "Lets runit run again on a fenced node, with its services held down; for Patroni, its store alone runs.",
            source: cite(.bringPrimaryBack, .serviceControl, .bootUnit), components: [.postgresql, .patroni, .consul],
            part: .to, effect: .none, effectText: "nothing that serves users starts", expectedSeconds: 10,
            timeLimitSeconds: 60)
    }

    private static var replicateDatabase: Action {
        Action(
            name: .replicateDatabase, reach: .node,
            summary:
                "Moves the node's database aside and copies the primary's: gitlab-ctl replicate-geo-database, a rewind, or a copy with a rate.",
            source: cite(
                .bringPrimaryBack, .databaseSetup, .replicate, .rewind, .decision("0024-a-copy-with-a-rate")),
            components: [.postgresql], part: .to,
            effect: .none, effectText: "the primary sends its whole database over the network", expectedSeconds: 1800,
            timeLimitSeconds: 43_200)
    }
}
