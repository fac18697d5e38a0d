#ifndef GEO_CSSHCRYPTO_H
#define GEO_CSSHCRYPTO_H
#endif
