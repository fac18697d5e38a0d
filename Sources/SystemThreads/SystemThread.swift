internal import CLinux
internal import Glibc

/// Detached POSIX threads, for what must not run on Swift's pool: event loops and blocking name lookups.
package enum SystemThread {
    private final class Body {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Starts a thread with all signals blocked: none lands on it or interrupts its waits.
    ///
    /// SIGPIPE among them: OpenSSL raises it by writing to a connection that has gone.
    ///
    /// The name is what `top -H` and debuggers show; the kernel keeps its first 15 bytes. `false`: the system has no
    /// thread left, and `body` is not run.
    package static func start(named name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        var everySignal = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&everySignal)
        // A new thread inherits the mask, so there is no moment in which it could take a signal.
        unsafe pthread_sigmask(SIG_SETMASK, &everySignal, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }

        let context = unsafe Unmanaged.passRetained(Body(name: name, run: body))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
                unsafe geo_name_thread(body.name)
                body.run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            unsafe context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
