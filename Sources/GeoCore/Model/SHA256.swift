/// SHA-256 as FIPS 180-4 has it, for ``Digest``. It names contents and hides nothing, so its timing may tell anything
/// (docs/decisions/0017).
struct SHA256 {
    /// The eight words of the hash value, each with its most significant byte first.
    private(set) var words: InlineArray<8, UInt32> = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]

    private static let blockBytes = 64

    init(of bytes: [UInt8]) {
        let whole = bytes.count / Self.blockBytes * Self.blockBytes
        for start in stride(from: 0, to: whole, by: Self.blockBytes) { take(bytes, at: start) }
        // A one bit, zeros, and the length in bits, up to the end of a block (5.1.1).
        var rest = Array(bytes[whole...])
        rest.append(0x80)
        while rest.count % Self.blockBytes != Self.blockBytes - 8 { rest.append(0) }
        let bits = UInt64(bytes.count) << 3
        for shift in stride(from: 56, through: 0, by: -8) {
            rest.append(UInt8(truncatingIfNeeded: bits >> shift))
        }
        for start in stride(from: 0, to: rest.count, by: Self.blockBytes) { take(rest, at: start) }
    }

    /// One block (6.2.2).
    private mutating func take(_ bytes: [UInt8], at start: Int) {
        var schedule = InlineArray<64, UInt32>(repeating: 0)
        for index in 0..<16 {
            let at = start + 4 * index
            schedule[index] =
                UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8
                | UInt32(bytes[at + 3])
        }
        for index in 16..<64 {
            let near = schedule[index - 2]
            let far = schedule[index - 15]
            schedule[index] =
                schedule[index - 16] &+ (far.turned(7) ^ far.turned(18) ^ far >> 3) &+ schedule[index - 7]
                &+ (near.turned(17) ^ near.turned(19) ^ near >> 10)
        }
        var (a, b, c, d) = (words[0], words[1], words[2], words[3])
        var (e, f, g, h) = (words[4], words[5], words[6], words[7])
        for index in 0..<64 {
            let first =
                h &+ (e.turned(6) ^ e.turned(11) ^ e.turned(25)) &+ (e & f ^ ~e & g) &+ Self.constants[index]
                &+ schedule[index]
            let second = (a.turned(2) ^ a.turned(13) ^ a.turned(22)) &+ (a & b ^ a & c ^ b & c)
            (h, g, f, e) = (g, f, e, d &+ first)
            (d, c, b, a) = (c, b, a, first &+ second)
        }
        let changes: InlineArray<8, UInt32> = [a, b, c, d, e, f, g, h]
        for index in 0..<8 { words[index] &+= changes[index] }
    }

    /// The first 32 bits of the fractions of the cube roots of the first 64 primes (4.2.2).
    private static let constants: InlineArray<64, UInt32> = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}

extension UInt32 {
    /// Turned right, what falls out at one end coming in at the other.
    fileprivate func turned(_ bits: UInt32) -> UInt32 { self >> bits | self << (32 - bits) }
}
