// The attempts from the request to the start of bash.
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "starter.h"

enum {
  AT_GATE = 4,            // children beyond the free slots
  MAX_PREPARING = 32,     // children that are forked and not yet begun
  SLOW_MS = 1000,         // a child that takes longer does not delay others
  FAILURE_PAUSE_MS = 100,  // the pause after a failed start
};

void append(struct list *list, struct attempt *attempt) {
  attempt->next = NULL;
  attempt->link = list->last;
  *list->last = attempt;
  list->last = &attempt->next;
}

void unlink_attempt(struct list *list, struct attempt *attempt) {
  *attempt->link = attempt->next;
  if (attempt->next != NULL) attempt->next->link = attempt->link;
  else list->last = attempt->link;
}

struct attempt *find_name(const struct list *list, const char *name) {
  struct attempt *attempt = list->first;
  while (attempt != NULL && strcmp(attempt->name, name) != 0) attempt = attempt->next;
  return attempt;
}

struct attempt *find_pid(const struct list *list, pid_t pid) {
  struct attempt *attempt = list->first;
  while (attempt != NULL && attempt->pid != pid) attempt = attempt->next;
  return attempt;
}

void free_fields(struct fields *fields) {
  free(fields->values);
  *fields = (struct fields){0};
}

void free_attempt(struct attempt *attempt) {
  if (attempt->gate >= 0) close(attempt->gate);
  if (attempt->pidfd >= 0) close(attempt->pidfd);
  free_fields(&attempt->request);
  free(attempt->id);
  free(attempt);
}

// Closes the gate of a waiting attempt. Its child never executes bash; a child that hangs is reaped when it ends.
static void discard(struct attempt *attempt) {
  if (attempt->pid > 0) kill(attempt->pid, SIGKILL);
  unlink_attempt(&starter.waiting, attempt);
  free_attempt(attempt);
}

void take_back(struct attempt *attempt, const char *cause) {
  SEND("cancelled", attempt->name, cause);
  discard(attempt);
}

void take_back_waiting(void) {
  while (starter.waiting.first != NULL) discard(starter.waiting.first);
}

// Takes back attempts that have waited too long. Returns whether there was one.
bool expire_waiting(void) {
  double now = since_boot_ms();
  bool is_expired = false;
  for (struct attempt *attempt = starter.waiting.first, *next; attempt != NULL; attempt = next) {
    next = attempt->next;
    double waited_ms = now - attempt->waiting_since_ms;
    if (waited_ms <= (attempt->state == PREPARING ? READY_TIMEOUT_MS : STALE_MS)) continue;
    take_back(attempt, attempt->state == PREPARING ? "timeout" : "stale");
    is_expired = true;
  }
  return is_expired;
}

static void pause_starts(void) {
  if (isfinite(starter.slots)) starter.begin_after_ms = now_ms() + FAILURE_PAUSE_MS;
  send_soon();
}

static void send_failed(const struct attempt *attempt, char step, int error) {
  SEND("failed", attempt->name, step_name(step), decimal(error));
  pause_starts();
}

static void fork_child(struct attempt *attempt) {
  int pair[2] = {-1, -1};
  pid_t pid = -1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0) pid = fork();
  if (pid == 0) run_child(attempt, pair[1]);
  int error = errno;
  if (pair[1] >= 0) close(pair[1]);
  if (pid < 0) {
    if (pair[0] >= 0) close(pair[0]);
    send_failed(attempt, 'f', error);
    discard(attempt);
    return;
  }
  attempt->pid = pid;
  attempt->gate = pair[0];
  attempt->forked_ms = now_ms();
  attempt->state = PREPARING;
}

static bool is_preparing(const struct attempt *attempt) {
  return attempt->state == QUEUED || (attempt->state == PREPARING && now_ms() - attempt->forked_ms < SLOW_MS);
}

// Forks the children of the next attempts, which then wait at their gates.
void prepare_next(void) {
  if (!has_records() || now_ms() < starter.begin_after_ms) return;
  double wanted = fmin(MAX_PREPARING, fmax(0, starter.slots - starter.used) + AT_GATE), prepared = 0;
  for (struct attempt *attempt = starter.waiting.first, *next; attempt != NULL && prepared < wanted; attempt = next) {
    next = attempt->next;
    if (attempt->state == QUEUED) fork_child(attempt), prepared += 1;
    else if (attempt->state == READY || is_preparing(attempt)) prepared += 1;
    if (now_ms() < starter.begin_after_ms) return;
  }
}

static void begin(struct attempt *attempt) {
  int error = record_begin(attempt->name);
  if (error != 0) {
    send_failed(attempt, 'r', error);
    discard(attempt);
    return;
  }
  attempt->started_ms = now_ms();
  if (send(attempt->gate, "G", 1, MSG_NOSIGNAL) != 1) {
    // The child was killed.
    take_back(attempt, "request");
    return;
  }
  attempt->state = BEGUN;
  unlink_attempt(&starter.waiting, attempt);
  append(&starter.running, attempt);
  free_fields(&attempt->request);
  starter.used += (double)attempt->weight;
}

// Opens the gates of the attempts that are ready, in their order, while there are slots.
void begin_next(void) {
  if (!has_records()) return;
  for (struct attempt *attempt = starter.waiting.first, *next; attempt != NULL; attempt = next) {
    next = attempt->next;
    if (is_preparing(attempt)) return;
    if (attempt->state != READY) continue;
    if (now_ms() < starter.begin_after_ms || is_congested()) return;
    // An attempt that needs more than all slots runs alone.
    if (starter.used > 0 && starter.used + (double)attempt->weight > starter.slots) return;
    begin(attempt);
  }
}

// The time until an attempt may begin or expire, in milliseconds; -1 if none waits.
double start_delay_ms(void) {
  if (starter.waiting.first == NULL) return -1;
  double pause_ms = starter.begin_after_ms - now_ms();
  return pause_ms > 0 ? pause_ms : SLOW_MS;
}

void report_started(struct attempt *attempt) {
  struct process process;
  if (attempt->start_time == 0 && !read_process(attempt->pid, &process, &attempt->start_time)) attempt->start_time = 0;
  attempt->is_reported = true;
  SEND("started", attempt->name, decimal(attempt->pid), decimal((double)attempt->start_time),
               milliseconds(attempt->started_ms));
}

static void exec_failed(struct attempt *attempt, char step, int error) {
  attempt->failed = true;
  attempt->step = step;
  attempt->error = error;
  pause_starts();
}

static void executed(struct attempt *attempt) {
  close(attempt->gate);
  attempt->gate = -1;
  if (attempt->failed) return;
  attempt->state = RUNNING;
  if (!attempt->is_reported) report_started(attempt);
}

// Reads what a child reports: that it is ready, that a step failed, or, by closing its end, that it executes bash. Returns
// whether more may follow.
bool read_gate(struct attempt *attempt) {
  char message[1 + sizeof(int)];
  ssize_t length = recv(attempt->gate, message, sizeof message, MSG_DONTWAIT);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (length == 1) {
    attempt->has_serial = *message == 'R';
    attempt->state = READY;
    attempt->waiting_since_ms = since_boot_ms();
    return true;
  }
  if (length == sizeof message) {
    int error;
    memcpy(&error, message + 1, sizeof error);
    if (attempt->state == BEGUN) {
      exec_failed(attempt, *message, error);
      return true;
    }
    if (now_ms() < starter.begin_after_ms) {
      // If no job can start on this host, the runner has time to cancel the others after the first failure.
      take_back(attempt, "request");
    } else {
      send_failed(attempt, *message, error);
      discard(attempt);
    }
  } else if (attempt->state == BEGUN) {
    executed(attempt);
  } else {
    // The child was killed before its attempt began.
    take_back(attempt, "request");
  }
  return false;
}
