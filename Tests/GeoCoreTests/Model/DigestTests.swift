import GeoCore
import Testing

struct DigestTests {
    /// The examples that NIST publishes with FIPS 180-4.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrst"
                + "nopqrstu", "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func aDigestIsTheStandardsOwn(text: String, digest: String) {
        #expect(Digest(of: text.utf8).text == "sha256:" + digest)
    }

    /// Every length around the ends of a block, in one: `sha256sum` gave the same text for each.
    @Test func noLengthIsPaddedWrongly() {
        let all = (0..<200).map { count in Digest(of: (0..<count).map { UInt8($0 * 7 % 256) }).text }.joined()
        #expect(Digest(of: all.utf8).text == "sha256:a45a3641d43f8533f5f1fb30bfec8b1cfb5b182a7a67384e86678ca537f6230a")
    }
}
