/// Bytes that wait to be taken from the front.
///
/// Its users bound what they put in.
struct ByteQueue {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ buffer: UnsafeRawBufferPointer) {
        if start > 0 && start == bytes.count { removeAll() }
        unsafe bytes.append(contentsOf: buffer)
    }

    /// Lends the waiting bytes; the body says how many it took.
    @discardableResult
    mutating func take(_ body: (UnsafeRawBufferPointer) -> Int) -> Int {
        let waiting = start
        let taken = unsafe bytes.withUnsafeBytes { unsafe body(UnsafeRawBufferPointer(rebasing: $0[waiting...])) }
        if taken > 0 { start += taken }
        if start == bytes.count {
            removeAll()
        } else if start > 65_536 {
            bytes.removeFirst(start)
            start = 0
        }
        return taken
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 65_536)
        start = 0
    }
}
