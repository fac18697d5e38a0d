import GeoCore

/// What ``KeeperScript`` asks of repositories. Reads only.
extension KeeperScript {
    /// A line per repository goes in; out comes a line per missing object, `-` for a repository that is not there, `?` for one
    /// that cannot be read. Whether an object that is there belongs to a branch is not asked.
    func missing(_ objects: [String: [String]]) -> String {
        let lines = objects.sorted { $0.key < $1.key }.map { $0.key + "\t" + $0.value.joined(separator: " ") }
        return """
            ROOT=
            \(DivergenceProgram.storages)
            git=/opt/gitlab/embedded/bin/git
            [ -x "$git" ] || git=git
            GIT_OPTIONAL_LOCKS=0 GIT_CONFIG_NOSYSTEM=1 HOME=/
            export GIT_OPTIONAL_LOCKS GIT_CONFIG_NOSYSTEM HOME
            list=$(storages)
            line_end='
            '
            look_for() {
            while IFS="$(printf '\\t')" read -r relative wanted; do
            place=
            IFS=$line_end
            for storage in $list; do if [ -d "$storage/$relative" ]; then place=$storage/$relative; fi; done
            if [ -z "$place" ]; then printf '%s\\t-\\n' "$relative"; continue; fi
            if ! said=$(printf '%s\\n' "$wanted" | tr ' ' '\\n' | timeout 10 "$git" -c safe.directory='*' --git-dir "$place" \\
            cat-file --batch-check='%(objectname)' 2>/dev/null); then printf '%s\\t?\\n' "$relative"; continue; fi
            printf '%s\\n' "$said" | sed -n 's/ missing$//p' |
            while read -r object; do printf '%s\\t%s\\n' "$relative" "$object"; done
            done
            }
            out=$(look_for <<'\(boundary)'
            \(lines.joined(separator: "\n"))
            \(boundary)
            )
            count=$(printf '%s' "$out" | wc -c)
            say "content $((count)) $((count))"
            printf '%s\\n' "$out"
            say end
            """
    }
}
