extension ExecutionStateMachine {
    /// What a look at the verification means for a step whose outcome the journal does not hold.
    ///
    /// Unless its commands `ranThrough`, a verification that may have held before the step is no proof that it did
    /// anything: then it is run again.
    package static func settle(_ step: Step, attempt: Int, findings: [Finding], ranThrough: Bool) -> JournalEntry {
        switch (findings.worst, step.repeatability) {
        case (.pass, .idempotent) where !ranThrough && !step.action.isShownByVerification,
            (.warn, .idempotent) where !ranThrough && !step.action.isShownByVerification:
            .stepStarted(step: step.id, attempt: attempt + 1)
        case (.pass, _), (.warn, _):
            .stepSucceeded(step: step.id, attempt: attempt, how: .recovered, findings: findings)
        case (.fail, .idempotent): .stepStarted(step: step.id, attempt: attempt + 1)
        case (.fail, .once(let because)):
            .stepFailed(
                step: step.id, attempt: attempt,
                reason: "it is in doubt and may not be repeated: \(because)", findings: findings)
        case (.unknown, _):
            .stepFailed(
                step: step.id, attempt: attempt,
                reason: "it is in doubt, and whether it took effect cannot be seen", findings: findings)
        }
    }
}

extension ActionName {
    /// Whether the state that the action's verification looks for is there only after the action. A Rails node that
    /// was never promoted has good attributes and running services too.
    fileprivate var isShownByVerification: Bool {
        switch self {
        case .enableMaintenanceMode, .disableMaintenanceMode, .stopCronJobs, .startCronJobs, .wait, .stopApplication,
            .stopDatabase, .stopAndDisable, .startAndEnable, .isolateNode, .resumeReplay, .saveDivergence, .confirm,
            .setExternalURL, .updatePrimaryURL, .configureSecondary, .liftBootGuard, .replicateDatabase,
            .seedStandbyLeader, .seedReplica, .registerSite,
            .migrateTracking, .restoreNode, .preparePrimary, .copySecrets, .dropSlots, .permitRewind,
            .forbidRewind:
            true
        // The node of a secondary that was never touched is in service, too.
        // What is copied last makes a service read it again.
        case .promoteNode, .reconfigure, .bringNodeBack, .resetTracking, .copyHostKeys, .trustPrimary, .writeProbe,
            .pushCanary, .hook,
            .manual:
            false
        }
    }
}

extension Step {
    /// What it did can be looked up on a node, under a key.
    var runsOnNode: Bool {
        if case .commands = operation { true } else { false }
    }
}
