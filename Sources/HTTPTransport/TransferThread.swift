internal import CLibCurl
import Glibc
import Synchronization
import SystemThreads

/// One thread that runs all transfers, through libcurl's multi interface.
///
/// No server, however slow, holds up another request, and cancelling needs no co-operation from one.
@safe
final class TransferThread: Sendable {
    private struct Job: Sendable {
        let id: UInt64
        let request: HTTPRequest
        let start: ContinuousClock.Instant
        let continuation: CheckedContinuation<Result<HTTPResponse, HTTPError>, Never>
    }

    private struct Inbox {
        var arriving: [Job] = []
        var cancelled: [UInt64] = []
        var lastID: UInt64 = 0
    }

    private struct Running {
        let job: Job
        let transfer: Transfer
    }

    /// Connections at once; further requests queue inside their own limits.
    private static let connectionLimit = 128

    /// `nil` when libcurl or its thread could not start.
    ///
    /// Lives as long as the process, asleep when idle.
    static let shared = TransferThread()

    private let inbox = Mutex(Inbox())
    // Used by the one thread alone; others call only `curl_multi_wakeup`, which libcurl allows from anywhere.
    nonisolated(unsafe) private let multi: UnsafeMutableRawPointer

    private init?() {
        guard geo_http_start() == CURLE_OK, let multi = unsafe geo_http_multi(Self.connectionLimit) else { return nil }
        unsafe self.multi = multi
        guard SystemThread.start(named: "geo-http", { [self] in run() }) else { return nil }
    }

    func send(_ request: HTTPRequest) async -> Result<HTTPResponse, HTTPError> {
        let start = ContinuousClock.now
        let id = inbox.withLock { inbox in
            inbox.lastID += 1
            return inbox.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let job = Job(id: id, request: request, start: start, continuation: continuation)
                inbox.withLock { $0.arriving.append(job) }
                // Asked after the job is listed: a cancellation that came earlier found nothing to end.
                if Task.isCancelled { cancel(id) } else { wake() }
            }
        } onCancel: {
            cancel(id)
        }
    }

    private func cancel(_ id: UInt64) {
        inbox.withLock { $0.cancelled.append(id) }
        wake()
    }

    private func wake() { unsafe curl_multi_wakeup(multi) }

    private func run() {
        var running: [UInt64: Running] = [:]
        while true {
            let news = inbox.withLock { inbox in
                defer { (inbox.arriving, inbox.cancelled) = ([], []) }
                return inbox
            }
            for job in news.arriving { begin(job, in: &running) }
            // One that is no longer running has its answer already.
            for id in news.cancelled { end(id, in: &running) { .failure($0.cancelled) } }

            var count: Int32 = 0
            var state = unsafe curl_multi_perform(multi, &count)
            takeFinished(in: &running)
            // At most a minute; libcurl shortens it to its next timer.
            if state == CURLM_OK { state = unsafe curl_multi_poll(multi, nil, 0, 60_000, nil) }
            if state != CURLM_OK { abandon(&running, because: state) }
        }
    }

    private func begin(_ job: Job, in running: inout [UInt64: Running]) {
        do throws(HTTPError) {
            let transfer = try Transfer(job.request, since: job.start)
            let code = unsafe curl_multi_add_handle(multi, transfer.handle)
            guard code == CURLM_OK else {
                throw HTTPError(code: .noResources, request: job.request, detail: Self.sentence(code))
            }
            running[job.id] = Running(job: job, transfer: transfer)
        } catch {
            job.continuation.resume(returning: .failure(error))
        }
    }

    private func takeFinished(in running: inout [UInt64: Running]) {
        var result = CURLE_OK
        while let handle = unsafe geo_http_next_finished(multi, &result) {
            guard let id = running.first(where: { unsafe $0.value.transfer.handle == handle })?.key else { continue }
            end(id, in: &running) { $0.response(after: result) }
        }
    }

    private func end(
        _ id: UInt64, in running: inout [UInt64: Running], with answer: (Transfer) -> Result<HTTPResponse, HTTPError>
    ) {
        guard let ended = running.removeValue(forKey: id) else { return }
        unsafe curl_multi_remove_handle(multi, ended.transfer.handle)
        ended.job.continuation.resume(returning: answer(ended.transfer))
    }

    /// libcurl itself is out of memory or order; no transfer can be trusted to end.
    private func abandon(_ running: inout [UInt64: Running], because code: CURLMcode) {
        for id in running.keys {
            end(id, in: &running) { transfer in
                .failure(HTTPError(code: .noResources, request: transfer.request, detail: Self.sentence(code)))
            }
        }
    }

    private static func sentence(_ code: CURLMcode) -> String { unsafe String(cString: curl_multi_strerror(code)) }
}
