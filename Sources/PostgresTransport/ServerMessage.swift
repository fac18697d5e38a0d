import CLibPQ
import Glibc

/// Reads what libpq says in English sentences when a session does not come about.
///
/// libpq gives no code then; the messages are asked for in verbose form so that the server's SQLSTATE is in them.
struct ServerMessage {
    /// The last SQLSTATE in the text; with `sslmode=prefer` the text tells of two attempts.
    let sqlState: String?
    /// One line, without SQLSTATE and without the place in the server's source.
    let text: String

    init(verbose: String) {
        var sqlState: String?
        var lines: [String] = []
        for line in verbose.split(whereSeparator: \.isNewline) where !line.hasPrefix("LOCATION: ") {
            var words = line.split(separator: " ").map(String.init)
            if let index = words.firstIndex(where: Self.isSQLState), index > 0, words[index - 1].hasSuffix(":") {
                sqlState = String(words.remove(at: index).dropLast())
            }
            lines.append(words.joined(separator: " ").filter { $0 != "\t" })
        }
        self.sqlState = sqlState
        self.text = lines.joined(separator: "; ")
    }

    private static func isSQLState(_ word: String) -> Bool {
        word.utf8.count == 6 && word.hasSuffix(":")
            && word.utf8.dropLast().allSatisfy { (48...57).contains($0) || (65...90).contains($0) }
            && word.utf8.dropLast().contains { (48...57).contains($0) }
    }

    /// The error of a session that did not come about, or of one the server ended.
    func error(at endpoint: String, otherwise code: PostgresError.Code) -> PostgresError {
        let (code, hint) = sqlState.map(Self.reading(sqlState:)) ?? reading(otherwise: code)
        return PostgresError(
            code: code, endpoint: endpoint, detail: text.isEmpty ? "libpq gave no reason" : text, hint: hint,
            sqlState: sqlState)
    }

    private static func reading(sqlState: String) -> (PostgresError.Code, hint: String?) {
        switch sqlState {
        case "28P01": (.authenticationRefused, "check the password of this role")
        case _ where sqlState.hasPrefix("28"):
            (.authenticationRefused, "check the role and its line in pg_hba.conf (address, database, encryption)")
        case "57P03": (.serverStarting, nil)
        case "53300": (.serverFull, "max_connections, or the role's own limit, is used up")
        case "40001": (.inRecoveryConflict, "asking again is safe; see max_standby_streaming_delay")
        case "57P01", "57P02", "57P05", "25P03": (.connectionLost, nil)
        case "08P01":
            (
                .rejected,
                "if a pooler stands in between, connect to PostgreSQL itself: PgBouncer refuses session options"
            )
        default: (.rejected, nil)
        }
    }

    private func reading(otherwise code: PostgresError.Code) -> (PostgresError.Code, hint: String?) {
        func says(_ number: Int32) -> Bool { text.contains(unsafe String(cString: strerror(number))) }
        if says(ECONNREFUSED) || says(ENOENT) && text.contains("on socket") {
            return (.refused, "is PostgreSQL running, and does it listen there?")
        }
        if [EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, ETIMEDOUT, EADDRNOTAVAIL].contains(where: says) {
            return (.unreachable, nil)
        }
        if ["SSL", "certificate", "private key file"].contains(where: text.contains) { return (.tlsRefused, nil) }
        if ["no password supplied", "authentication method", "SCRAM", "password-based"].contains(where: text.contains) {
            return (.authenticationRefused, nil)
        }
        return (code, nil)
    }
}
