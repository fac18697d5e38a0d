import Foundation
import GeoCore
import GeoTestSupport

/// A former primary's node in a folder, and a real PostgreSQL beside it that it is to be copied from. `gitlab-ctl` and what
/// it starts are the server's own programs behind scripts. Both servers end with the test.
final class CopyNode: Sendable {
    static let password = #"a'b\c:d"#
    let node: LocalNode
    /// All of 127/8 is this machine: an address of its own needs no free port.
    let address = "127.\(Int.random(in: 1...254)).\(Int.random(in: 1...254)).\(Int.random(in: 2...254))"
    let system: String

    /// The source runs; the node's own database, of the same lineage, is down and was not shut down cleanly.
    init() throws {
        let node = try LocalNode()
        self.node = node
        let said = String(
            decoding: try LocalNode.sh("base='\(node.base)' address=\(address)\n" + Self.script), as: UTF8.self)
        guard let line = said.split(separator: "\n").last, line.hasPrefix("system ") else {
            throw Refusal(said: said)
        }
        system = String(line.dropFirst(7))
    }

    struct Refusal: Error { var said: String }

    deinit {
        _ = try? LocalNode.sh(
            "cd '\(node.base)'; for one in source \(Self.place)/data; do bin/pg_ctl -D $one -m immediate -w stop; done")
    }

    static let place = "var/opt/gitlab/postgresql"

    /// Checkpoints of the source are not spread: what a copy waits for first is not what is tested.
    private static let script = #"""
        exec 2>&1
        set -e
        real=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
        cd "$base"; chmod 755 .
        place=var/opt/gitlab/postgresql
        mkdir -p bin opt/gitlab/embedded/bin opt/gitlab/bin $place
        user=$(id -un); [ "$user" != root ] || user=postgres
        for name in pg_ctl initdb; do
        cat >bin/$name <<END
        #!/bin/sh
        [ "\$(id -u)" != 0 ] || exec setpriv --reuid=postgres --regid=postgres --init-groups $real/$name "\$@"
        exec $real/$name "\$@"
        END
        done
        cat >opt/gitlab/embedded/bin/chpst <<'END'
        #!/bin/sh
        owner=${2%%:*}; shift 2
        [ "$(id -u)" != 0 ] || exec setpriv --reuid="$owner" --regid="$owner" --init-groups "$@"
        exec "$@"
        END
        ln -s $real/psql $real/pg_controldata opt/gitlab/embedded/bin/
        cat >opt/gitlab/embedded/bin/pg_basebackup <<END
        #!/bin/sh
        echo "pg_basebackup \$*" >>$base/said
        began=\$(date +%s%3N)
        $real/pg_basebackup "\$@"
        status=\$?
        echo "ended \$status after \$((\$(date +%s%3N) - began)) ms" >>$base/said
        exit \$status
        END
        cat >opt/gitlab/bin/gitlab-ctl <<END
        #!/bin/sh
        data=$base/$place/data
        case \$1 in
        status)
        if [ -e \$data/postmaster.pid ] && kill -0 "\$(head -n 1 \$data/postmaster.pid)" 2>/dev/null; then echo "run: postgresql: (pid 1) 1s"
        else echo "down: postgresql: 1s"; fi ;;
        start) $base/bin/pg_ctl -D \$data -W -l $base/log start ;;
        stop) $base/bin/pg_ctl -D \$data -m fast -w stop ;;
        esac >>$base/ctl-said 2>&1 9<&- || true
        case \$1 in status) tail -n 1 $base/ctl-said ;; esac
        END
        cat >opt/gitlab/bin/gitlab-psql <<END
        #!/bin/sh
        exec $real/psql -h $base -p 5433 -U postgres -d postgres "\$@"
        END
        chmod 755 bin/* opt/gitlab/bin/* opt/gitlab/embedded/bin/chpst opt/gitlab/embedded/bin/pg_basebackup
        : >said; : >log; : >ctl-said
        mkdir source; chmod 777 said log; [ "$(id -u)" != 0 ] || chown postgres:postgres . source $place log said
        bin/initdb -D source -U postgres -A trust -E UTF8 --locale=C --no-sync --no-instructions >initdb-said
        cp -a source $place/data
        for end in "source listen_addresses='$address' port=5432" "$place/data listen_addresses='' port=5433"; do
        set -- $end
        printf '%s\n' "$2" "$3" "unix_socket_directories='$base'" fsync=off shared_buffers=16MB checkpoint_timeout=30s \
        checkpoint_completion_target=0 wal_retrieve_retry_interval=100ms "include_if_exists='gitlab-geo.conf'" >$1/postgresql.conf
        done
        echo '# own' >>$place/data/postgresql.conf
        printf '%s\n' 'local all all trust' 'host all gitlab_replicator 127.0.0.0/8 scram-sha-256' \
        'host replication gitlab_replicator 127.0.0.0/8 scram-sha-256' >source/pg_hba.conf
        trap '[ $? = 0 ] || for one in source $place/data; do bin/pg_ctl -D $one -m immediate stop; done >/dev/null' EXIT
        bin/pg_ctl -D source -w -t 120 -l "$base/source-log" start >/dev/null || { cat source-log; exit 1; }
        $real/psql -X -q -v ON_ERROR_STOP=1 -h "$base" -p 5432 -U postgres -d postgres <<'END'
        create role gitlab_replicator replication login password 'a''b\c:d';
        create database gitlabhq_production;
        END
        bin/pg_ctl -D $place/data -w -t 120 -l "$base/log" start >/dev/null || { cat log; exit 1; }
        bin/pg_ctl -D $place/data -m immediate -w stop >/dev/null
        echo "system $($real/pg_controldata source | sed -n 's/^Database system identifier: *//p')"
        """#

    // MARK: What happens to it

    func sh(_ text: String) throws -> String {
        String(decoding: try LocalNode.sh("cd '\(node.base)'\n\(text)"), as: UTF8.self)
    }

    /// Asks the source.
    func sql(_ text: String) throws -> String {
        try sh("psql -XAtq -h '\(node.base)' -p 5432 -U postgres -d postgres -c \(RemoteCommand.quoted(text)) 2>&1")
    }

    /// Asks the node's own database.
    func own(_ text: String) throws -> String { try sh("opt/gitlab/bin/gitlab-psql -XAtqc \"\(text)\" 2>&1") }

    func program(
        rate: Int, system: String? = nil, password: String = CopyNode.password, streamsWithin: Int = 120
    ) -> String {
        guard let rate = CopyRate(kilobytesPerSecond: rate) else { return "false" }
        let target = StandbyTarget(
            source: address, slot: "tokyo", sslMode: "prefer", systemIdentifier: system ?? self.system)
        let words = LimitedCopyProgram(target, rate: rate, root: node.base)
            .arguments(timeLimit: 300, streamsWithin: streamsWithin)
        return "printf '%s\\n' \(RemoteCommand.quoted(password)) | "
            + words.map(RemoteCommand.quoted).joined(separator: " ")
    }

    /// What it printed, and `exit STATUS`.
    func run(_ program: String) throws -> String { try sh("\(program) 2>&1\necho \"exit $?\"") }

    /// Names below PostgreSQL's folder that are not of the data directory itself.
    func beside() throws -> [String] {
        try sh("ls -A '\(Self.place)'").split(separator: "\n").map(String.init).filter { $0 != "data" }
    }

    func data(_ name: String) -> String? { node.read("\(Self.place)/data/\(name)") }

    /// How often pg_basebackup was started.
    var copies: Int { (node.read("said") ?? "").split(separator: "\n").count { $0.hasPrefix("pg_basebackup ") } }
}
