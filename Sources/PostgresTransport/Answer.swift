import CLibPQ

/// One `PGresult`: a row, the end of a statement's rows, an error, or a pipeline's sync.
///
/// Freed with its owner.
@safe
struct Answer: ~Copyable {
    private let pointer: OpaquePointer

    init(adopting pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe PQclear(pointer) }

    var status: ExecStatusType { unsafe PQresultStatus(pointer) }
    var statusName: String { unsafe String(cString: PQresStatus(status)) }
    private var fields: Range<Int32> { unsafe 0..<PQnfields(pointer) }
    var rowCount: Int { Int(unsafe PQntuples(pointer)) }

    var columns: [String] {
        fields.map { column in
            unsafe PQfname(pointer, column).map { unsafe String(cString: $0) } ?? ""
        }
    }

    /// Bytes of all values of one row.
    func byteCount(ofRow row: Int) -> Int {
        fields.reduce(0) { $0 + Int(unsafe PQgetlength(pointer, Int32(row), $1)) }
    }

    func row(_ row: Int) -> [String?] {
        fields.map { column in
            guard unsafe PQgetisnull(pointer, Int32(row), column) == 0,
                let value = unsafe PQgetvalue(pointer, Int32(row), column)
            else { return nil }
            return unsafe String(cString: value)
        }
    }

    /// The server's error; for one made by libpq itself the SQLSTATE is empty.
    var failure: PostgresStatementFailure {
        PostgresStatementFailure(
            sqlState: field(Field.sqlState) ?? "", message: field(Field.message) ?? message,
            detail: field(Field.detail), hint: field(Field.hint))
    }

    /// Whether the server ended the session with this error.
    var endsSession: Bool { ["FATAL", "PANIC"].contains(field(Field.severity)) }

    /// `PG_DIAG_*` of `postgres_ext.h`, which are character literals.
    private enum Field {
        static let severity: Unicode.Scalar = "V"
        static let sqlState: Unicode.Scalar = "C"
        static let message: Unicode.Scalar = "M"
        static let detail: Unicode.Scalar = "D"
        static let hint: Unicode.Scalar = "H"
    }

    private var message: String { unsafe String(cString: PQresultErrorMessage(pointer)) }

    private func field(_ field: Unicode.Scalar) -> String? {
        unsafe PQresultErrorField(pointer, Int32(field.value)).map { unsafe String(cString: $0) }
    }
}
