// rq-starter: forks, executes and waits for the jobs of a runner. docs/starter-protocol.md specifies its behaviour.
#ifndef RQ_STARTER_H
#define RQ_STARTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

enum {
  MAX_FRAME = 4194304,
  MAX_NAME = 38,
  STALE_MS = 10000,
  READY_TIMEOUT_MS = 60000,
};

// The fields of a frame. Each is terminated by NUL and contains no other NUL.
struct fields {
  size_t count;
  char **values;  // points into the same allocation, which `values` owns
};

enum state {
  QUEUED,     // waits for a child
  PREPARING,  // its child enters the directory and opens the files
  READY,      // its child waits at the gate
  BEGUN,      // its child has passed the gate and executes bash
  RUNNING,
  ENDED,      // kept until the runner acknowledges the end
};

struct attempt {
  struct attempt *next, **link;  // `link` is the pointer to this attempt in its list
  enum state state;
  char name[MAX_NAME + 2];
  uint64_t serial;
  long weight;
  struct fields request;  // until the attempt begins
  char *id;               // the value of RQ_ATTEMPT_ID
  double waiting_since_ms;  // CLOCK_BOOTTIME of the request, or of the time when it became ready
  double forked_ms;
  int gate;
  pid_t pid;
  uint64_t start_time;
  double started_ms;
  bool has_serial;
  bool is_adopted;  // the starter is not its parent
  int pidfd;
  bool is_ending;
  bool leader_ended;
  double kill_ms;  // when the grace period is over
  double next_scan_ms;
  double scan_pause_ms;
  int signal;       // to be sent to all its processes
  bool is_reported;
  bool failed;  // it has begun, but bash could not be executed
  char step;
  int error;
  int status;
  struct rusage usage;
  double ended_ms;
  long left;  // the number of processes that are left; -1 if it is unknown
  bool left_to_other_user;
  double sample;       // bytes in the current sample; -1 if it does not include this attempt
  double max_sample;   // of all samples without shared memory
  double max_shared;   // of one process
};

struct list {
  struct attempt *first, **last;
};

// The state of the process.
struct starter {
  const char *bash;
  int listener, signals, connection;
  bool had_connection;
  struct list waiting, running, ended;
  double slots;  // INFINITY if unlimited
  double used;   // the sum of the weights of running attempts
  int ending;    // the number of attempts that are being ended
  double begin_after_ms;  // the pause after a failed start
  char **environment;
  size_t environment_count;
  long umask;  // -1 if it is inherited
  struct fields limits;
};

extern struct starter starter;

// clock.c
double now_ms(void);
double since_boot_ms(void);

// frame.c
// Queues a message for the runner: its type and its fields.
#define SEND(...) send_message((const char *[]){__VA_ARGS__, NULL})
void send_message(const char *const *fields);
const char *decimal(double value);
const char *milliseconds(double value);
bool is_congested(void);
double flush_messages(bool immediately);
void send_soon(void);
bool read_requests(void (*handle)(struct fields *fields));
void reset_connection(void);
char *join_variable(const char *name, const char *value);
void *xrealloc(void *memory, size_t size);  // realloc(3) that ends the process on failure

// requests.c
void handle_request(struct fields *fields);

// records.c
void reset_records(const char *journal);
void forget_records(void);
bool has_records(void);
int record_begin(const char *name);

// child.c
void run_child(const struct attempt *attempt, int gate) __attribute__((noreturn));
const char *step_name(char step);

// attempts.c
void append(struct list *list, struct attempt *attempt);
void unlink_attempt(struct list *list, struct attempt *attempt);
struct attempt *find_name(const struct list *list, const char *name);
struct attempt *find_pid(const struct list *list, pid_t pid);
void free_attempt(struct attempt *attempt);
void free_fields(struct fields *fields);
void take_back(struct attempt *attempt, const char *cause);
void take_back_waiting(void);
bool expire_waiting(void);
bool read_gate(struct attempt *attempt);
void prepare_next(void);
void begin_next(void);
void report_started(struct attempt *attempt);
void report_end(const struct attempt *attempt);
double start_delay_ms(void);

// ends.c
void reap(void);
void finish(struct attempt *attempt);
void leader_ended(struct attempt *attempt);
void poll_adopted(void);
void end_attempt(struct attempt *attempt, double grace_ms);
void continue_ending(void);
double ending_delay_ms(void);

// members.c
struct process {
  pid_t pid, parent, session;
  char state;
  bool is_gone;  // a zombie without other threads
  bool is_resolved;
  struct attempt *attempt;
};
struct processes {
  size_t count;
  struct process *list;
};
const struct processes *scan_processes(void);
bool read_process(pid_t pid, struct process *process, uint64_t *start_time);
bool has_serial(pid_t pid, uint64_t serial);
long count_orphans(const struct attempt *attempt);
void each_orphan(void (*act)(pid_t pid, void *context), void *context);
void request_signal(struct attempt *attempt, int number);
void deliver_signals(void);
bool adopt(struct attempt *attempt);
void sample_memory(const struct fields *names);

#endif
