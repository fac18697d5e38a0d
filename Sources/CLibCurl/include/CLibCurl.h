// libcurl's variadic calls, which Swift cannot import, behind functions with typed arguments.
#ifndef GEO_CLIBCURL_H
#define GEO_CLIBCURL_H
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef size_t (*geo_http_sink)(char *bytes, size_t size, size_t count, void *context);

// One request. Strings may go once geo_http_prepare returned, the lists and the context only after the handle.
struct geo_http_request {
    const char *url;
    const char *method;
    struct curl_slist *headers;
    struct curl_slist *connect_to; // "HOST:PORT:ADDRESS:PORT"
    const void *body;              // NULL for none
    size_t body_count;
    long time_limit_ms;            // at least 1: libcurl takes 0 for "no limit"
    long connect_limit_ms;
    const char *ca_file;            // NULL for libcurl's default authorities; else these only
    const char *client_certificate; // NULL for none
    const char *client_key;
    const char *proxy; // NULL for none, whatever the environment says
    char *error_buffer; // CURL_ERROR_SIZE bytes that live as long as the handle
    geo_http_sink on_header;
    geo_http_sink on_body;
    void *context;
};

// What a finished transfer can tell. The address belongs to the handle.
struct geo_http_outcome {
    long status;
    const char *address; // numeric, "" when no connection came about
    long port;
    long system_error; // errno of the failed connection, 0 if none
    int64_t certificate_expiry; // of the server's own certificate, seconds since 1970; -1 when not known
};

// Once in the process, before anything else.
CURLcode geo_http_start(void);
CURLM *geo_http_multi(long connection_limit);
CURLcode geo_http_prepare(CURL *handle, const struct geo_http_request *request);
struct geo_http_outcome geo_http_outcome_of(CURL *handle);
// Takes the next finished handle; NULL when there is none.
CURL *geo_http_next_finished(CURLM *multi, CURLcode *code);
#endif
