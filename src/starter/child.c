// What a child does between fork and exec. Only the child waits for file systems that do not answer.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "starter.h"

enum { GATE = 3 };

// The fields of a `start` request; see requests.c.
enum { SERIAL = 2, DIRECTORY = 4, STDIN, STDOUT, STDERR, FLAGS, COUNT, ARGUMENTS };

static const struct {
  const char *name;
  int number;
} RESOURCES[] = {
    {"as", RLIMIT_AS},         {"core", RLIMIT_CORE},       {"cpu", RLIMIT_CPU},           {"data", RLIMIT_DATA},
    {"fsize", RLIMIT_FSIZE},   {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC},     {"rss", RLIMIT_RSS},           {"rtprio", RLIMIT_RTPRIO},
    {"rttime", RLIMIT_RTTIME}, {"stack", RLIMIT_STACK},     {"sigpending", RLIMIT_SIGPENDING},
};

static const struct {
  char step;
  const char *name;
} STEPS[] = {{'r', "record"}, {'f', "fork"},   {'d', "directory"}, {'i', "stdin"},
             {'o', "stdout"}, {'e', "stderr"}, {'p', "program"}};

const char *step_name(char step) {
  for (size_t index = 0; index < sizeof STEPS / sizeof STEPS[0]; index++) {
    if (STEPS[index].step == step) return STEPS[index].name;
  }
  return "program";
}

__attribute__((noreturn)) static void fail(char step, int error) {
  char message[1 + sizeof error] = {step};
  memcpy(message + 1, &error, sizeof error);
  (void)!send(GATE, message, sizeof message, MSG_NOSIGNAL);
  _exit(127);
}

// Closes all descriptors but 0 to 3. close_range(2) exists since Linux 5.9.
static void close_others(void) {
  if (syscall(SYS_close_range, GATE + 1, ~0U, 0) == 0) return;
  DIR *directory = opendir("/proc/self/fd");
  if (directory == NULL) return;
  for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
    int descriptor = atoi(entry->d_name);
    if (descriptor > GATE && descriptor != dirfd(directory)) close(descriptor);
  }
  closedir(directory);
}

static void set_soft_limit(int resource, rlim_t soft) {
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0) return;
  limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
  setrlimit(resource, &limit);
}

static void set_limits(void) {
  for (size_t index = 2; index + 1 < starter.limits.count; index += 2) {
    const char *value = starter.limits.values[index + 1];
    rlim_t soft = strcmp(value, "unlimited") == 0 ? RLIM_INFINITY : strtoull(value, NULL, 10);
    for (size_t known = 0; known < sizeof RESOURCES / sizeof RESOURCES[0]; known++) {
      if (strcmp(starter.limits.values[index], RESOURCES[known].name) == 0) set_soft_limit(RESOURCES[known].number, soft);
    }
  }
}

// The kernel ends jobs before the programs of rq when memory is short.
static void raise_oom_score(void) {
  int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  (void)!write(file, "500", 3);
  close(file);
}

static bool set_serial(uint64_t serial) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_LOCKS, &limit) != 0 || limit.rlim_max < serial) return false;
  limit.rlim_cur = serial;
  return setrlimit(RLIMIT_LOCKS, &limit) == 0;
}

// Makes an NFS client ask the server for the working directory. With version 3, the client answers from its cache after a
// listing, but not after a change.
static void revalidate_directory(const char *serial) {
  struct statfs file_system;
  if (statfs(".", &file_system) == 0 && file_system.f_type == NFS_SUPER_MAGIC) {
    char name[48];
    snprintf(name, sizeof name, ".rq.%s", serial);
    // Without permission to write, the listing must suffice.
    if (mkdir(name, 0700) == 0) rmdir(name);
  }
  DIR *directory = opendir(".");
  // A directory that may be entered need not be readable.
  if (directory == NULL && errno == EACCES) return;
  if (directory == NULL) fail('d', errno);
  errno = 0;
  while (readdir(directory) != NULL) {
  }
  if (errno != 0) fail('d', errno);
  closedir(directory);
}

static void enter(char **fields) {
  if (chdir(fields[DIRECTORY]) != 0) fail('d', errno);
  if (strcmp(fields[FLAGS], "revalidate") == 0) revalidate_directory(fields[SERIAL]);
}

// Opens a file as the lowest free descriptor. Returns whether it has content that is to be removed.
static bool open_file(char step, const char *path, int flags) {
  // Without O_NONBLOCK, a named pipe would block. It has no effect on regular files.
  int file = open(*path == '\0' ? "/dev/null" : path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
  struct stat status;
  if (file < 0 || fstat(file, &status) != 0) fail(step, errno);
  if (S_ISREG(status.st_mode)) return status.st_size > 0;
  if (!S_ISCHR(status.st_mode)) fail(step, 0);
  fcntl(file, F_SETFL, flags);
  return false;
}

static size_t name_length(const char *variable) { return strcspn(variable, "=") + 1; }

// The base environment, with the variables of the request and RQ_PID added or replaced. PWD is the path as given: a job sees
// the symbolic links in it, and other hosts may lack the physical path.
static char **merge_environment(const struct fields *request, size_t first) {
  size_t added = (request->count - first) / 2 + 2, count = 0;
  char **merged = xrealloc(NULL, (starter.environment_count + added + 1) * sizeof(char *));
  char pid[24];
  snprintf(pid, sizeof pid, "%ld", (long)getpid());
  merged[count++] = join_variable("PWD", request->values[DIRECTORY]);
  merged[count++] = join_variable("RQ_PID", pid);
  for (size_t index = first; index + 1 < request->count; index += 2) {
    merged[count++] = join_variable(request->values[index], request->values[index + 1]);
  }
  for (size_t index = 0; index < starter.environment_count; index++) {
    char *variable = starter.environment[index];
    size_t length = name_length(variable), own = 0;
    while (own < added && strncmp(merged[own], variable, length) != 0) own++;
    if (own == added) merged[count++] = variable;
  }
  merged[count] = NULL;
  return merged;
}

static void truncate_output(int file, char step) {
  if (ftruncate(file, 0) != 0) fail(step, errno);
}

void run_child(const struct attempt *attempt, int gate) {
  char **fields = attempt->request.values;
  if (gate != GATE && dup3(gate, GATE, O_CLOEXEC) < 0) _exit(127);
  close_others();
  setsid();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  set_limits();
  raise_oom_score();
  char ready = set_serial(attempt->serial) ? 'R' : 'N';
  enter(fields);
  close(0);
  open_file('i', fields[STDIN], O_RDONLY);
  close(1);
  bool has_stdout = open_file('o', fields[STDOUT], O_WRONLY | O_CREAT), has_stderr = false;
  // A file that is opened twice has two offsets, so that stdout and stderr would overwrite each other.
  if (*fields[STDERR] != '\0' && strcmp(fields[STDOUT], fields[STDERR]) == 0) {
    dup2(1, 2);
  } else {
    close(2);
    has_stderr = open_file('e', fields[STDERR], O_WRONLY | O_CREAT);
  }
  size_t arguments = (size_t)atol(fields[COUNT]);
  char **argv = xrealloc(NULL, (arguments + 2) * sizeof(char *));
  argv[0] = "bash";
  memcpy(argv + 1, fields + ARGUMENTS, arguments * sizeof(char *));
  argv[arguments + 1] = NULL;
  char **environment = merge_environment(&attempt->request, ARGUMENTS + arguments);
  char go;
  if (send(GATE, &ready, 1, MSG_NOSIGNAL) != 1 || recv(GATE, &go, 1, 0) != 1) _exit(127);
  if (has_stdout) truncate_output(1, 'o');
  if (has_stderr) truncate_output(2, 'e');
  // After the output files are created: a queue of a group gives the group access to them, whatever the umask of its user.
  if (starter.umask >= 0) umask((mode_t)starter.umask);
  execve(starter.bash, argv, environment);
  fail('p', errno);
}
