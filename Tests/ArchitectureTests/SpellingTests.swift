import Testing

/// What code of this project does not say, and the few places that may.
@Suite struct SpellingTests {
    @Test(arguments: ["try!", "fatalError(", "NSError(", "Thread.sleep", "DispatchSemaphore", "Task.detached"])
    func neverInProductionCode(spelling: String) throws {
        let places = try Repository.swift(in: "Sources").flatMap { $0.places(of: spelling) }
        #expect(places == [])
    }

    @Test func anErrorIsNeverThrownAwayUnseen() throws {
        let files = try Repository.swift(in: "Sources").filter { !$0.places(of: "try?").isEmpty }.map(\.path)
        #expect(files == [])
    }

    @Test(arguments: [
        "Date()", "Date.now", "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator", "FileManager",
        "Task {",
        "await ", "async ", ".random(", "ProcessInfo",
    ])
    func theCoreDoesNotTouchTheWorld(spelling: String) throws {
        let places = try Repository.swift(in: "Sources/GeoCore").flatMap { $0.places(of: spelling) }
        #expect(places == [])
    }

    @Test(arguments: ["FileManager", "Console.", "getenv", "await ", "async "])
    func viewsAndDocumentsOnlyTurnValuesIntoValues(spelling: String) throws {
        let files = try Repository.swift(in: "Sources/GeoViews") + Repository.swift(in: "Sources/GeoDocuments")
        #expect(files.flatMap { $0.places(of: spelling) } == [])
    }

    @Test func oneFilePrints() throws {
        // A benchmark is a program of its own, and printing is all that it is for.
        let files = try Repository.swift(in: "Sources").filter { !$0.path.hasPrefix("Sources/geo-benchmarks/") }
        for spelling in ["print(", "debugPrint(", "dump(", "fputs("] {
            #expect(files.flatMap { $0.places(of: spelling) } == [], "\(spelling)")
        }
        let writers = files.filter {
            !$0.places(of: "STDOUT_FILENO").isEmpty || !$0.places(of: "STDERR_FILENO").isEmpty
        }
        #expect(writers.map(\.path) == ["Sources/GeoCommands/Terminal/Console.swift"])
    }

    @Test func oneFileAsks() throws {
        let files = try Repository.swift(in: "Sources").filter {
            !$0.places(of: "readLine(").isEmpty || !$0.places(of: "read(STDIN_FILENO").isEmpty
        }
        #expect(files.map(\.path) == ["Sources/GeoCommands/Terminal/Prompt.swift"])
    }

    /// Why the compiler's word is not enough there.
    private static let unchecked: [String: String] = [
        "Sources/SSHTransport/Identity/PrivateKey.swift": "libcrypto's key is only read after it was made",
        "Sources/SSHTransport/Connection/Connection.swift": "confined to the event loop's thread",
        "Sources/SSHTransport/Connection/Dialing.swift": "confined to the event loop's thread",
        "Sources/SSHTransport/Client/Pool.swift": "confined to the event loop's thread",
        "Sources/SSHTransport/Loop/Call.swift": "confined to the event loop's thread",
        "Sources/SSHTransport/Loop/EventLoop.swift": "its queue is locked, the rest is its own thread's",
        "Sources/SSHTransport/Forward/ForwardListener.swift": "confined to the event loop's thread",
        "Sources/HTTPTransport/TransferThread.swift":
            "libcurl's handle is used by its own thread, and woken from others",
    ]

    @Test func sendableIsUncheckedOnlyWhereASentenceSaysWhy() throws {
        let files = try Repository.swift(in: "Sources").filter {
            !$0.places(of: "@unchecked Sendable").isEmpty || !$0.places(of: "nonisolated(unsafe)").isEmpty
        }
        #expect(Set(files.map(\.path)) == Set(Self.unchecked.keys))
    }

    @Test func nothingIsLeftToBeDoneInComments() throws {
        // In two parts, so that this file does not find itself.
        for word in ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK:"] {
            let files = try Repository.everything().filter { $0.says(word) }
            #expect(files.map(\.path) == [], "\(word)")
        }
    }

    /// Tests against real servers poll for a state, each with an end; they never sleep in the hope that it is reached.
    private static let polling: [String: String] = [
        "Tests/SSHTransportTests/": "polls a real sshd or agent, or the client's own counters, until they say so"
    ]

    @Test func testsDoNotSleep() throws {
        for file in try Repository.swift(in: "Tests") where !Self.polling.keys.contains(where: file.path.hasPrefix) {
            guard file.directory != "Tests/ArchitectureTests" else { continue }
            for spelling in [
                "Task.sleep", "usleep(", "nanosleep(", "Thread.sleep", "sleep(for:", "sleep(forTimeInterval",
            ] {
                #expect(file.places(of: spelling) == [], "\(spelling)")
            }
        }
    }

    @Test func noFileHasOutgrownOneReading() throws {
        let files = try Repository.everything().filter { file in
            [".swift", ".py", ".c", ".h"].contains(where: file.path.hasSuffix)
        }
        let long = files.filter { $0.lines.count > 350 }.map { "\($0.path): \($0.lines.count) lines" }
        #expect(long == [])
    }

    @Test func nothingNamesTheMachineItWasMadeOn() throws {
        // In parts, so that this file does not find itself. Homes of people in examples are theirs.
        let patterns = ["/wo" + "rk/", "/Use" + "rs/", "/private" + "/var/", "bash_" + "jobs"]
        for file in try Repository.everything() {
            let said = patterns.filter(file.says)
            #expect(said == [], "\(file)")
            guard file.says("/home/") else { continue }
            let homes = Set(file.text.matches(of: /\/home\/([a-z][\w-]*)/).map { String($0.1) })
            #expect(homes.isSubset(of: ["olga", "geo-ops"]), "\(file)")
        }
    }
}
