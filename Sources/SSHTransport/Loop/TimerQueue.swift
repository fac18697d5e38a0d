/// Actions with a time, soonest first: a binary heap whose removed entries are dropped lazily.
struct TimerQueue {
    private struct Entry {
        var time: UInt64
        var id: UInt64
    }

    private var heap: [Entry] = []
    private var actions: [UInt64: () -> Void] = [:]
    private var lastID: UInt64 = 0

    /// When the soonest action is due.
    ///
    /// May be too early after a removal, never too late.
    var next: UInt64? { heap.first?.time }

    mutating func add(at time: UInt64, _ action: @escaping () -> Void) -> UInt64 {
        lastID += 1
        actions[lastID] = action
        heap.append(Entry(time: time, id: lastID))
        siftUp(heap.count - 1)
        return lastID
    }

    mutating func remove(_ id: UInt64) {
        actions[id] = nil
        // Removed entries never outnumber the living ones by much: memory is bounded by the living.
        if heap.count > 64 && heap.count > 4 * actions.count {
            let living = heap.filter { actions[$0.id] != nil }.sorted { $0.time < $1.time }
            heap = living  // a sorted array is a heap
        }
    }

    /// Takes all actions whose time has come.
    mutating func due(at now: UInt64) -> [() -> Void] {
        var taken: [() -> Void] = []
        while let first = heap.first, first.time <= now {
            removeFirst()
            if let action = actions.removeValue(forKey: first.id) { taken.append(action) }
        }
        return taken
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let right = left + 1
            let child = right < heap.count && heap[right].time < heap[left].time ? right : left
            guard heap[child].time < heap[parent].time else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].time < heap[parent].time else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }
}
