// Linux calls that the Glibc module does not import. Header only.
#ifndef GEO_CLINUX_H
#define GEO_CLINUX_H
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#endif
