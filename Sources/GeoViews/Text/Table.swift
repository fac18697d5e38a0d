/// Columns of text. Only the last column wraps; the others are as wide as their widest cell.
struct Table {
    private let header: [String]?
    private var rows: [[String]] = []

    init(header: [String]? = nil) { self.header = header }

    mutating func add(_ cells: String...) { rows.append(cells.map(Plain.line)) }

    var isEmpty: Bool { rows.isEmpty }

    /// Whether the last column keeps at least `least` columns, so that the table is worth having.
    func fits(width: Int, least: Int = 20) -> Bool {
        let fixed = widths.dropLast().reduce(0) { $0 + $1 + 2 }
        return fixed + min(widths.last ?? 0, least) <= width
    }

    func lines(width: Int) -> [String] {
        let widths = widths
        let fixed = widths.dropLast().reduce(0) { $0 + $1 + 2 }
        return all.flatMap { row -> [String] in
            let start = zip(row, widths).dropLast(row.count == widths.count ? 1 : 0)
                .map { Layout.padded($0, to: $1) + "  " }.joined()
            guard row.count == widths.count, let last = row.last else { return [start] }
            return Layout.wrap(last, width: max(20, width - fixed)).enumerated().map { index, text in
                (index == 0 ? start : String(repeating: " ", count: fixed)) + text
            }
        }
    }

    /// GitHub's and GitLab's Markdown.
    var markdown: [String] {
        let head = header ?? Array(repeating: "", count: widths.count)
        return [Markdown.row(head), "|" + head.map { _ in "---|" }.joined()] + rows.map(Markdown.row)
    }

    private var all: [[String]] { (header.map { [$0] } ?? []) + rows }

    private var widths: [Int] {
        all.reduce(into: []) { widths, row in
            for (index, cell) in row.enumerated() {
                if index == widths.count { widths.append(0) }
                widths[index] = max(widths[index], Layout.columns(cell))
            }
        }
    }
}
