// What SSHTransport needs from libcrypto (OpenSSL 3), reduced to calls that Swift can make without macros.
// Every function that fills a buffer takes its capacity. Returns are lengths or 1; 0 or -1 is failure, said at each.
#ifndef GEO_CSSHCRYPTO_H
#define GEO_CSSHCRYPTO_H

#include <stddef.h>
#include <stdint.h>

// A private key; freed once, with geo_ssh_key_free.
typedef struct geo_ssh_key geo_ssh_key;

enum {
    GEO_SSH_KEY_OTHER = 0,
    GEO_SSH_KEY_ED25519 = 1,
    GEO_SSH_KEY_P256 = 2,
    GEO_SSH_KEY_P384 = 3,
    GEO_SSH_KEY_P521 = 4,
    GEO_SSH_KEY_RSA = 5,
};

// What geo_ssh_key_part gives.
enum { GEO_SSH_PART_POINT = 0, GEO_SSH_PART_MODULUS = 1, GEO_SSH_PART_EXPONENT = 2 };

// Why geo_ssh_key_from_pem gave no key.
enum { GEO_SSH_PEM_BROKEN = 0, GEO_SSH_PEM_NEEDS_PASSPHRASE = 1 };

// HMAC-SHA-1, as hashed known_hosts names use it; out has 20 bytes. 1 when done.
int geo_ssh_hmac_sha1(const uint8_t *key, size_t key_length, const uint8_t *data, size_t length, uint8_t *out);

// The key derivation of encrypted OpenSSH private keys (OpenBSD's bcrypt_pbkdf). 1 when done.
int geo_ssh_bcrypt_pbkdf(
    const uint8_t *passphrase, size_t passphrase_length, const uint8_t *salt, size_t salt_length, uint32_t rounds,
    uint8_t *out, size_t length);

// Decrypts length bytes in place with a libcrypto cipher ("AES-256-CTR"), without padding. 1 when done.
int geo_ssh_decrypt(const char *cipher, const uint8_t *key, const uint8_t *iv, uint8_t *data, size_t length);

// Keys from their numbers (big endian). NULL when they make no key.
geo_ssh_key *geo_ssh_key_ed25519(const uint8_t *seed);
geo_ssh_key *geo_ssh_key_ecdsa(
    int kind, const uint8_t *point, size_t point_length, const uint8_t *scalar, size_t scalar_length);
typedef struct {
    const uint8_t *bytes;
    size_t length;
} geo_ssh_number;
geo_ssh_key *geo_ssh_key_rsa(
    geo_ssh_number n, geo_ssh_number e, geo_ssh_number d, geo_ssh_number iqmp, geo_ssh_number p, geo_ssh_number q);

// A key in PEM (PKCS#1, SEC 1, PKCS#8, encrypted or not). passphrase may be NULL. On NULL, *why says the reason.
geo_ssh_key *geo_ssh_key_from_pem(
    const uint8_t *pem, size_t length, const uint8_t *passphrase, size_t passphrase_length, int *why);

int geo_ssh_key_kind(const geo_ssh_key *key);

// One public number of the key, big endian. Its length, or -1.
int geo_ssh_key_part(const geo_ssh_key *key, int part, uint8_t *out, size_t capacity);

// The inner signature of an SSH signature blob; bits is 256 or 512 for RSA and ignored otherwise. Length or -1.
// ed25519: 64 bytes; ECDSA: the mpints r and s; RSA: PKCS#1 v1.5.
int geo_ssh_sign(
    const geo_ssh_key *key, int bits, const uint8_t *data, size_t length, uint8_t *out, size_t capacity);

void geo_ssh_key_free(geo_ssh_key *key);

// Overwrites memory in a way that the compiler keeps.
void geo_ssh_wipe(void *data, size_t length);

#endif
