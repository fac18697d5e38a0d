#include "CSHA256.h"

#include <openssl/sha.h>

int geo_sha256(const uint8_t *data, size_t length, uint8_t *out) { return SHA256(data, length, out) != NULL; }
