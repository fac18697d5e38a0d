package import GeoCore

/// What ``KeeperScript`` says of what was set aside, and the only removal of GitLab's own data that there is.
extension KeeperScript {
    /// Measures for eight seconds in all: a directory of terabytes must not keep the answer from coming.
    static let listSetAside = """
        now=$(date +%s)
        say set-aside
        tell_kept() {
        left=$((now + 8 - $(date +%s)))
        size=
        if [ "$left" -gt 0 ]; then size=$(timeout "$left" du -sk "$3" 2>/dev/null) || size=; fi
        size=${size%%[!0-9]*}
        say "kept $1 $2 ${size:--} $3"
        }
        for one in "$ROOT/var/opt/gitlab/postgresql"/data.* "$ROOT/var/opt/gitlab/postgresql"/removing.*; do
        name=${one##*/}
        case ${name#*.} in ''|*[!0-9]*) continue ;; esac
        if [ ! -d "$one" ] || [ -L "$one" ]; then continue; fi
        case $name in data.*) kind=database ;; *) kind=removing ;; esac
        tell_kept "$kind" "$((now - ${name#*.}))" "$one"
        done
        for one in "$ROOT/etc/gitlab"/*.rb.before-* "$ROOT/etc/gitlab"/*/*.rb.before-* "$ROOT/etc/gitlab"/gitlab-cluster.json.before-*; do
        if [ -f "$one" ]; then tell_kept configuration "$((now - $(stat -c %Z "$one")))" "$one"; fi
        done
        if [ -e "$ROOT/opt/gitlab/etc/gitlab-geo-psql-rc" ]; then
        if said=$(timeout 5 "$ROOT/opt/gitlab/bin/gitlab-geo-psql" -d template1 -XAtqF ' ' -c "SELECT pg_database_size(oid) / 1024, \\
        datname FROM pg_database WHERE datname ~ '^gitlabhq_geo_production_[0-9]{14}$' ORDER BY datname" 2>&1 </dev/null); then
        [ -z "$said" ] || printf '%s\\n' "$said" | while read -r size name; do say "kept tracking - $size $name"; done
        else say "kept tracking - - (not known: $(printf %s "$said" | tr '\\n' ' ' | tail -c 200))"
        fi
        fi
        say end
        """

    /// Renamed first, so that whoever looks sees that it is on its way; removed by a process of its own, since it may take
    /// hours. What an earlier removal left, since the node was started again, goes with it. Each is written down on the node.
    static let removeSetAside = """
        if [ -n "$lease" ]; then set -f; set -- $lease; set +f; say "refused it is held for run $2 by $3"; return; fi
        now=$(date +%s)
        place=$ROOT/var/opt/gitlab/postgresql
        case ${FORMER#"$place"/data.} in
        ''|*[!0-9]*) say "refused $FORMER is no data directory that was moved aside"; return ;;
        esac
        if [ ! -d "$FORMER" ] || [ -L "$FORMER" ]; then say "refused $FORMER is not there, or is no directory"; return; fi
        if [ "$(readlink -f "$place/data")" = "$(readlink -f "$FORMER")" ]; then
        say "refused $FORMER is the database that runs"; return
        fi
        age=$((now - ${FORMER#"$place"/data.}))
        if [ "$age" -lt "$OLDER" ]; then say "refused it was set aside $age s ago"; return; fi
        if ! why=$(printf '%s %s %s\\n' "$now" "$HOLDER" "$FORMER" 2>&1 >>"$base/purged") \\
        || ! why=$(mv -n "$FORMER" "$place/removing.${FORMER##*.}" 2>&1) || [ -e "$FORMER" ]; then
        say "refused it cannot be moved: $(printf %s "$why" | tr '\\n' ' ' | tail -c 200)"; return
        fi
        setsid rm -rf "$place"/removing.* </dev/null >/dev/null 2>&1 8>&- &
        say removed
        say end
        """
}

extension JobKeeper {
    /// In the order of the nodes, all side by side. Changes nothing.
    package func setAside(on nodes: [Node], at now: Timestamp) async -> [NodeSetAside] {
        await keeper.askAll(nodes) { _ in script(.listSetAside, run: "none", epoch: 0) }.map { node, answer in
            switch answer {
            case .success(.setAside(let found)):
                NodeSetAside(node: node, known: .known(value: found, at: now, from: node.rawValue))
            case .success(let other): NodeSetAside(node: node, known: .unknown(reason: "it answered \(other)"))
            case .failure(let failure): NodeSetAside(node: node, known: .unknown(reason: failure.text))
            }
        }
    }

    /// Begins to remove one former database; why the node did not, or `nil`.
    package func removeSetAside(_ path: String, olderThanSeconds: Int, from node: Node) async -> String? {
        guard SetAside.isFormerDatabase(path) else { return "\(path) is no data directory that was moved aside" }
        let operation = KeeperScript.Operation.removeSetAside(path: path, olderThanSeconds: olderThanSeconds)
        switch await keeper.ask(script(operation, run: "none", epoch: 0), node) {
        case .success(.removed): return nil
        case .success(let other): return "it answered \(other)"
        case .failure(let failure): return failure.text
        }
    }
}
