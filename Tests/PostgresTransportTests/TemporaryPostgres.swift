import Foundation
import PostgresTransport
import Testing

/// A PostgreSQL of this test process alone, in a temporary directory, on an own loopback address.
///
/// A shell supervises it and lives on the other end of a pipe: when the pipe closes, by `stop()` or because this process
/// died, it stops the server and removes the directory.
final class TemporaryPostgres: Sendable {
    @TaskLocal static var current: TemporaryPostgres?

    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    let directory: String
    let address: String
    private let supervisor: Supervisor

    /// A fresh cluster with roles, passwords and a certificate (`ca.crt` in its directory).
    static func primary() async throws -> TemporaryPostgres {
        try await TemporaryPostgres(
            setUp: #"""
                new="-newkey ec -pkeyopt ec_paramgen_curve:P-256"
                openssl req -x509 $new -nodes -days 2 -subj /CN=test-ca -keyout ca.key -out ca.crt 2>&-
                openssl req $new -nodes -subj /CN=test -keyout server.key -out server.csr 2>&-
                echo "subjectAltName=IP:$address" > san
                openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san \
                    -out server.crt 2>&-
                chmod 600 server.key; chmod 644 ca.crt
                if [ "$(id -u)" = 0 ]; then chown postgres:postgres server.key server.crt; fi
                as_postgres initdb -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions
                cp -p "$dir"/server.key "$dir"/server.crt "$dir/data/"
                cat > "$dir/data/pg_hba.conf" <<'EOF'
                local all all trust
                local replication all trust
                host all careful 127.0.0.0/8 scram-sha-256
                host all nobody 127.0.0.0/8 reject
                host all all 127.0.0.0/8 trust
                EOF
                as_postgres pg_ctl -D "$dir/data" -w -t 120 -o "$options -c ssl=on" -l "$dir/log" start
                psql -X -q -h "$dir" -U postgres -d postgres <<'EOF'
                create role careful login password 'correct horse';
                create role nobody login;
                create role writer login; alter role writer set default_transaction_read_only = off;
                create table held(value int); insert into held values (1), (null);
                grant all on held to public;
                create sequence counter;
                EOF
                """#)
    }

    /// A copy of `primary` that streams from it, without TLS.
    static func standby(of primary: TemporaryPostgres) async throws -> TemporaryPostgres {
        try await TemporaryPostgres(
            setUp: """
                as_postgres pg_basebackup -h '\(primary.directory)' -U postgres -D "$dir/data" -R -c fast --no-sync
                as_postgres pg_ctl -D "$dir/data" -w -t 120 \
                    -o "$options -c ssl=off -c max_standby_streaming_delay=0" -l "$dir/log" start
                """)
    }

    /// A copy of `primary` that waits for a WAL file that never comes, so it rejects connections and never opens.
    static func neverOpening(copyOf primary: TemporaryPostgres) async throws -> TemporaryPostgres {
        try await TemporaryPostgres(
            setUp: """
                as_postgres pg_basebackup -h '\(primary.directory)' -U postgres -D "$dir/data" -c fast --no-sync
                as_postgres touch "$dir/data/standby.signal"
                as_postgres pg_ctl -D "$dir/data" -W -o "$options -c restore_command='sleep 600'" -l "$dir/log" start
                for _ in $(seq 600); do
                    answer=0; pg_isready -q -h "$address" -p 5432 || answer=$?
                    if [ "$answer" = 1 ]; then break; fi
                    sleep 0.1
                done
                """)
    }

    private init(setUp: String) async throws {
        let directory = NSTemporaryDirectory() + "geo-pg-\(UUID().uuidString.prefix(8))"
        // All of 127/8 is this machine: an address of its own needs no free port.
        let address = "127.\(Int.random(in: 1...254)).\(Int.random(in: 1...254)).\(Int.random(in: 2...254))"
        self.directory = directory
        self.address = address
        supervisor = try Supervisor(
            script: #"""
                dir='\#(directory)'; address='\#(address)'
                options="-c listen_addresses=$address -c port=5432 -c unix_socket_directories=$dir -c fsync=off"
                options="$options -c max_connections=150 -c shared_buffers=16MB -c wal_keep_size=1GB"
                as_postgres() {
                    if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else "$@"; fi
                }
                clean_up() {
                    as_postgres pg_ctl -D "$dir/data" -m immediate -w stop >/dev/null 2>&1
                    cd / && rm -rf "$dir"
                }
                set_up() (
                    set -e
                    mkdir -m 755 "$dir"; cd "$dir"
                    if [ "$(id -u)" = 0 ]; then chown postgres:postgres "$dir"; fi
                \#(setUp)
                )
                PATH="$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1):$PATH"
                trap '' INT TERM HUP PIPE
                said=$(set_up 2>&1 </dev/null) && echo ready || { echo "$said" | tail -20; cat "$dir/log"; }
                exec >/dev/null
                cat >/dev/null
                clean_up
                """#)
        let (line, rest) = await supervisor.firstLine()
        guard line == "ready" else {
            supervisor.stop()
            throw Refusal(description: "PostgreSQL did not start: \(line)\n\(rest)")
        }
    }

    func stop() { supervisor.stop() }

    /// Over TCP as `postgres`, without TLS, where nothing is asked.
    func endpoint(user: String = "postgres", password: String? = nil) -> PostgresEndpoint {
        let secret = password.map { text in { @Sendable in Array(text.utf8) } }
        return PostgresEndpoint(
            name: "pg", host: address, database: "postgres", user: user, password: secret, tlsMode: .disable)
    }

    var socketEndpoint: PostgresEndpoint {
        PostgresEndpoint(name: "pg", host: directory, database: "postgres", user: "postgres", tlsMode: .disable)
    }

    /// Changes the database, as an administrator would.
    func administer(_ statement: String) async throws {
        let psql = try Supervisor(
            script: """
                psql -X -q -v ON_ERROR_STOP=1 -h '\(directory)' -U postgres -d postgres -c '\(statement)' 2>&1 && echo done
                """)
        let (line, rest) = await psql.firstLine()
        psql.stop()
        guard line == "done" else { throw Refusal(description: line + rest) }
    }
}

/// A shell script of its own process that lives until `stop()`.
final class Supervisor: Sendable {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(script: String) throws {
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    /// What the script prints until it closes its output: the first line, and the others.
    func firstLine() async -> (line: String, rest: String) {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                let lines = text.split(separator: "\n", maxSplits: 1).map(String.init)
                continuation.resume(returning: (lines.first ?? "", lines.dropFirst().first ?? ""))
            }
        }
    }

    /// Ends the script's input, which it waits for, and waits until it has cleaned up.
    func stop() {
        input.fileHandleForWriting.closeFile()
        process.waitUntilExit()
    }
}

/// Gives a suite one server, started before its first test and stopped after its last.
struct PostgresServerTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let server = try await TemporaryPostgres.primary()
        defer { server.stop() }
        try await TemporaryPostgres.$current.withValue(server) { try await function() }
    }
}

extension Trait where Self == PostgresServerTrait {
    static var postgres: Self { Self() }
}
