#ifndef GEO_CLIBCURL_H
#define GEO_CLIBCURL_H
#endif
