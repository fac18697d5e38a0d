internal import Glibc

/// Calls whose names clash with methods of the types that need them.
enum Posix {
    static func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }
}
