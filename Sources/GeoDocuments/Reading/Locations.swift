/// Where relative paths of a file begin and whose home `~` is. Decides by text alone; looks at no disk.
struct Locations {
    /// With a trailing slash, or empty for the working directory.
    private let directory: String
    private let home: String

    init(file: String, home: String) {
        self.directory = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        self.home = home
    }

    /// `path` as the operating system wants it; `nil` for the home of somebody else (`~root/...`).
    func resolve(_ path: String) -> String? {
        if path == "~" { return home }
        if path.hasPrefix("~/") { return (home.hasSuffix("/") ? home : home + "/") + path.dropFirst(2) }
        guard !path.hasPrefix("~") else { return nil }
        guard !path.hasPrefix("/") else { return path }
        var relative = Substring(path)
        while relative.hasPrefix("./") { relative = relative.dropFirst(2) }
        return directory + relative
    }

    /// A program: a path if it has a slash, else a name that the operating system looks up.
    func resolve(program: String) -> String? {
        guard program.contains("/") || program.hasPrefix("~") else { return program }
        guard let path = resolve(program) else { return nil }
        // Without a slash the operating system would look it up elsewhere.
        return path.contains("/") ? path : "./" + path
    }
}
