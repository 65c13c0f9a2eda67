#ifndef CMICROHTTPD_SHIM_H
#define CMICROHTTPD_SHIM_H
#include <microhttpd.h>
#include <string.h>

// MHD_start_daemon and the info calls are variadic, so Swift cannot call them: each gets one typed inline twin.

/// Leaves escapes as they came. MHD's own decoding writes a NUL for %00 and would cut the path there.
static inline size_t cmhd_keep_escapes(void *cls, struct MHD_Connection *connection, char *text) {
  (void)cls;
  (void)connection;
  return strlen(text);
}

/// A daemon without a thread of its own: its epoll descriptor nests in the caller's set. `listener` is a listening,
/// non-blocking socket, owned by the daemon once this succeeds. `cls` goes to all three callbacks. With a certificate and
/// its key, both PEM and read in this call alone, it speaks TLS; NULL: plain.
static inline struct MHD_Daemon *cmhd_start(MHD_socket listener, unsigned int connection_limit, size_t memory_limit,
                                            const char *certificate, const char *key,
                                            MHD_AccessHandlerCallback access, MHD_RequestCompletedCallback completed,
                                            MHD_NotifyConnectionCallback connection, void *cls) {
  const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
  const struct MHD_OptionItem sealed[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)certificate},
                                          {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
                                          {MHD_OPTION_END, 0, NULL}};
  unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (certificate ? MHD_USE_TLS : 0);
  return MHD_start_daemon(flags, 0, NULL, NULL, access, cls,
                          MHD_OPTION_ARRAY, certificate ? sealed : plain,
                          MHD_OPTION_LISTEN_SOCKET, listener,
                          MHD_OPTION_CONNECTION_LIMIT, connection_limit,
                          MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory_limit,
                          MHD_OPTION_UNESCAPE_CALLBACK, &cmhd_keep_escapes, NULL,
                          MHD_OPTION_NOTIFY_COMPLETED, completed, cls,
                          MHD_OPTION_NOTIFY_CONNECTION, connection, cls,
                          MHD_OPTION_END);
}

static inline int cmhd_epoll_descriptor(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
  return info ? info->epoll_fd : -1;
}

static inline int cmhd_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? (int)info->connect_fd : -1;
}

static inline void *cmhd_socket_context(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

/// Bytes of the head as received, from the method to the empty line, both included.
static inline size_t cmhd_head_size(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  return info ? info->header_size : 0;
}

/// 1 when another MHD_run is due at once.
static inline int cmhd_must_run(struct MHD_Daemon *daemon) {
  MHD_UNSIGNED_LONG_LONG timeout = 0;
  return MHD_get_timeout(daemon, &timeout) == MHD_YES && timeout == 0;
}

// MHD's enums are declared closed or as flags; both lose their names on the way to Swift.
static inline enum MHD_Result cmhd_result(int ok) { return ok ? MHD_YES : MHD_NO; }
static inline int cmhd_is_start(enum MHD_ConnectionNotificationCode code) { return code == MHD_CONNECTION_NOTIFY_STARTED; }
static inline int cmhd_ended_well(enum MHD_RequestTerminationCode code) { return code == MHD_REQUEST_TERMINATED_COMPLETED_OK; }
static inline int cmhd_add_header(struct MHD_Response *response, const char *name, const char *value) {
  return MHD_add_response_header(response, name, value) == MHD_YES;
}
static inline int cmhd_queue(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response) {
  return MHD_queue_response(connection, status, response) == MHD_YES;
}
/// A response that copies `bytes`.
static inline struct MHD_Response *cmhd_bytes(const void *bytes, size_t count) {
  return MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}
static inline enum MHD_ValueKind cmhd_header_kind(void) { return MHD_HEADER_KIND; }
static inline enum MHD_ValueKind cmhd_argument_kind(void) { return MHD_GET_ARGUMENT_KIND; }
static inline size_t cmhd_values(struct MHD_Connection *connection, MHD_KeyValueIteratorN each, void *cls) {
  int count = MHD_get_connection_values_n(connection, (enum MHD_ValueKind)(MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND), each, cls);
  return count < 0 ? 0 : (size_t)count;
}

static inline ssize_t cmhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t cmhd_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }

/// A response whose length is not known beforehand, filled by `reader`.
static inline struct MHD_Response *cmhd_stream(size_t block, MHD_ContentReaderCallback reader, void *cls,
                                               MHD_ContentReaderFreeCallback release) {
  return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, block, reader, cls, release);
}
#endif
