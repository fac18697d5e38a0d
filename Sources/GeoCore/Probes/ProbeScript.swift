/// The script of one visit: the read-only probes that one node is asked, framed so that a cut or garbled answer shows.
///
/// Only this file makes one, and only from ``Probe`` values; that is how `check` is read-only by type.
package struct ProbeScript: Sendable, Hashable {
    package let text: String
    package let probes: [Probe]
    /// Random per visit, so that no probe's output can imitate a frame.
    package let boundary: String
    package let timeLimitSeconds: Int
    package let outputLimitBytes: Int

    package init(probes: Set<Probe>, node: Node, boundary: String) {
        self.probes = Probe.allCases.filter(probes.contains)
        self.boundary = boundary
        self.text = ""
        self.timeLimitSeconds = 60
        self.outputLimitBytes = 4 << 20
    }
}
