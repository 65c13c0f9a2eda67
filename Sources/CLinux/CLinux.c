#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int clinux_epoll_ctl(int epoll, int operation, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  return epoll_ctl(epoll, operation, fd, &event) == 0 ? 0 : -errno;
}

int clinux_epoll_wait(int epoll, struct clinux_event *out, int capacity, int64_t timeout_ns) {
  struct epoll_event events[256];
  if (capacity > 256) capacity = 256;
  struct timespec limit, *timeout = NULL;
  if (timeout_ns >= 0) {
    limit.tv_sec = timeout_ns / 1000000000;
    limit.tv_nsec = timeout_ns % 1000000000;
    timeout = &limit;
  }
  int count = epoll_pwait2(epoll, events, capacity, timeout, NULL);
  if (count < 0) return -errno;
  for (int i = 0; i < count; i++) {
    out[i].fd = events[i].data.fd;
    out[i].events = events[i].events;
  }
  return count;
}

int clinux_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
void clinux_eventfd_signal(int fd) {
  uint64_t one = 1;
  while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}
void clinux_eventfd_drain(int fd) {
  uint64_t value;
  while (read(fd, &value, sizeof value) < 0 && errno == EINTR) {
  }
}

static int64_t clock_ns(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
int64_t clinux_boot_ns(void) { return clock_ns(CLOCK_BOOTTIME); }
int64_t clinux_wall_ns(void) { return clock_ns(CLOCK_REALTIME); }
int64_t clinux_thread_cpu_ns(void) { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

int clinux_nice(int value) { return setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), value) == 0 ? 0 : -errno; }
void clinux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }
void clinux_forbid_core_dumps(void) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);
}

int clinux_user(const char *name, int64_t *uid, int64_t *gid) {
  struct passwd *entry = getpwnam(name);
  if (!entry) return -1;
  *uid = entry->pw_uid;
  *gid = entry->pw_gid;
  return 0;
}

int clinux_spawn(const char *path, char *const argv[], char *const envp[], const char *directory, int output_fd, int64_t uid,
                 int64_t gid, int die_with_parent) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return -errno;
  pid_t child = fork();
  if (child < 0) {
    int saved = errno;
    close(report[0]);
    close(report[1]);
    return -saved;
  }
  if (child == 0) {
    // Between fork and exec of a threaded program only async-signal-safe calls are allowed; these are.
    if (die_with_parent) prctl(PR_SET_PDEATHSIG, SIGINT);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);
    setpgid(0, 0);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    if (output_fd >= 0) {
      dup2(output_fd, 1);
      dup2(output_fd, 2);
    }
    int keep = 3;
    dup2(report[1], keep);
    fcntl(keep, F_SETFD, FD_CLOEXEC);
    close_range(4, ~0U, 0);
    int failed = 0;
    if (directory && chdir(directory) != 0) failed = errno;
    if (!failed && gid >= 0 && (setgroups(0, NULL) != 0 || setgid((gid_t)gid) != 0)) failed = errno;
    if (!failed && uid >= 0 && setuid((uid_t)uid) != 0) failed = errno;
    // Changing the user clears the parent-death signal: ask again.
    if (die_with_parent) prctl(PR_SET_PDEATHSIG, SIGINT);
    if (!failed) {
      execve(path, argv, envp);
      failed = errno;
    }
    (void)!write(keep, &failed, sizeof failed);
    _exit(127);
  }
  close(report[1]);
  int failed = 0;
  ssize_t got;
  while ((got = read(report[0], &failed, sizeof failed)) < 0 && errno == EINTR) {
  }
  close(report[0]);
  if (got == sizeof failed) {
    waitpid(child, NULL, 0);
    return -failed;
  }
  return child;
}
