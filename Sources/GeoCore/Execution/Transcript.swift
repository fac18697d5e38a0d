/// Reads the saved output of `gitlab-ctl`: progress lines with CR and colour codes between hundreds of Chef lines.
package enum Transcript {
    /// Lines as a terminal would have left them: without escape sequences, and of text overwritten by CR only what a
    /// reader would still see; other control characters dropped. At most `limit` lines from the end.
    package static func lines(_ bytes: some Sequence<UInt8>, last limit: Int = .max) -> [String] {
        var lines: [[UInt8]] = [[]]
        var escape = false
        var sequence = false
        for byte in bytes {
            if escape {
                // ESC [ parameters letter; anything else after ESC is one byte long.
                if !sequence, byte == UInt8(ascii: "[") {
                    sequence = true
                } else if !sequence || (0x40...0x7E).contains(byte) {
                    escape = false
                    sequence = false
                }
                continue
            }
            switch byte {
            case 0x1B: escape = true
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): lines.append([])
            case 0..<0x20 where byte != UInt8(ascii: "\t"), 0x7F: break
            default: lines[lines.count - 1].append(byte)
            }
        }
        let texts = lines.map { String(decoding: $0, as: UTF8.self) }.filter { text in
            text.contains { $0 != " " && $0 != "\t" }
        }
        return limit < texts.count ? Array(texts.suffix(limit)) : texts
    }

    /// What the output says, where `geo promote` and its exit status do not (omnibus-gitlab `geo/promote.rb`).
    ///
    /// `NOT OK` on a node with nothing to promote is normal and followed by `No actions are required`.
    package static func summary(_ bytes: some Sequence<UInt8>, lastLines: Int = 12) -> TranscriptSummary {
        let all = lines(bytes)
        let nothingToDo = all.contains { $0.contains("No actions are required to promote this node") }
        let saysNotOK =
            !nothingToDo
            && all.contains { line in
                line.hasSuffix("NOT OK") || line.contains(": NOT OK") || line.contains("Infra Phase failed")
                    || line.contains("Chef Client failed")
            }
        let telling = all.filter { line in !tips.contains { line.contains($0) } }
        return TranscriptSummary(saysNotOK: saysNotOK, lastLines: Array(telling.suffix(lastLines)))
    }

    /// With these every failure of `replicate-geo-database` ends, whatever its cause, which stands above them
    /// (omnibus-gitlab `geo/replication.rb`).
    private static let tips = [
        "*** Initial replication failed! ***", "Replication tool returned with a non zero exit status!",
        "Troubleshooting tips:", "- replication should be run by root user", "- check if `roles ['geo_primary_role']`",
        "- check your trust settings `md5_auth_cidr_addresses`",
    ]
}
