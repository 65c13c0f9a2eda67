#ifndef CLINUX_H
#define CLINUX_H
#include <stdint.h>

// What the Glibc module does not show to Swift: epoll, eventfd, timerfd, the boot clock, spawning without leaks.

struct clinux_event {
  int32_t fd;
  uint32_t events;
};

int clinux_epoll_create(void);
/// operation: 1 add, 2 delete, 3 modify (EPOLL_CTL_*). Returns 0 or -errno.
int clinux_epoll_ctl(int epoll, int operation, int fd, uint32_t events);
/// Waits at most `timeout_ns` (below 0: for ever) and fills `events`. Returns a count or -errno.
int clinux_epoll_wait(int epoll, struct clinux_event *events, int capacity, int64_t timeout_ns);
int clinux_eventfd(void);
void clinux_eventfd_signal(int fd);
void clinux_eventfd_drain(int fd);
/// CLOCK_BOOTTIME in nanoseconds: goes on while the machine sleeps, never jumps.
int64_t clinux_boot_ns(void);
/// CLOCK_REALTIME in nanoseconds since 1970.
int64_t clinux_wall_ns(void);
/// Raises this thread's nice value; 0 or -errno.
int clinux_nice(int value);
/// CPU nanoseconds this thread has used.
int64_t clinux_thread_cpu_ns(void);
void clinux_name_thread(const char *name);

/// Starts `path` with `argv` and `envp`, standard input /dev/null, output and errors into `output_fd` (-1: inherit), every
/// other descriptor closed, default signals, its own process group. `uid`/`gid` (-1: unchanged) are taken on before exec.
/// `die_with_parent`: SIGINT is sent to it when the spawning thread ends (PR_SET_PDEATHSIG).
/// Returns the pid or -errno (also of a failed exec).
int clinux_spawn(const char *path, char *const argv[], char *const envp[], const char *directory, int output_fd, int64_t uid,
                 int64_t gid, int die_with_parent);
/// The name service's uid and gid of a user; 0 or -1.
int clinux_user(const char *name, int64_t *uid, int64_t *gid);
/// Forbids core dumps and ptrace attachment by other processes of the same user (PR_SET_DUMPABLE 0).
void clinux_forbid_core_dumps(void);
#endif
