// bcrypt_pbkdf, the key derivation of encrypted OpenSSH private keys: PBKDF2's shape with SHA-512 for input and a
// bcrypt hash (Blowfish with an expensive key schedule) as the function. Sources: Provos and Mazieres, "A Future-
// Adaptable Password Scheme" (1999); Schneier, "Blowfish" (1993); the format is in OpenSSH's PROTOCOL.key.
#include "CSSHCrypto.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <string.h>

enum { P_WORDS = 18, S_WORDS = 4 * 256, PI_WORDS = P_WORDS + S_WORDS, GUARD_WORDS = 4, HASH_BYTES = 32 };

typedef struct {
    uint32_t p[P_WORDS];
    uint32_t s[S_WORDS];
} blowfish;

// Blowfish starts from the hexadecimal digits of pi behind the point. They are computed once, by Machin's formula
// pi = 16 atan(1/5) - 4 atan(1/239), in fixed point with one word before the point (about 30 ms).
enum { FIXED_WORDS = 1 + PI_WORDS + GUARD_WORDS };
static blowfish initial;
static pthread_once_t initial_once = PTHREAD_ONCE_INIT;

// value /= divisor, knowing that the words before first are zero; gives the first word that is not.
static int divide(uint32_t *value, uint32_t divisor, int first) {
    uint64_t rest = 0;
    for (int i = first; i < FIXED_WORDS; i++) {
        uint64_t dividend = rest << 32 | value[i];
        value[i] = (uint32_t)(dividend / divisor);
        rest = dividend % divisor;
    }
    while (first < FIXED_WORDS && value[first] == 0) first++;
    return first;
}

static void add(uint32_t *sum, const uint32_t *value) {
    uint64_t carry = 0;
    for (int i = FIXED_WORDS - 1; i >= 0; i--) {
        carry += (uint64_t)sum[i] + value[i];
        sum[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void subtract(uint32_t *sum, const uint32_t *value) {
    int64_t borrow = 0;
    for (int i = FIXED_WORDS - 1; i >= 0; i--) {
        borrow += (int64_t)sum[i] - value[i];
        sum[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
}

// sum += or -= factor * atan(1 / x) by its power series, until the terms vanish.
static void add_arctangent(uint32_t *sum, uint32_t factor, uint32_t x, int negative) {
    static uint32_t power[FIXED_WORDS], term[FIXED_WORDS];
    memset(power, 0, sizeof power);
    power[0] = factor;
    int first = divide(power, x, 0);
    for (uint32_t k = 1; first < FIXED_WORDS; k += 2) {
        memcpy(term, power, sizeof power);
        divide(term, k, first);
        if (negative) subtract(sum, term); else add(sum, term);
        negative = !negative;
        first = divide(power, x * x, first);
    }
}

static void compute_initial(void) {
    static uint32_t pi[FIXED_WORDS];
    add_arctangent(pi, 16, 5, 0);
    add_arctangent(pi, 4, 239, 1);
    memcpy(initial.p, pi + 1, sizeof initial.p);
    memcpy(initial.s, pi + 1 + P_WORDS, sizeof initial.s);
}

static void encipher(const blowfish *state, uint32_t *left, uint32_t *right) {
    const uint32_t *s = state->s;
    uint32_t l = *left, r = *right;
    for (int i = 0; i < 16; i += 2) {
        l ^= state->p[i];
        r ^= ((s[l >> 24] + s[256 + (l >> 16 & 255)]) ^ s[512 + (l >> 8 & 255)]) + s[768 + (l & 255)];
        r ^= state->p[i + 1];
        l ^= ((s[r >> 24] + s[256 + (r >> 16 & 255)]) ^ s[512 + (r >> 8 & 255)]) + s[768 + (r & 255)];
    }
    *left = r ^ state->p[17];
    *right = l ^ state->p[16];
}

// The next big-endian word of 64 bytes that repeat for ever.
static uint32_t next_word(const uint8_t data[64], unsigned *at) {
    uint32_t word = 0;
    for (int i = 0; i < 4; i++) word = word << 8 | data[(*at)++ % 64];
    return word;
}

// bcrypt's ExpandKey: mixes the key into P, then replaces P and S by a chain of encryptions, salted or not.
static void expand(blowfish *state, const uint8_t *salt, const uint8_t key[64]) {
    unsigned key_at = 0, salt_at = 0;
    uint32_t left = 0, right = 0;
    for (int i = 0; i < P_WORDS; i++) state->p[i] ^= next_word(key, &key_at);
    for (int i = 0; i < PI_WORDS; i += 2) {
        if (salt) {
            left ^= next_word(salt, &salt_at);
            right ^= next_word(salt, &salt_at);
        }
        encipher(state, &left, &right);
        uint32_t *pair = i < P_WORDS ? state->p + i : state->s + (i - P_WORDS);
        pair[0] = left;
        pair[1] = right;
    }
}

static void bcrypt_hash(const uint8_t pass[64], const uint8_t salt[64], uint8_t out[HASH_BYTES]) {
    static const char text[HASH_BYTES + 1] = "OxychromaticBlowfishSwatDynamite";
    blowfish state = initial;
    uint32_t words[8];
    expand(&state, salt, pass);
    for (int i = 0; i < 64; i++) {
        expand(&state, NULL, salt);
        expand(&state, NULL, pass);
    }
    for (int i = 0; i < 8; i++) {
        const uint8_t *c = (const uint8_t *)text + 4 * i;
        words[i] = (uint32_t)c[0] << 24 | (uint32_t)c[1] << 16 | (uint32_t)c[2] << 8 | c[3];
    }
    for (int i = 0; i < 64; i++) {
        for (int block = 0; block < 8; block += 2) encipher(&state, words + block, words + block + 1);
    }
    for (int i = 0; i < HASH_BYTES; i++) out[i] = (uint8_t)(words[i / 4] >> (8 * (i % 4)));
    OPENSSL_cleanse(&state, sizeof state);
}

int geo_ssh_bcrypt_pbkdf(
    const uint8_t *passphrase, size_t passphrase_length, const uint8_t *salt, size_t salt_length, uint32_t rounds,
    uint8_t *out, size_t length) {
    uint8_t pass[64], salted[64], block[HASH_BYTES], sum[HASH_BYTES], counted[256 + 4];
    if (rounds == 0 || salt_length > 256 || length == 0 || length > 1024) return 0;
    pthread_once(&initial_once, compute_initial);
    SHA512(passphrase, passphrase_length, pass);
    memcpy(counted, salt, salt_length);
    // Unlike PBKDF2 the output is interleaved: byte i of block b goes to i * blocks + b.
    const size_t blocks = (length + HASH_BYTES - 1) / HASH_BYTES;
    for (size_t b = 0; b < blocks; b++) {
        for (int i = 0; i < 4; i++) counted[salt_length + (size_t)i] = (uint8_t)((b + 1) >> (24 - 8 * i));
        SHA512(counted, salt_length + 4, salted);
        bcrypt_hash(pass, salted, block);
        memcpy(sum, block, sizeof sum);
        for (uint32_t round = 1; round < rounds; round++) {
            SHA512(block, sizeof block, salted);
            bcrypt_hash(pass, salted, block);
            for (int i = 0; i < HASH_BYTES; i++) sum[i] ^= block[i];
        }
        for (size_t i = 0; i < HASH_BYTES && i * blocks + b < length; i++) out[i * blocks + b] = sum[i];
    }
    OPENSSL_cleanse(pass, sizeof pass);
    OPENSSL_cleanse(salted, sizeof salted);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(sum, sizeof sum);
    return 1;
}
