internal import CLibSSH2
internal import Glibc

/// Signs a log-in request for libssh2, with a key in memory or by an agent that answers later.
///
/// libssh2 calls back while it logs in. An agent's signature is not there yet then: the callback leaves the data here
/// and asks to be called again, the connection fetches the signature without blocking the loop, and the second call
/// returns it.
final class Signer {
    enum Means {
        case key(PrivateKey)
        case agent
    }

    private let means: Means
    /// The public key as it goes into the request.
    let blob: [UInt8]
    /// Set by the callback when an agent has to sign.
    private(set) var request: [UInt8]?
    private var signature: [UInt8]?

    convenience init(key: PrivateKey) { self.init(means: .key(key), publicBlob: key.publicBlob) }

    init(means: Means, publicBlob: [UInt8]) {
        self.means = means
        blob = Self.requestBlob(publicBlob)
    }

    /// libssh2 before 1.11 takes the signature's name from the blob's type, and would name SHA-1 for RSA.
    ///
    /// With the SHA-2 name in the blob it sends that, and OpenSSH accepts it.
    private static func requestBlob(_ publicBlob: [UInt8]) -> [UInt8] {
        var reader = WireReader(publicBlob)
        guard reader.text() == "ssh-rsa", !Session.signsRSAWithSHA2 else { return publicBlob }
        var writer = WireWriter()
        writer.string("rsa-sha2-512")
        return writer.bytes + reader.rest
    }

    /// Takes an agent's inner signature.
    func provide(signature: [UInt8]) {
        self.signature = signature
        request = nil
    }

    /// The hash for RSA, by the algorithm that the data to be signed names (RFC 4252, 7); SHA-1 is refused.
    static func bits(for data: [UInt8]) -> Int32? {
        var reader = WireReader(data)
        guard reader.string() != nil, reader.byte() != nil, reader.string() != nil, reader.string() != nil,
            reader.string() != nil, reader.byte() != nil, let algorithm = reader.text()
        else { return nil }
        switch algorithm {
        case "ssh-rsa": return nil
        case "rsa-sha2-512": return 512
        default: return 256
        }
    }

    private func sign(_ data: UnsafeBufferPointer<UInt8>) -> Result<[UInt8], SigningFailure> {
        if let signature { return .success(signature) }
        let copy = unsafe Array(data)
        guard let bits = Self.bits(for: copy) else { return .failure(.refused) }
        switch means {
        case .key(let key):
            guard let signature = unsafe key.sign(data, bits: bits) else { return .failure(.refused) }
            return .success(signature)
        case .agent:
            request = copy
            return .failure(.later)
        }
    }

    private enum SigningFailure: Error { case later, refused }

    /// The memory of the signature must come from the session's allocator, which is malloc's.
    static let callback: SignCallback = { _, signature, length, data, count, context in
        guard let opaque = unsafe context?.pointee else { return -1 }
        let signer = unsafe Unmanaged<Signer>.fromOpaque(opaque).takeUnretainedValue()
        switch unsafe signer.sign(UnsafeBufferPointer(start: data, count: count)) {
        case .failure(.later): return LIBSSH2_ERROR_EAGAIN
        case .failure(.refused): return -1
        case .success(let bytes):
            guard let memory = unsafe malloc(bytes.count) else { return -1 }
            let target = unsafe UnsafeMutableRawBufferPointer(start: memory, count: bytes.count)
            unsafe target.copyBytes(from: bytes)
            unsafe signature?.pointee = memory.assumingMemoryBound(to: UInt8.self)
            unsafe length?.pointee = bytes.count
            return 0
        }
    }
}

typealias SignCallback =
    @convention(c) (
        OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?, UnsafeMutablePointer<Int>?,
        UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> Int32
