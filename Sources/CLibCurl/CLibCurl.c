#include "CLibCurl.h"
#include <string.h>

CURLcode geo_http_start(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

CURLM *geo_http_multi(long connection_limit) {
    CURLM *multi = curl_multi_init();
    if (multi) curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connection_limit);
    return multi;
}

#define SET(option, value)                                                                                             \
    do {                                                                                                               \
        CURLcode code = curl_easy_setopt(handle, option, value);                                                       \
        if (code != CURLE_OK) return code;                                                                             \
    } while (0)

// Each request stands alone: no connection, session, address or credential of another one is used.
static CURLcode isolate(CURL *handle) {
    SET(CURLOPT_FRESH_CONNECT, 1L);
    SET(CURLOPT_FORBID_REUSE, 1L);
    SET(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return CURLE_OK;
}

static CURLcode bound(CURL *handle, const struct geo_http_request *request) {
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, request->time_limit_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_limit_ms);
    // Otherwise the end of a request waits for its name look-up, as long as the resolver hangs.
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_PROXY, request->proxy ? request->proxy : "");
    SET(CURLOPT_NOPROXY, "");
    return CURLE_OK;
}

static CURLcode verify(CURL *handle, const struct geo_http_request *request) {
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_CERTINFO, 1L);
    if (request->ca_file) {
        SET(CURLOPT_CAINFO, request->ca_file);
        SET(CURLOPT_CAPATH, NULL);
    }
    if (request->client_certificate) SET(CURLOPT_SSLCERT, request->client_certificate);
    if (request->client_key) SET(CURLOPT_SSLKEY, request->client_key);
    return CURLE_OK;
}

static CURLcode describe(CURL *handle, const struct geo_http_request *request) {
    SET(CURLOPT_URL, request->url);
    SET(CURLOPT_HTTPHEADER, request->headers);
    SET(CURLOPT_CONNECT_TO, request->connect_to);
    if (strcmp(request->method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
    } else if (request->body) {
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_count);
        SET(CURLOPT_COPYPOSTFIELDS, request->body);
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, request->method);
    return CURLE_OK;
}

CURLcode geo_http_prepare(CURL *handle, const struct geo_http_request *request) {
    CURLcode code = isolate(handle);
    if (code == CURLE_OK) code = bound(handle, request);
    if (code == CURLE_OK) code = verify(handle, request);
    if (code == CURLE_OK) code = describe(handle, request);
    if (code != CURLE_OK) return code;
    SET(CURLOPT_ERRORBUFFER, request->error_buffer);
    SET(CURLOPT_HEADERFUNCTION, request->on_header);
    SET(CURLOPT_HEADERDATA, request->context);
    SET(CURLOPT_WRITEFUNCTION, request->on_body);
    SET(CURLOPT_WRITEDATA, request->context);
    return CURLE_OK;
}

static int64_t certificate_expiry(CURL *handle) {
    static const char name[] = "Expire date:";
    struct curl_certinfo *chain = NULL;
    if (curl_easy_getinfo(handle, CURLINFO_CERTINFO, &chain) != CURLE_OK) return -1;
    if (!chain || chain->num_of_certs < 1) return -1;
    for (struct curl_slist *line = chain->certinfo[0]; line; line = line->next)
        if (strncmp(line->data, name, sizeof name - 1) == 0) return curl_getdate(line->data + sizeof name - 1, NULL);
    return -1;
}

struct geo_http_outcome geo_http_outcome_of(CURL *handle) {
    struct geo_http_outcome outcome = {.address = ""};
    char *address = NULL;
    // These fail only for an unknown name, and then leave the zero that is there.
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &outcome.status);
    curl_easy_getinfo(handle, CURLINFO_PRIMARY_PORT, &outcome.port);
    curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &outcome.system_error);
    if (curl_easy_getinfo(handle, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address) outcome.address = address;
    outcome.certificate_expiry = certificate_expiry(handle);
    return outcome;
}

CURL *geo_http_next_finished(CURLM *multi, CURLcode *code) {
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
        if (message->msg != CURLMSG_DONE) continue;
        *code = message->data.result;
        return message->easy_handle;
    }
    return NULL;
}
