// Keys and digests by libcrypto. Nothing here knows the SSH protocol except the shape of an inner signature.
#include "CSSHCrypto.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <string.h>

// geo_ssh_key is an EVP_PKEY under a name that Swift can import without OpenSSL's headers.
static EVP_PKEY *unwrap(const geo_ssh_key *key) { return (EVP_PKEY *)(uintptr_t)key; }
static geo_ssh_key *wrap(EVP_PKEY *key) { return (geo_ssh_key *)key; }

int geo_ssh_hmac_sha1(const uint8_t *key, size_t key_length, const uint8_t *data, size_t length, uint8_t *out) {
    unsigned int written = 20;
    if (key_length > INT_MAX) return 0;
    return HMAC(EVP_sha1(), key, (int)key_length, data, length, out, &written) != NULL && written == 20;
}

int geo_ssh_decrypt(const char *name, const uint8_t *key, const uint8_t *iv, uint8_t *data, size_t length) {
    int ok = 0, written = 0;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (cipher && context && length <= INT_MAX && EVP_DecryptInit_ex2(context, cipher, key, iv, NULL)) {
        EVP_CIPHER_CTX_set_padding(context, 0);
        ok = EVP_DecryptUpdate(context, data, &written, data, (int)length) && (size_t)written == length;
    }
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return ok;
}

geo_ssh_key *geo_ssh_key_ed25519(const uint8_t *seed) {
    return wrap(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32));
}

// Makes a key pair of a type from parameters; takes the builder.
static geo_ssh_key *from_parameters(const char *type, OSSL_PARAM_BLD *builder) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (parameters && context && EVP_PKEY_fromdata_init(context) > 0) {
        if (EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters) <= 0) key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    ERR_clear_error();
    return wrap(key);
}

geo_ssh_key *geo_ssh_key_ecdsa(
    int kind, const uint8_t *point, size_t point_length, const uint8_t *scalar, size_t scalar_length) {
    const char *group = kind == GEO_SSH_KEY_P256 ? "P-256" : kind == GEO_SSH_KEY_P384 ? "P-384" : "P-521";
    geo_ssh_key *key = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *secret = scalar_length > 66 ? NULL : BN_bin2bn(scalar, (int)scalar_length, NULL);
    if (builder && secret && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0)
        && OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, point_length)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret)) {
        key = from_parameters("EC", builder);
        builder = NULL;
    }
    OSSL_PARAM_BLD_free(builder);
    BN_clear_free(secret);
    return key;
}

static BIGNUM *number(geo_ssh_number value) {
    return value.length > 4096 ? NULL : BN_bin2bn(value.bytes, (int)value.length, NULL);
}

// d mod (prime - 1), the exponent that the Chinese remainder theorem wants and the OpenSSH format leaves out.
static BIGNUM *crt_exponent(const BIGNUM *d, const BIGNUM *prime, BN_CTX *context) {
    BIGNUM *less = BN_dup(prime), *result = BN_secure_new();
    if (!less || !result || !BN_sub_word(less, 1) || BN_is_zero(less) || !BN_mod(result, d, less, context)) {
        BN_clear_free(result);
        result = NULL;
    }
    BN_clear_free(less);
    return result;
}

geo_ssh_key *geo_ssh_key_rsa(
    geo_ssh_number n, geo_ssh_number e, geo_ssh_number d, geo_ssh_number iqmp, geo_ssh_number p, geo_ssh_number q) {
    static const char *const names[8] = {
        OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,         OSSL_PKEY_PARAM_RSA_D,
        OSSL_PKEY_PARAM_RSA_FACTOR1,   OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
        OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    BN_CTX *context = BN_CTX_new();
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *values[8] = { number(n), number(e), number(d), number(p), number(q), NULL, NULL, number(iqmp) };
    geo_ssh_key *key = NULL;
    int complete = context && builder && values[2] && values[3] && values[4];
    if (complete) {
        values[5] = crt_exponent(values[2], values[3], context);
        values[6] = crt_exponent(values[2], values[4], context);
    }
    for (int i = 0; i < 8 && complete; i++) {
        complete = values[i] && OSSL_PARAM_BLD_push_BN(builder, names[i], values[i]);
    }
    if (complete) {
        key = from_parameters("RSA", builder);
        builder = NULL;
    }
    for (int i = 0; i < 8; i++) BN_clear_free(values[i]);
    OSSL_PARAM_BLD_free(builder);
    BN_CTX_free(context);
    return key;
}

typedef struct {
    const uint8_t *bytes;
    size_t length;
    int asked;
} passphrase_source;

static int give_passphrase(char *buffer, int size, int writing, void *context) {
    passphrase_source *source = context;
    (void)writing;
    source->asked = 1;
    if (!source->bytes || source->length > (size_t)size) return -1;
    memcpy(buffer, source->bytes, source->length);
    return (int)source->length;
}

geo_ssh_key *geo_ssh_key_from_pem(
    const uint8_t *pem, size_t length, const uint8_t *passphrase, size_t passphrase_length, int *why) {
    passphrase_source source = { passphrase, passphrase_length, 0 };
    BIO *bio = length > INT_MAX ? NULL : BIO_new_mem_buf(pem, (int)length);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &source) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    *why = source.asked ? GEO_SSH_PEM_NEEDS_PASSPHRASE : GEO_SSH_PEM_BROKEN;
    return wrap(key);
}

int geo_ssh_key_kind(const geo_ssh_key *key) {
    char group[32];
    size_t length = 0;
    switch (EVP_PKEY_get_base_id(unwrap(key))) {
    case EVP_PKEY_ED25519: return GEO_SSH_KEY_ED25519;
    case EVP_PKEY_RSA: return GEO_SSH_KEY_RSA;
    case EVP_PKEY_EC:
        if (!EVP_PKEY_get_group_name(unwrap(key), group, sizeof group, &length)) return GEO_SSH_KEY_OTHER;
        if (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0) return GEO_SSH_KEY_P256;
        if (strcmp(group, "secp384r1") == 0 || strcmp(group, "P-384") == 0) return GEO_SSH_KEY_P384;
        if (strcmp(group, "secp521r1") == 0 || strcmp(group, "P-521") == 0) return GEO_SSH_KEY_P521;
        return GEO_SSH_KEY_OTHER;
    default: return GEO_SSH_KEY_OTHER;
    }
}

int geo_ssh_key_part(const geo_ssh_key *key, int part, uint8_t *out, size_t capacity) {
    size_t length = capacity;
    if (part == GEO_SSH_PART_POINT) {
        if (geo_ssh_key_kind(key) == GEO_SSH_KEY_ED25519) {
            return EVP_PKEY_get_raw_public_key(unwrap(key), out, &length) ? (int)length : -1;
        }
        return EVP_PKEY_get_octet_string_param(unwrap(key), OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, out, capacity, &length)
            ? (int)length : -1;
    }
    BIGNUM *value = NULL;
    int written = -1;
    const char *name = part == GEO_SSH_PART_MODULUS ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_RSA_E;
    if (EVP_PKEY_get_bn_param(unwrap(key), name, &value) && (size_t)BN_num_bytes(value) <= capacity) {
        written = BN_bn2bin(value, out);
    }
    BN_free(value);
    return written;
}

// Writes an mpint (RFC 4251, 5): length, a zero when the first bit is set, the bytes. -1 when it does not fit.
static int put_mpint(const BIGNUM *value, uint8_t *out, size_t capacity) {
    size_t length = (size_t)BN_num_bytes(value), zero = BN_num_bits(value) % 8 == 0 && length > 0;
    size_t total = length + zero;
    if (capacity < 4 + total) return -1;
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(total >> (24 - 8 * i));
    out[4] = 0;
    BN_bn2bin(value, out + 4 + zero);
    return (int)(4 + total);
}

// DER signature -> the two mpints that RFC 5656 (3.1.2) wants.
static int ecdsa_to_mpints(const uint8_t *der, size_t length, uint8_t *out, size_t capacity) {
    const unsigned char *cursor = der;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &cursor, (long)length);
    if (!signature) return -1;
    int first = put_mpint(ECDSA_SIG_get0_r(signature), out, capacity);
    int second = first < 0 ? -1 : put_mpint(ECDSA_SIG_get0_s(signature), out + first, capacity - (size_t)first);
    ECDSA_SIG_free(signature);
    return second < 0 ? -1 : first + second;
}

int geo_ssh_sign(
    const geo_ssh_key *key, int bits, const uint8_t *data, size_t length, uint8_t *out, size_t capacity) {
    const EVP_MD *digest = NULL;
    const int kind = geo_ssh_key_kind(key);
    switch (kind) {
    case GEO_SSH_KEY_ED25519: break;
    case GEO_SSH_KEY_P256: digest = EVP_sha256(); break;
    case GEO_SSH_KEY_P384: digest = EVP_sha384(); break;
    case GEO_SSH_KEY_P521: digest = EVP_sha512(); break;
    case GEO_SSH_KEY_RSA: digest = bits == 512 ? EVP_sha512() : EVP_sha256(); break;
    default: return -1;
    }
    uint8_t signature[2048];
    size_t written = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context && EVP_DigestSignInit(context, NULL, digest, NULL, unwrap(key)) > 0
        && EVP_DigestSign(context, signature, &written, data, length) > 0;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    if (!ok) return -1;
    if (kind == GEO_SSH_KEY_P256 || kind == GEO_SSH_KEY_P384 || kind == GEO_SSH_KEY_P521) {
        return ecdsa_to_mpints(signature, written, out, capacity);
    }
    if (written > capacity) return -1;
    memcpy(out, signature, written);
    return (int)written;
}

void geo_ssh_key_free(geo_ssh_key *key) { EVP_PKEY_free(unwrap(key)); }

void geo_ssh_wipe(void *data, size_t length) { OPENSSL_cleanse(data, length); }
