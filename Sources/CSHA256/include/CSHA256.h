// SHA-256 of the system's libcrypto (OpenSSL 3), as one call that Swift can make.
#ifndef GEO_CSHA256_H
#define GEO_CSHA256_H

#include <stddef.h>
#include <stdint.h>

// SHA-256 of data; out has 32 bytes. 1 when done.
int geo_sha256(const uint8_t *data, size_t length, uint8_t *out);

#endif
