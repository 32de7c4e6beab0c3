// The ends of attempts: reaping, ending and adoption.
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "starter.h"

enum { FIRST_SCAN_MS = 10, MAX_SCAN_MS = 1000, STOP_ROUNDS = 5, SCAN_SHARE = 10 };

void report_end(const struct attempt *attempt) {
  if (attempt->failed) {
    SEND("failed", attempt->name, step_name(attempt->step), decimal(attempt->error));
    return;
  }
  const struct rusage *usage = &attempt->usage;
  double user = (double)usage->ru_utime.tv_sec * 1e6 + (double)usage->ru_utime.tv_usec;
  double system = (double)usage->ru_stime.tv_sec * 1e6 + (double)usage->ru_stime.tv_usec;
  const char *cause = attempt->left_to_other_user ? "user" : "", *left = attempt->left < 0 ? "" : decimal((double)attempt->left);
  if (attempt->is_adopted) {
    SEND("ended", attempt->name, "", milliseconds(attempt->ended_ms), "", "", "", left, cause, "");
  } else {
    double peak = (double)usage->ru_maxrss * 1024;
    SEND("ended", attempt->name, decimal(attempt->status), milliseconds(attempt->ended_ms),
                 decimal(fmax(peak, attempt->max_sample)), decimal(user), decimal(system), left, cause,
                 decimal(fmax(peak - attempt->max_shared, 0)));
  }
}

// Frees the slot of an attempt and keeps its end until it is acknowledged.
void finish(struct attempt *attempt) {
  while (attempt->gate >= 0 && read_gate(attempt)) {
  }
  attempt->state = ENDED;
  starter.used -= (double)attempt->weight;
  if (attempt->is_ending) starter.ending -= 1;
  unlink_attempt(&starter.running, attempt);
  append(&starter.ended, attempt);
  report_end(attempt);
}

static void collect(struct attempt *attempt) {
  if (attempt->is_adopted) return;
  if (wait4(attempt->pid, &attempt->status, WNOHANG, &attempt->usage) != attempt->pid) attempt->status = SIGKILL;
}

static void schedule_scan(struct attempt *attempt, double pause_ms) {
  attempt->scan_pause_ms = pause_ms;
  attempt->next_scan_ms = now_ms() + pause_ms;
}

// The leader of an attempt has ended. Without a request to end the attempt, this is its end.
void leader_ended(struct attempt *attempt) {
  attempt->leader_ended = true;
  attempt->ended_ms = now_ms();
  if (attempt->is_ending) {
    schedule_scan(attempt, 0);
    return;
  }
  attempt->left = attempt->is_adopted ? -1 : count_orphans(attempt);
  finish(attempt);
}

// Its last report says which step failed; otherwise it was killed.
static void waiting_child_ended(struct attempt *attempt) {
  attempt->pid = 0;
  while (read_gate(attempt)) {
  }
}

static void reap_orphan(pid_t pid, void *context) {
  (void)context;
  waitpid(pid, NULL, WNOHANG);
}

// Keeps the leaders of attempts that are being ended as zombies, so that their group ids are not reused.
static void reap_each(void) {
  for (struct attempt *attempt = starter.running.first, *next; attempt != NULL; attempt = next) {
    next = attempt->next;
    siginfo_t info = {0};
    if (attempt->is_adopted || attempt->leader_ended) continue;
    if (waitid(P_PID, (id_t)attempt->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) continue;
    if (!attempt->is_ending) collect(attempt);
    leader_ended(attempt);
  }
  for (struct attempt *attempt = starter.waiting.first, *next; attempt != NULL; attempt = next) {
    next = attempt->next;
    if (attempt->gate >= 0 && waitpid(attempt->pid, NULL, WNOHANG) == attempt->pid) waiting_child_ended(attempt);
  }
  each_orphan(reap_orphan, NULL);
}

void reap(void) {
  while (starter.ending == 0) {
    struct rusage usage;
    int status;
    pid_t pid = wait4(-1, &status, WNOHANG, &usage);
    if (pid <= 0) return;
    struct attempt *attempt = find_pid(&starter.running, pid);
    if (attempt != NULL) {
      attempt->status = status;
      attempt->usage = usage;
      leader_ended(attempt);
    } else if ((attempt = find_pid(&starter.waiting, pid)) != NULL) {
      waiting_child_ended(attempt);
    }
  }
  reap_each();
}

// Looks for the ends of attempts that are not children. With a pidfd, poll(2) reports them as well.
void poll_adopted(void) {
  for (struct attempt *attempt = starter.running.first, *next; attempt != NULL; attempt = next) {
    next = attempt->next;
    if (!attempt->is_adopted || attempt->leader_ended) continue;
    struct process process;
    uint64_t start_time;
    if (attempt->pidfd >= 0) {
      struct pollfd ended = {.fd = attempt->pidfd, .events = POLLIN};
      if (poll(&ended, 1, 0) != 1) continue;
    } else if (read_process(attempt->pid, &process, &start_time)) {
      if (!process.is_gone && start_time == attempt->start_time) continue;
    } else if (errno != ENOENT && errno != ESRCH) {
      continue;
    }
    leader_ended(attempt);
  }
}

// Begins the grace period of an attempt, or replaces it.
void end_attempt(struct attempt *attempt, double grace_ms) {
  if (!attempt->is_ending) starter.ending += 1;
  attempt->is_ending = true;
  attempt->kill_ms = now_ms() + grace_ms;
  schedule_scan(attempt, FIRST_SCAN_MS);
}

static bool is_due(const struct attempt *attempt) {
  return attempt->is_ending && now_ms() >= attempt->next_scan_ms && (attempt->leader_ended || now_ms() >= attempt->kill_ms);
}

// Sends a signal to the processes of all attempts whose grace period is over. Returns how many were not stopped before.
static long signal_due(int number) {
  const struct processes *processes = scan_processes();
  long fresh = 0;
  for (size_t index = 0; index < processes->count; index++) {
    const struct process *process = &processes->list[index];
    struct attempt *attempt = process->attempt;
    if (attempt == NULL || process->is_gone || !is_due(attempt) || now_ms() < attempt->kill_ms) continue;
    if (process->state != 'T' && kill(process->pid, number) == 0) fresh += 1;
    else if (number == SIGKILL) kill(process->pid, number);
  }
  return fresh;
}

static void finish_ending(struct attempt *attempt, long left) {
  collect(attempt);
  attempt->left = left;
  attempt->left_to_other_user = left > 0;
  finish(attempt);
}

// Finishes the attempts of which nothing is left but processes that the starter may not signal.
static void finish_ended(void) {
  const struct processes *processes = scan_processes();
  for (struct attempt *attempt = starter.running.first, *next; attempt != NULL; attempt = next) {
    next = attempt->next;
    if (!is_due(attempt) || !attempt->leader_ended) continue;
    long left = 0, denied = 0;
    for (size_t index = 0; index < processes->count; index++) {
      const struct process *process = &processes->list[index];
      if (process->attempt != attempt || process->is_gone) continue;
      left += 1;
      if (kill(process->pid, 0) != 0 && errno == EPERM) denied += 1;
    }
    if (left == 0 || (left == denied && now_ms() >= attempt->kill_ms)) finish_ending(attempt, left);
  }
}

// Continues to end attempts. One scan of /proc serves all of them.
void continue_ending(void) {
  bool is_any_due = false, is_kill_due = false;
  for (const struct attempt *attempt = starter.running.first; attempt != NULL; attempt = attempt->next) {
    if (!is_due(attempt)) continue;
    is_any_due = true;
    is_kill_due |= now_ms() >= attempt->kill_ms;
  }
  if (!is_any_due) return;
  double begin_ms = now_ms();
  if (is_kill_due) {
    for (int round = 0; round < STOP_ROUNDS && signal_due(SIGSTOP) > 0; round++) {
    }
    signal_due(SIGKILL);
    reap_each();
  }
  finish_ended();
  double scan_ms = now_ms() - begin_ms;
  for (struct attempt *attempt = starter.running.first; attempt != NULL; attempt = attempt->next) {
    if (is_due(attempt)) schedule_scan(attempt, fmax(fmin(fmax(attempt->scan_pause_ms, 5) * 2, MAX_SCAN_MS), scan_ms * SCAN_SHARE));
  }
  if (starter.ending == 0) reap();
}

// The time until continue_ending or poll_adopted is due, in milliseconds; -1 if there is nothing to do.
double ending_delay_ms(void) {
  double delay_ms = -1;
  for (const struct attempt *attempt = starter.running.first; attempt != NULL; attempt = attempt->next) {
    double due_ms;
    if (attempt->is_ending) due_ms = (attempt->leader_ended ? attempt->next_scan_ms : fmax(attempt->kill_ms, attempt->next_scan_ms)) - now_ms();
    else if (attempt->is_adopted && attempt->pidfd < 0) due_ms = MAX_SCAN_MS;
    else continue;
    due_ms = fmax(0, due_ms);
    if (delay_ms < 0 || due_ms < delay_ms) delay_ms = due_ms;
  }
  return delay_ms;
}
