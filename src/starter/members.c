// Which processes belong to which attempt.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "starter.h"

static struct processes found;
static size_t capacity;

// Reads the beginning of a file of /proc. Returns its length, or -1 with errno.
static ssize_t read_file(const char *path, char *text, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = read(file, text, size - 1);
  int error = errno;
  close(file);
  errno = error;
  if (length >= 0) text[length] = '\0';
  return length;
}

// Reads /proc/PID/stat (proc(5)). Returns false with errno if the process has ended.
bool read_process(pid_t pid, struct process *process, uint64_t *start_time) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  if (read_file(path, text, sizeof text) <= 0) return false;
  int parent, session;
  long threads;
  unsigned long long start;
  const char *fields = strrchr(text, ')');
  *process = (struct process){.pid = pid};
  if (fields == NULL || sscanf(fields + 1, " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d %llu",
                               &process->state, &parent, &session, &threads, &start) != 5) {
    errno = EIO;
    return false;
  }
  process->parent = parent;
  process->session = session;
  process->is_gone = process->state == 'X' || (process->state == 'Z' && threads <= 1);
  *start_time = start;
  return true;
}

static uint64_t serial_of(pid_t pid) {
  struct rlimit limit;
  return prlimit(pid, RLIMIT_LOCKS, NULL, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

bool has_serial(pid_t pid, uint64_t serial) { return serial_of(pid) == serial; }

static bool has_id(pid_t pid, const char *id) {
  static char text[1 << 20];
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/environ", pid);
  ssize_t length = id == NULL ? -1 : read_file(path, text, sizeof text);
  for (const char *variable = text; length > 0 && variable < text + length; variable += strlen(variable) + 1) {
    if (strncmp(variable, "RQ_ATTEMPT_ID=", 14) == 0) return strcmp(variable + 14, id) == 0;
  }
  return false;
}

static struct attempt *by_serial(pid_t pid) {
  uint64_t serial = serial_of(pid);
  if (serial == RLIM_INFINITY) return NULL;
  struct attempt *attempt = starter.running.first;
  while (attempt != NULL && attempt->serial != serial) attempt = attempt->next;
  return attempt;
}

static struct attempt *by_id(pid_t pid) {
  struct attempt *attempt = starter.running.first;
  while (attempt != NULL && (attempt->has_serial || !has_id(pid, attempt->id))) attempt = attempt->next;
  return attempt;
}

static struct process *find_process(pid_t pid) {
  size_t low = 0, high = found.count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (found.list[middle].pid < pid) low = middle + 1;
    else high = middle;
  }
  return low < found.count && found.list[low].pid == pid ? &found.list[low] : NULL;
}

// By its serial, else by its session, else by its parent, else by its environment.
static struct attempt *resolve(struct process *process) {
  if (process->is_resolved) return process->attempt;
  process->is_resolved = true;
  process->attempt = by_serial(process->pid);
  if (process->attempt == NULL) process->attempt = find_pid(&starter.running, process->session);
  if (process->attempt == NULL && process->parent != getpid()) {
    struct process *parent = find_process(process->parent);
    if (parent != NULL) process->attempt = resolve(parent);
  }
  if (process->attempt == NULL) process->attempt = by_id(process->pid);
  return process->attempt;
}

static int by_pid(const void *one, const void *other) {
  return ((const struct process *)one)->pid - ((const struct process *)other)->pid;
}

// All processes of the host, with their attempts.
const struct processes *scan_processes(void) {
  DIR *directory = opendir("/proc");
  found.count = 0;
  if (directory == NULL) return &found;
  for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
    uint64_t start_time;
    pid_t pid = atoi(entry->d_name);
    if (found.count == capacity) {
      capacity = capacity * 2 + 256;
      found.list = xrealloc(found.list, capacity * sizeof(struct process));
    }
    if (pid > 0 && pid != getpid() && read_process(pid, &found.list[found.count], &start_time)) found.count += 1;
  }
  closedir(directory);
  qsort(found.list, found.count, sizeof(struct process), by_pid);
  for (size_t index = 0; index < found.count; index++) resolve(&found.list[index]);
  return &found;
}

static bool is_signal_requested;

// Has a signal sent to all processes of an attempt, after the requests that have arrived: one scan serves all of them.
void request_signal(struct attempt *attempt, int number) {
  if (attempt->signal != 0) deliver_signals();
  attempt->signal = number;
  is_signal_requested = true;
}

void deliver_signals(void) {
  if (!is_signal_requested) return;
  is_signal_requested = false;
  const struct processes *processes = scan_processes();
  for (struct attempt *attempt = starter.running.first; attempt != NULL; attempt = attempt->next) {
    if (attempt->signal == 0) continue;
    long count = 0;
    for (size_t index = 0; index < processes->count; index++) {
      const struct process *process = &processes->list[index];
      if (process->attempt != attempt || process->is_gone || kill(process->pid, attempt->signal) != 0) continue;
      if (attempt->is_ending) kill(process->pid, SIGCONT);
      count += 1;
    }
    attempt->signal = 0;
    SEND("signalled", attempt->name, decimal((double)count));
  }
  send_soon();
}

// Calls `act` for each child that is not the child of a known attempt. Returns false if the kernel has no list of them.
static bool each_child(const char *path, void (*act)(pid_t pid, void *context), void *context) {
  FILE *file = fopen(path, "re");
  if (file == NULL) return false;
  int pid;
  while (fscanf(file, "%d", &pid) == 1) act(pid, context);
  fclose(file);
  return true;
}

struct visit {
  void (*act)(pid_t pid, void *context);
  void *context;
};

static void visit_orphan(pid_t pid, void *context) {
  const struct visit *visit = context;
  if (find_pid(&starter.running, pid) == NULL && find_pid(&starter.waiting, pid) == NULL) visit->act(pid, visit->context);
}

void each_orphan(void (*act)(pid_t pid, void *context), void *context) {
  struct visit visit = {act, context};
  each_child("/proc/thread-self/children", visit_orphan, &visit);
}

struct orphans {
  const struct attempt *attempt;
  long count;
};

static void count_child(pid_t pid, void *context);

static void count_with_children(pid_t pid, struct orphans *orphans) {
  char path[64];
  struct process process;
  uint64_t start_time;
  if (read_process(pid, &process, &start_time) && !process.is_gone) orphans->count += 1;
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR *directory = opendir(path);
  if (directory == NULL) return;
  for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
    if (*entry->d_name == '.') continue;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, atoi(entry->d_name));
    each_child(path, count_child, orphans);
  }
  closedir(directory);
}

static void count_child(pid_t pid, void *context) { count_with_children(pid, context); }

static void count_orphan(pid_t pid, void *context) {
  struct orphans *orphans = context;
  if (pid != orphans->attempt->pid && has_serial(pid, orphans->attempt->serial)) count_with_children(pid, orphans);
}

// The number of processes that an attempt leaves when its leader ends; -1 if the kernel has no list of children.
long count_orphans(const struct attempt *attempt) {
  struct orphans orphans = {attempt, 0};
  struct visit visit = {count_orphan, &orphans};
  return each_child("/proc/thread-self/children", visit_orphan, &visit) ? orphans.count : -1;
}

static bool is_leader_of(pid_t pid, const struct attempt *attempt, uint64_t *start_time) {
  struct process process;
  if (!read_process(pid, &process, start_time) || process.is_gone || process.session != pid) return false;
  return has_serial(pid, attempt->serial) || has_id(pid, attempt->id);
}

// Finds the leader of an attempt of an earlier starter: the oldest session leader with its serial or id.
bool adopt(struct attempt *attempt) {
  uint64_t start_time;
  struct process process;
  if (attempt->pid > 0) {
    if (!read_process(attempt->pid, &process, &start_time) || process.is_gone) return false;
    if (attempt->start_time != 0 ? start_time != attempt->start_time : !is_leader_of(attempt->pid, attempt, &start_time)) return false;
    attempt->start_time = start_time;
  } else {
    const struct processes *processes = scan_processes();
    for (size_t index = 0; index < processes->count; index++) {
      pid_t pid = processes->list[index].pid;
      if (!is_leader_of(pid, attempt, &start_time)) continue;
      if (attempt->pid > 0 && start_time >= attempt->start_time) continue;
      attempt->pid = pid;
      attempt->start_time = start_time;
    }
    if (attempt->pid <= 0) return false;
  }
  attempt->has_serial = has_serial(attempt->pid, attempt->serial);
  attempt->pidfd = (int)syscall(SYS_pidfd_open, attempt->pid, 0);
  if (attempt->pidfd >= 0) fcntl(attempt->pidfd, F_SETFD, FD_CLOEXEC);
  // The pid may have been reused before the pidfd was opened.
  return read_process(attempt->pid, &process, &start_time) && !process.is_gone && start_time == attempt->start_time;
}

// The resident memory of a process, excluding mapped files and shared memory. Records the largest shared part.
static double resident_bytes(pid_t pid, struct attempt *attempt) {
  char path[64], text[256];
  unsigned long resident, shared;
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  if (read_file(path, text, sizeof text) <= 0 || sscanf(text, "%*u %lu %lu", &resident, &shared) != 2) return 0;
  double page = (double)sysconf(_SC_PAGESIZE);
  attempt->max_shared = fmax(attempt->max_shared, (double)shared * page);
  return ((double)resident - (double)shared) * page;
}

static double proportional_bytes(pid_t pid, struct attempt *attempt) {
  char path[64], text[2048];
  unsigned long kilobytes;
  snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
  const char *line = read_file(path, text, sizeof text) > 0 ? strstr(text, "\nPss:") : NULL;
  if (line == NULL || sscanf(line, "\nPss: %lu", &kilobytes) != 1) return resident_bytes(pid, attempt);
  return (double)kilobytes * 1024;
}

static bool is_named(const struct fields *request, const char *name) {
  size_t index = 1;
  while (index < request->count && strcmp(request->values[index], name) != 0) index++;
  return index < request->count;
}

// Sends the memory of all running attempts, or of those with the given names.
void sample_memory(const struct fields *request) {
  bool is_exact = request->count > 1;
  const struct processes *processes = scan_processes();
  for (struct attempt *attempt = starter.running.first; attempt != NULL; attempt = attempt->next) {
    attempt->sample = is_exact && !is_named(request, attempt->name) ? -1 : 0;
  }
  for (size_t index = 0; index < processes->count; index++) {
    pid_t pid = processes->list[index].pid;
    struct attempt *attempt = processes->list[index].attempt;
    if (attempt == NULL || attempt->sample < 0) continue;
    attempt->sample += is_exact ? proportional_bytes(pid, attempt) : resident_bytes(pid, attempt);
  }
  for (struct attempt *attempt = starter.running.first; attempt != NULL; attempt = attempt->next) {
    if (attempt->sample < 0) continue;
    if (!is_exact) attempt->max_sample = fmax(attempt->max_sample, attempt->sample);
    SEND("memory", attempt->name, decimal(attempt->sample));
  }
  SEND("sampled");
}
