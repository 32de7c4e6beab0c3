// rq-starter DIRECTORY BASH: see docs/starter-protocol.md.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "starter.h"

enum { LOCK_TIMEOUT_MS = 10000, LOCK_PAUSE_MS = 20, CONNECT_TIMEOUT_MS = 30000 };

struct starter starter = {.connection = -1, .slots = INFINITY, .umask = -1};

__attribute__((noreturn)) static void die(const char *action) {
  fprintf(stderr, "rq-starter: cannot %s: %s\n", action, strerror(errno));
  exit(1);
}

// Closes what the starter inherited: a file of the launcher must not stay open in it or in jobs.
static void close_inherited(void) {
  if (syscall(SYS_close_range, 3, ~0U, 0) == 0) return;
  for (int descriptor = 3; descriptor < 1024; descriptor++) close(descriptor);
}

static void lock_directory(void) {
  int lock = open("starter.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) die("open starter.lock");
  for (double begin_ms = now_ms(); flock(lock, LOCK_EX | LOCK_NB) != 0;) {
    if (errno != EWOULDBLOCK || now_ms() - begin_ms > LOCK_TIMEOUT_MS) die("lock starter.lock");
    poll(NULL, 0, LOCK_PAUSE_MS);
  }
}

static void listen_on_socket(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "starter.sock"};
  unlink(address.sun_path);
  mode_t previous = umask(0177);
  starter.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (starter.listener < 0 || bind(starter.listener, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen(starter.listener, 4) != 0) {
    die("listen on starter.sock");
  }
  umask(previous);
}

static void block_signals(void) {
  sigset_t handled;
  // Jobs get the defaults, also of signals that the launcher ignored.
  for (int number = 1; number <= SIGRTMAX; number++) signal(number, SIG_DFL);
  sigemptyset(&handled);
  for (const int *number = (int[]){SIGCHLD, SIGTERM, SIGHUP, SIGINT, 0}; *number != 0; number++) sigaddset(&handled, *number);
  sigprocmask(SIG_SETMASK, &handled, NULL);
  starter.signals = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
  if (starter.signals < 0) die("create a signalfd");
}

static void start_up(const char *directory, const char *bash) {
  close_inherited();
  starter.bash = bash;
  starter.waiting.last = &starter.waiting.first;
  starter.running.last = &starter.running.first;
  starter.ended.last = &starter.ended.first;
  if (chdir(directory) != 0) die("enter the runtime directory");
  lock_directory();
  block_signals();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  listen_on_socket();
  if (write(STDOUT_FILENO, "ready\n", 6) != 6) die("write to stdout");
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0) die("open /dev/null");
  close(null);
}

static void end_connection(void) {
  if (starter.connection >= 0) close(starter.connection);
  starter.connection = -1;
  take_back_waiting();
  forget_records();
  reset_connection();
}

static void accept_runner(void) {
  int connection = accept4(starter.listener, NULL, NULL, SOCK_CLOEXEC);
  if (connection < 0) return;
  end_connection();
  starter.connection = connection;
  starter.had_connection = true;
}

// Returns whether SIGTERM, SIGHUP or SIGINT was received.
static bool read_signals(void) {
  struct signalfd_siginfo info;
  bool is_end = false;
  while (read(starter.signals, &info, sizeof info) == sizeof info) is_end |= info.ssi_signo != SIGCHLD;
  return is_end;
}

static bool is_unused(void) {
  return starter.waiting.first == NULL && starter.running.first == NULL && starter.ended.first == NULL;
}

static double earlier(double one, double other) { return one < 0 || (other >= 0 && other < one) ? other : one; }

// The poll set: signals, listener and connection; then the gates of children and the pidfds of adopted leaders.
static struct pollfd *poll_set;
static struct attempt **poll_attempts;
static size_t poll_count, poll_capacity;

static void watch(int descriptor, struct attempt *attempt, short events) {
  if (poll_count == poll_capacity) {
    poll_capacity = poll_capacity * 2 + 64;
    poll_set = xrealloc(poll_set, poll_capacity * sizeof *poll_set);
    poll_attempts = xrealloc(poll_attempts, poll_capacity * sizeof *poll_attempts);
  }
  poll_set[poll_count] = (struct pollfd){.fd = descriptor, .events = events};
  poll_attempts[poll_count++] = attempt;
}

static void watch_all(void) {
  poll_count = 0;
  watch(starter.signals, NULL, POLLIN);
  watch(starter.listener, NULL, POLLIN);
  watch(starter.connection, NULL, POLLIN);
  for (struct attempt *attempt = starter.waiting.first; attempt != NULL; attempt = attempt->next) {
    if (attempt->gate >= 0) watch(attempt->gate, attempt, POLLIN);
  }
  for (struct attempt *attempt = starter.running.first; attempt != NULL; attempt = attempt->next) {
    if (attempt->gate >= 0) watch(attempt->gate, attempt, POLLIN);
    else if (attempt->pidfd >= 0 && !attempt->leader_ended) watch(attempt->pidfd, attempt, POLLIN);
  }
}

// Handles one turn of events. Returns whether the starter was asked to end.
static bool handle_events(void) {
  bool is_end_requested = false, is_adopted_due = false;
  // No attempt is freed before the end of this loop but by its own gate.
  for (size_t index = 3; index < poll_count; index++) {
    struct attempt *attempt = poll_attempts[index];
    if (poll_set[index].revents == 0) continue;
    if (poll_set[index].fd == attempt->gate) read_gate(attempt);
    else is_adopted_due = true;
  }
  if (poll_set[0].revents != 0) {
    is_end_requested = read_signals();
    reap();
  }
  if (is_adopted_due || ending_delay_ms() >= 0) poll_adopted();
  continue_ending();
  if (starter.connection >= 0 && poll_set[2].revents != 0 && !read_requests(handle_request)) end_connection();
  deliver_signals();
  if (poll_set[1].revents != 0) accept_runner();
  return is_end_requested;
}

static void serve(void) {
  double begin_ms = now_ms();
  for (;;) {
    begin_next();
    prepare_next();
    double timeout_ms = flush_messages(starter.waiting.first == NULL);
    timeout_ms = earlier(earlier(timeout_ms, start_delay_ms()), ending_delay_ms());
    if (is_unused() && starter.connection < 0) {
      if (starter.had_connection || now_ms() - begin_ms > CONNECT_TIMEOUT_MS) return;
      timeout_ms = CONNECT_TIMEOUT_MS;
    }
    watch_all();
    if (poll(poll_set, poll_count, timeout_ms < 0 ? -1 : (int)ceil(timeout_ms)) < 0) continue;
    // Before the events, because an attempt that waited while the host was suspended must not begin.
    if (!expire_waiting() && handle_events() && is_unused()) return;
  }
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: rq-starter DIRECTORY BASH\n");
    return 1;
  }
  start_up(arguments[1], arguments[2]);
  serve();
  unlink("starter.sock");
  return 0;
}
