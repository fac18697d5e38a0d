import GeoCore

/// Why no plan is made of a request; empty: one is.
func refusal(of request: PlanRequest) -> [String] {
    do throws(PlanRefusal) {
        _ = try Planner.plan(request)
        return []
    } catch {
        return error.reasons
    }
}
