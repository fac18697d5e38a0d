import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// Files of the inventory for nodes of a site that comes back.
@Suite struct ConfiguredSiteTests {
    private static func request(
        _ rig: Rig, _ change: (inout ConfigurationFile) -> Void
    ) -> PlanRequest {
        var request = ReseedTests.request(rig)
        for site in request.inventory.sites.indices {
            request.inventory.sites[site].secondaryConfiguration = request.inventory.sites[site].secondaryConfiguration?
                .map { entry in
                    guard case .file(var file) = entry.source else { return entry }
                    change(&file)
                    return ComponentConfiguration(component: entry.component, source: .file(file))
                }
        }
        return request
    }

    @Test func aFileThatChangedSinceThePlanWasMadeIsNotSentAndTheWayBackIsOpen() async throws {
        let before = await ReseedTests.failedOver()
        let request = Self.request(before) { $0.digest = Digest(of: [1]) }
        let rig = Rig(try PlanFile(try Planner.plan(request)), on: before.deployment, as: "reseed")
        let files = before.deployment.withState { $0["tokyo-geo-1"].configuration.settings }
        #expect(await rig.process() != .ended(.finished), "\(rig.story)")
        #expect(rig.story.contains("is not what it was when the plan was made"), "\(rig.story)")
        #expect(before.deployment.withState { $0["tokyo-geo-1"].configuration.settings } == files)
        #expect(rig.faults == [], "\(rig.faults)")
    }

    @Test func aFileThatCannotBeReadOrThatNobodyLoadsMakesNoPlan() async throws {
        let before = await ReseedTests.failedOver()
        func reasons(_ change: (inout PlanRequest) -> Void) -> [String] {
            var request = ReseedTests.request(before)
            change(&request)
            return refusal(of: request)
        }
        #expect(reasons { _ in } == [])
        let unreadable = reasons {
            $0.inventory =
                Self.request(before) {
                    $0.digest = nil
                    $0.trouble = "no such file"
                }.inventory
        }
        #expect(unreadable.contains { $0.contains("tokyo-geo.rb, which tokyo-geo-1 is to get, cannot be read") })
        #expect(
            reasons { $0.observation.change("tokyo-geo-1") { $0.geoSettings = Fixtures.seen([]) } }
                .contains { $0.contains("write from_file '/etc/gitlab/geo.rb' at its end") })
        let behind = ["from_file '/etc/gitlab/geo.rb'", "geo_postgresql['enable'] = false"]
        #expect(
            reasons { $0.observation.change("tokyo-geo-1") { $0.geoSettings = Fixtures.seen(behind) } }
                .contains { $0.contains("['enable'] = false behind the line that loads /etc/gitlab/geo.rb") })
        let ahead = Array(behind.reversed())
        #expect(reasons { $0.observation.change("tokyo-geo-1") { $0.geoSettings = Fixtures.seen(ahead) } } == [])
        #expect(
            reasons { $0.observation.change("tokyo-geo-1") { $0.configurationFiles = .unknown(reason: "sudo") } }
                .contains { $0.contains("were not read: sudo") })
        // What the node has already is left as it is.
        let wanted = try #require(ReseedTests.inventory.site("tokyo")?.secondaryConfiguration?.first?.source)
        guard case .file(let file) = wanted, let digest = file.digest else { return }
        var request = ReseedTests.request(before)
        request.observation.change("tokyo-geo-1") {
            $0.configurationFiles = Fixtures.seen([file.path.text: digest])
        }
        let plan = try Planner.plan(request)
        #expect(plan.omitted.contains { $0.reason.contains("tokyo-geo-1 has the files of the inventory") })
    }
}
