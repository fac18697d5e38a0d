import Foundation
import GeoCore
import GeoTestSupport
import Testing

/// What the program does on a node, on a folder that looks like one, with a real shell and programs that stand for
/// PostgreSQL's. That a real server streams after it is shown in the lab.
@Suite struct RewindProgramTests {
    private static let system = "7301234567890123456"
    private static let postgresql = "var/opt/gitlab/postgresql"

    /// A former primary that is shut down, beside a source on timeline 2.
    private static func node(state: String = "shut down") throws -> LocalNode {
        let node = try LocalNode()
        let data = "\(postgresql)/data"
        let script = """
            cd '\(node.base)'; mkdir -p \(data)/pg_tblspc \(data)/pg_wal \(data)/pg_replslot/seoul opt/gitlab/embedded/bin opt/gitlab/bin
            echo own >\(data)/postgresql.conf; echo rows >\(data)/rows; : >\(data)/geo-pitr-file; echo down >service
            cd opt/gitlab/embedded/bin
            cat >chpst <<'END'
            shift 2; exec "$@"
            END
            cat >psql <<END
            case "\\$*" in *IDENTIFY_SYSTEM*) echo '\(system)|2|0/3000000|' ;; *count*) echo 0 ;;
            *active*) cat '\(node.base)/slot' 2>/dev/null || echo t ;; esac
            echo "psql \\$*" >>'\(node.base)/said'; cat "\\$PGPASSFILE" >'\(node.base)/password'
            END
            cat >pg_controldata <<'END'
            echo 'Database system identifier:           \(system)'
            echo 'Database cluster state:               \(state)'
            END
            cat >pg_rewind <<END
            echo "pg_rewind \\$*" >>'\(node.base)/said'
            work=\\${1#--target-pgdata=}
            echo theirs >\\$work/postgresql.conf; echo other >\\$work/rows
            [ ! -e '\(node.base)/fails' ]
            END
            cat >../../bin/gitlab-ctl <<END
            case \\$1 in
            status) echo "\\$(cat '\(node.base)/service'): postgresql: 1s" ;;
            start) echo run >'\(node.base)/service'; ls '\(node.base)/\(data)'/standby.signal >>'\(node.base)/said' ;;
            stop) echo down >'\(node.base)/service' ;;
            esac
            END
            cat >../../bin/gitlab-psql <<END
            if [ -e '\(node.base)/streams' ]; then echo 'true streaming 10.77.2.21 tokyo 2'; else echo 'true no WAL receiver'; fi
            END
            for one in * ../../bin/*; do sed -i '1i #!/bin/sh' $one; chmod 755 $one; done
            """
        _ = try LocalNode.sh(script)
        return node
    }

    private static func rewind(_ node: LocalNode) throws -> String {
        let program = RewindProgram(
            StandbyTarget(source: "10.77.2.21", slot: "tokyo", sslMode: "prefer", systemIdentifier: system),
            root: node.base)
        let text = program.arguments(timeLimit: 60, streamsWithin: 1).map(RemoteCommand.quoted).joined(separator: " ")
        return String(
            decoding: try LocalNode.sh("printf '%s\\n' \"a'b\\\\c:d\" | \(text) 2>&1; echo \"exit $?\""), as: UTF8.self)
    }

    /// Names below PostgreSQL's folder that are not of the data directory itself.
    private static func beside(_ node: LocalNode) throws -> [String] {
        let found = try LocalNode.sh("ls -A '\(node.base)/\(postgresql)'")
        return String(decoding: found, as: UTF8.self).split(separator: "\n").map(String.init).filter { $0 != "data" }
    }

    private static func data(_ node: LocalNode, _ name: String) -> String? {
        node.read("\(postgresql)/data/\(name)")
    }

    @Test func aRewoundStandbyHasItsOwnConfigurationAndTheFormerDatabaseIsKept() throws {
        let node = try Self.node()
        _ = try LocalNode.sh(": >'\(node.base)/streams'")
        let said = try Self.rewind(node)
        #expect(said.hasSuffix("exit 0\n"), "\(said)")
        #expect(Self.data(node, "postgresql.conf") == "own\n" && Self.data(node, "rows") == "other\n")
        #expect(Self.data(node, "standby.signal") == "" && Self.data(node, "geo-pitr-file") == nil)
        // Quoted twice: for libpq, and for the file.
        #expect(
            Self.data(node, "gitlab-geo.conf")?.contains(#"password=''a\\''b\\\\c:d'' sslmode=prefer"#) == true,
            "\(Self.data(node, "gitlab-geo.conf") ?? "")")
        let kept = try Self.beside(node)
        #expect(kept.count == 1 && kept[0].wholeMatch(of: /data\.\d+/) != nil, "\(kept)")
        #expect(node.read("\(Self.postgresql)/\(kept[0])/rows") == "rows\n")
        #expect(try LocalNode.sh("ls '\(node.base)/\(Self.postgresql)/data/pg_replslot'").isEmpty)
        // It was a standby before it was started, and again nothing happens.
        #expect(node.read("said")?.contains("standby.signal") == true)
        #expect(try Self.rewind(node).contains("streams from 10.77.2.21 already"))
        #expect(try Self.beside(node) == kept)
    }

    @Test func thePasswordIsInNoArgumentAndInNothingThatItLeaves() throws {
        let node = try Self.node()
        let said = try Self.rewind(node)
        #expect(node.read("password") == "*:*:*:gitlab_replicator:a'b\\\\c\\:d\n")
        #expect(!said.contains("a'b") && node.read("said")?.contains("a'b") == false)
        #expect(try Self.beside(node) == [])
    }

    @Test func whatCannotBeRewoundIsLeftAsItWas() throws {
        let node = try Self.node()
        _ = try LocalNode.sh(": >'\(node.base)/fails'; mkdir '\(node.base)/\(Self.postgresql)/data-rewind'")
        let said = try Self.rewind(node)
        #expect(said.contains("NOT REWOUND: pg_rewind failed") && said.hasSuffix("exit 1\n"), "\(said)")
        #expect(Self.data(node, "rows") == "rows\n" && Self.data(node, "standby.signal") == nil)
        #expect(try Self.beside(node) == [] && node.read("service") == "down\n")
    }

    @Test func whatDoesNotStreamIsStoppedAndTheFormerDatabaseIsPutBack() throws {
        let node = try Self.node()
        let said = try Self.rewind(node)
        #expect(
            said.contains("did not stream within 1 s: true no WAL receiver") && said.hasSuffix("exit 1\n"), "\(said)")
        #expect(Self.data(node, "rows") == "rows\n" && Self.data(node, "standby.signal") == nil)
        #expect(try Self.beside(node) == [] && node.read("service") == "down\n")
    }

    /// A WAL receiver says that it streams before the source has let it.
    @Test func aReceiverWhoseSlotIsNotInUseAtTheSourceDoesNotStream() throws {
        let node = try Self.node()
        _ = try LocalNode.sh(": >'\(node.base)/streams'; echo f >'\(node.base)/slot'")
        let said = try Self.rewind(node)
        #expect(said.contains("slot tokyo of 10.77.2.21 is not in use") && said.hasSuffix("exit 1\n"), "\(said)")
        #expect(Self.data(node, "rows") == "rows\n" && node.read("service") == "down\n")
    }

    @Test(arguments: [
        ("echo run >service", "PostgreSQL runs here"),
        (
            "sed -i 's/shut down/in production/' opt/gitlab/embedded/bin/pg_controldata",
            "the database here is: in production"
        ),
        ("sed -i 's/7301/9/' opt/gitlab/embedded/bin/pg_controldata", "here lies the database 9"),
        ("sed -i 's/7301/9/' opt/gitlab/embedded/bin/psql", "10.77.2.21 has the database 9"),
        ("ln -s /tmp var/opt/gitlab/postgresql/data/pg_tblspc/1", "lies in more than one place"),
    ])
    func whatIsNotAsItHasToBeIsNotTouched(change: String, says: String) throws {
        let node = try Self.node()
        _ = try LocalNode.sh("cd '\(node.base)'; \(change)")
        let said = try Self.rewind(node)
        #expect(said.contains("NOT REWOUND: ") && said.contains(says) && said.hasSuffix("exit 1\n"), "\(said)")
        #expect(Self.data(node, "rows") == "rows\n")
        #expect(node.read("said")?.contains("pg_rewind") != true)
        #expect(try Self.beside(node) == [])
    }
}
