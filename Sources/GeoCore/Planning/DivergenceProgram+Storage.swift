extension DivergenceProgram {
    /// `storages`: the folders that hold this node's repositories, one a line.
    package static let storages = #"""
        storages() {
        awk '/^[ \t]*\[/ { inside = $0 ~ /\[\[storage\]\]/ } inside && /^[ \t]*path[ \t]*=/' \
        "$ROOT/var/opt/gitlab/gitaly/config.toml" 2>/dev/null | tr "'" '"' | cut -d '"' -f 2 | grep . ||
        printf '%s\n' "$ROOT/var/opt/gitlab/git-data/repositories"
        }
        """#

    /// Every repository in which something changed since ``Divergence/since``: its refs, its commits by their own dates, its
    /// reflogs where there are any, and a bundle of all of it.
    ///
    /// Changed says the inode's change time, which no program can set back; the dates of commits say nothing of when they
    /// were pushed. The bundle holds the whole repository: what the new primary has of it is not known here, and a
    /// smaller one would need it.
    static let repositories = #"""
        in_repository() { "$git" -c safe.directory='*' -c gc.auto=0 --git-dir "$repository" "$@" </dev/null; }
        save_repositories() {
        out=$dir/repositories
        mkdir -p "$out" || fail "$out cannot be made"
        git=$BIN/git
        [ -x "$git" ] || git=$(command -v git) || fail "there is no git in $BIN"
        : >"$dir/repositories.half"
        : >"$out/refs.half"
        changed=0 bundles=0
        storages >"$out/storages"
        while read -r storage; do
        [ -d "$storage" ] || fail "the storage $storage is not there"
        find "$storage" -path "$storage/+gitaly" -prune -o -type f -newerct "@$SINCE" \( -path '*.git/objects/*' \
        -o -path '*.git/refs/*' -o -path '*.git/packed-refs' -o -path '*.git/HEAD' -o -path '*.git/logs/*' \
        -o -path '*.git/reftable/*' \) -print >"$out/found" || fail "$storage cannot be searched"
        sed 's|\.git/.*|.git|' "$out/found" | sort -u >"$out/changed"
        while read -r repository; do
        changed=$((changed + 1))
        save_repository || leave "repositories: $relative cannot be read: $(head -n 1 "$place/said" | tr -dc ' -~' | cut -c 1-200)"
        done <"$out/changed"
        done <"$out/storages"
        rm -f "$out/found" "$out/changed" "$out/storages"
        mv "$out/refs.half" "$out/refs.tsv" && mv "$dir/repositories.half" "$dir/repositories.jsonl" || fail "repositories.jsonl cannot be written"
        part "repositories changed=$changed bundles=$bundles"
        }
        save_repository() {
        relative=${repository#"$storage"/}
        place=$out/$(printf '%s' "$relative" | tr '/' '_')
        mkdir -p "$place" || fail "$place cannot be made"
        if [ ! -e "$place/divergence.json" ]; then
        in_repository for-each-ref --format='%(objectname)%09%(refname)%09%(committerdate:unix)' >"$place/refs.tsv" \
        2>"$place/said" || return
        in_repository log --all --max-age="$SINCE" --format='%H%x09%ct%x09%s' >"$place/commits.tsv" 2>"$place/said" || return
        if [ -d "$repository/logs" ]; then
        (cd "$repository/logs" && find . -type f -exec grep -H . {} +) >"$place/reflog.txt" 2>"$place/said"
        fi
        bundle=
        if [ ! -s "$place/refs.tsv" ]; then :
        elif ! room $(($(du -sk "$repository" | cut -f 1) * 1024)); then
        leave "repositories: a bundle of $relative, for which there is no room"
        else
        if ! in_repository bundle create "$place/half" --all >/dev/null 2>"$place/said" ||
        ! in_repository bundle verify "$place/half" >/dev/null 2>"$place/said"; then
        rm -f "$place/half"
        return 1
        fi
        mv "$place/half" "$place/all.bundle" || fail "$place/all.bundle cannot be written"
        bundle=repositories/${place##*/}/all.bundle
        fi
        rm -f "$place/said"
        project=$(in_repository config --get gitlab.fullpath)
        printf '{"kind":"repository","repository":"%s","project":"%s","refs":%s,"commitsSince":%s,"bundle":"%s"}\n' "$(json "$relative")" \
        "$(json "$project")" "$(wc -l <"$place/refs.tsv")" "$(wc -l <"$place/commits.tsv")" "$(json "$bundle")" >"$place/half.json"
        # Without its bundle it is looked at again next time.
        if [ -n "$bundle" ] || [ ! -s "$place/refs.tsv" ]; then mv "$place/half.json" "$place/divergence.json"; else
        cat "$place/half.json" >>"$dir/repositories.half"
        list_refs
        return 0
        fi
        fi
        [ ! -e "$place/all.bundle" ] || bundles=$((bundles + 1))
        cat "$place/divergence.json" >>"$dir/repositories.half" && list_refs || fail "repositories.jsonl cannot be written"
        }
        list_refs() {
        while read -r object ref rest; do printf '%s\t%s\t%s\n' "$relative" "$object" "$ref"; done <"$place/refs.tsv" >>"$out/refs.half"
        }
        """#

    /// Files of the application on this node's disks that changed since ``Divergence/since``: all are listed, and copied from
    /// the newest on as far as there is room.
    static let files = #"""
        save_files() {
        out=$dir/files
        mkdir -p "$out" || fail "$out cannot be made"
        set --
        for place in "$ROOT/var/opt/gitlab/gitlab-rails/uploads" "$ROOT/var/opt/gitlab/gitlab-rails/shared"; do
        [ ! -d "$place" ] || set -- "$@" "$place"
        done
        : >"$out/found"
        if [ $# -gt 0 ]; then
        find "$@" -type f -newerct "@$SINCE" ! -path "$ROOT/var/opt/gitlab/gitlab-rails/*/tmp/*" \
        ! -path "$ROOT/var/opt/gitlab/gitlab-rails/*/cache/*" -printf '%T@\t%s\t%p\0' >"$out/raw" ||
        fail "the files of the application cannot be listed"
        # A line is a file: names with line ends or tabs are counted, and not copied.
        odd=$(tr '\0\n' '\n\1' <"$out/raw" | awk -F '\t' '/\001/ || NF != 3' | wc -l)
        tr '\0\n' '\n\1' <"$out/raw" | awk -F '\t' '!/\001/ && NF == 3' | sort -rn >"$out/found"
        rm -f "$out/raw"
        [ "$odd" -eq 0 ] || leave "files: $odd with a line end or a tab in their names"
        fi
        left=$(free) found=0 copied=0 missed=0
        : >"$out/list.half"
        : >"$dir/files.half"
        while IFS="$(printf '\t')" read -r at size path; do
        found=$((found + 1))
        name=${path#"$ROOT/var/opt/gitlab/gitlab-rails/"}
        to=$out/data/$name saved=true
        if [ -e "$to" ] && [ "$(stat -c '%s %Y' "$to")" = "$size ${at%.*}" ]; then :
        elif [ "$size" -gt "$left" ]; then saved=false
        elif mkdir -p "${to%/*}" && cp --preserve=timestamps "$path" "$to.half" && mv "$to.half" "$to"; then left=$((left - size))
        else rm -f "$to.half"; saved=false; fi
        if [ "$saved" = true ]; then copied=$((copied + 1)); else missed=$((missed + 1)); fi
        sum=$(sha256sum -- "$path" | tr -d '\\' | cut -d ' ' -f 1)
        printf '%s\t%s\t%s\t%s\t%s\n' "${at%.*}" "$size" "${sum:-unreadable}" "$saved" "$name" >>"$out/list.half"
        printf '{"kind":"file","path":"%s","bytes":%s,"changedAt":%s,"sha256":"%s","saved":%s}\n' "$(json "$name")" "$size" "${at%.*}" \
        "$sum" "$saved" >>"$dir/files.half"
        done <"$out/found"
        rm -f "$out/found"
        mv "$out/list.half" "$out/list.tsv" && mv "$dir/files.half" "$dir/files.jsonl" || fail "the list of files cannot be written"
        [ "$missed" -eq 0 ] || leave "files: $missed of $found, for which there is no room or which cannot be read"
        part "files found=$found copied=$copied"
        }
        """#
}
