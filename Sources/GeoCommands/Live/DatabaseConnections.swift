import GeoCore
import GeoRuntime
import PostgresTransport
import SSHTransport

/// PostgreSQL over its own protocol, where the inventory says `direct` or `tunnel`. Asks the same statements as the
/// shell way, in the same session settings, so that the facts are equal.
final class DatabaseConnections: Sendable {
    private let nodes: NodeConnections

    init(nodes: NodeConnections) { self.nodes = nodes }

    var reader: DatabaseReader {
        let nodes = nodes
        return DatabaseReader { queries, database, node, access in
            let failures = { (failure: NodeFailure) in
                [Result<[UInt8], NodeFailure>](repeating: .failure(failure), count: queries.count)
            }
            switch access.via {
            case .shell: return failures(NodeFailure(kind: .other, text: "the inventory asks databases by shell"))
            case .direct:
                let endpoint = Self.endpoint(node, database, access, host: node.access.address, tls: Self.tls(access))
                return await Self.ask(queries, endpoint, node)
            case .tunnel:
                return await Self.tunnel(queries, database, node, access, nodes)
            }
        }
    }

    /// Through the node's SSH connection: to the unix socket when no password is given (then the SSH user must be a
    /// role of that name), else to the node's own address.
    private static func tunnel(
        _ queries: [DatabaseQuery], _ database: DatabaseQuery.Database, _ node: Node, _ access: DatabaseAccess,
        _ nodes: NodeConnections
    ) async -> [Result<[UInt8], NodeFailure>] {
        let port = port(database, access)
        let folder = database == .main ? "postgresql" : "geo-postgresql"
        let target: SSHForwardTarget =
            access.password == nil
            ? .unixSocket(path: "/var/opt/gitlab/\(folder)/.s.PGSQL.\(port)")
            : .tcp(host: node.access.address, port: UInt16(clamping: port))
        do throws(NodeFailure) {
            let forward = try await nodes.forward(target, from: node)
            let endpoint = endpoint(node, database, access, host: forward.directory, tls: .disable)
            let answers = await ask(queries, endpoint, node)
            await forward.close()
            return answers
        } catch {
            return queries.map { _ in .failure(error) }
        }
    }

    private static func tls(_ access: DatabaseAccess) -> PostgresEndpoint.TLSMode {
        access.sslMode.flatMap(PostgresEndpoint.TLSMode.init(rawValue:)) ?? .verifyFull
    }

    private static func port(_ database: DatabaseQuery.Database, _ access: DatabaseAccess) -> Int {
        database == .main ? access.port : 5431
    }

    private static func endpoint(
        _ node: Node, _ database: DatabaseQuery.Database, _ access: DatabaseAccess, host: String,
        tls: PostgresEndpoint.TLSMode
    ) -> PostgresEndpoint {
        PostgresEndpoint(
            name: node.id.rawValue, host: host,
            port: UInt16(clamping: host.hasPrefix("/") ? 5432 : port(database, access)),
            database: database == .main ? "gitlabhq_production" : "gitlabhq_geo_production",
            user: access.user ?? (database == .main ? "gitlab-psql" : "gitlab_geo"),
            password: access.password.map(Secrets.reader), tlsMode: tls)
    }

    private static func ask(
        _ queries: [DatabaseQuery], _ endpoint: PostgresEndpoint, _ node: Node
    ) async -> [Result<[UInt8], NodeFailure>] {
        let session = DatabaseQueries.session
        do throws(PostgresError) {
            let results = try await PostgresClient.query(
                session + queries.map(\.sql), at: endpoint, timeLimit: .seconds(20))
            return results.dropFirst(session.count).map { result in
                switch result {
                case .rows(_, let rows):
                    if let text = rows.first?.first ?? nil { return .success(Array(text.utf8)) }
                    return .failure(NodeFailure(kind: .other, text: "\(node.id) answered a query with nothing"))
                case .failed(let failure): return .failure(NodeFailure(kind: .other, text: failure.description))
                }
            }
        } catch {
            return queries.map { _ in
                .failure(
                    NodeFailure(
                        kind: error.code == .unreachable ? .unreachable : .other, text: error.detail, hint: error.hint))
            }
        }
    }
}
