package import GeoCore
package import GeoRuntime

/// What the tool keeps on a node for itself.
package struct SimulatedKeeping: Sendable {
    package var lease: (run: RunID, holder: Actor, epoch: Int, heardAt: Timestamp)?
    package var files: [String: [UInt8]] = [:]
}

extension SimulatedDeployment {
    package var keeper: NodeKeeper {
        NodeKeeper { script, node in
            let answer = self.withState { state -> String? in
                state[node.id].isReachable ? state.keep(script, on: node.id) : nil
            }
            await Task.yield()
            guard let answer else {
                return .failed(NodeFailure(kind: .unreachable, text: "no route to host"))
            }
            return .answered(output: Array(answer.utf8), elapsedMilliseconds: 5)
        }
    }
}

extension SimulatedState {
    /// As the shell script does it, under the node's lock.
    fileprivate mutating func keep(_ script: KeeperScript, on id: NodeID) -> String {
        let mark = script.boundary
        func tell(_ verb: String) -> String {
            let node = self[id]
            let lease = node.keeping.lease.map {
                "\($0.epoch) \($0.run) \($0.holder.token) \($0.heardAt.milliseconds / 1000)"
            }
            return "\(mark) \(verb) \(node.epoch) \(now.milliseconds / 1000) \(lease ?? "-")\n\(mark) end\n"
        }
        let key = "\(script.run)/"
        switch script.operation {
        case .look: return tell("shown")
        case .listRuns:
            let lines = self[id].keeping.files.sorted { $0.key < $1.key }.compactMap { path, bytes in
                path.hasSuffix("/journal.jsonl") ? "\(mark) run \(path.dropLast(14)) \(bytes.count)\n" : nil
            }
            return lines.joined() + "\(mark) end\n"
        case .read(let file, let offset):
            guard let bytes = self[id].keeping.files[key + file.rawValue] else {
                return "\(mark) absent\n\(mark) end\n"
            }
            let part = bytes.dropFirst(offset).prefix(KeeperScript.chunkBytes)
            return
                "\(mark) content \(part.count) \(bytes.count)\n\(String(decoding: part, as: UTF8.self))\n\(mark) end\n"
        case .listJobs:
            let lines = self[id].jobs.map { job in
                let state = job.status.map { "exited:\($0)" } ?? (job.isLost ? "rebooted" : "running")
                return "\(mark) job \(job.run) \(job.key) \(state) 0 4 \(job.arguments.joined(separator: " "))\n"
            }
            return "\(mark) jobs\n" + lines.joined() + "\(mark) end\n"
        case .removeRun, .cancel, .removeSetAside:
            violations.append("\(id): what a run left there is removed or ended, and nobody asked for it")
            return "\(mark) refused the simulator does not do this\n"
        case .take, .beat, .release, .write: changes += 1
        case .readArchive, .readShared, .readConfiguration, .missing, .listSetAside:
            return "\(mark) refused the simulator does not do this\n"
        }
        if self[id].epoch > script.epoch { return tell("newer") }
        let lease = self[id].keeping.lease
        let isOurs = lease?.epoch == script.epoch && lease?.run == script.run
        switch script.operation {
        case .take(let takingOver):
            if let lease, !takingOver, lease.run != script.run || lease.holder.token != script.holder.token {
                return tell("held")
            }
            self[id].epoch = script.epoch
            let heardAt = now
            self[id].keeping.lease = (script.run, script.holder, script.epoch, heardAt)
            return tell("taken")
        case .beat:
            guard isOurs else { return tell("lost") }
            let heardAt = now
            self[id].keeping.lease?.heardAt = heardAt
            return tell("taken")
        case .release:
            if isOurs { self[id].keeping.lease = nil }
            return tell("released")
        case .write(let file, let offset, let bytes):
            var content = offset == 0 ? [] : self[id].keeping.files[key + file.rawValue] ?? []
            if content.count == offset {
                content += bytes
                self[id].keeping.files[key + file.rawValue] = content
            }
            return "\(mark) wrote \(content.count)\n\(mark) end\n"
        case .look, .listRuns, .read, .listJobs, .removeRun, .cancel, .readArchive, .readShared, .readConfiguration,
            .missing, .listSetAside, .removeSetAside:
            return ""
        }
    }
}
