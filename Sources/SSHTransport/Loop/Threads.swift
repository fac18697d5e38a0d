internal import CLinux
internal import Glibc

/// Detached POSIX threads, for what must not run on Swift's pool: the loop itself and the blocking name lookup.
enum Threads {
    private final class Body {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts a thread with all signals blocked, so that a signal never lands on it.
    static func start(named name: String, _ run: @escaping @Sendable () -> Void) {
        var all = sigset_t()
        var previous = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, &previous)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &previous, nil) }

        var thread = pthread_t()
        let body = unsafe Unmanaged.passRetained(Body(name: name, run: run)).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { pointer in
                guard let pointer = unsafe pointer else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue()
                unsafe geo_name_thread(body.name)
                body.run()
                return nil
            }, body)
        precondition(code == 0, "the system gives no thread")
        pthread_detach(thread)
    }
}
