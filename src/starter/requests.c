// The requests of the runner.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "starter.h"

static void close_connection(void) {
  close(starter.connection);
  starter.connection = -1;
}

static void list_attempts(void) {
  SEND("hello", "1", decimal(getpid()));
  for (struct attempt *attempt = starter.running.first; attempt != NULL; attempt = attempt->next) report_started(attempt);
  for (struct attempt *attempt = starter.ended.first; attempt != NULL; attempt = attempt->next) {
    if (!attempt->failed) report_started(attempt);
    report_end(attempt);
  }
  SEND("listed");
}

static void hello(struct fields *request) {
  if (request->count != 2 || strcmp(request->values[1], "1") != 0) close_connection();
  else list_attempts();
}

static void set_environment(struct fields *request) {
  for (size_t index = 0; index < starter.environment_count; index++) free(starter.environment[index]);
  free(starter.environment);
  starter.environment_count = (request->count - 1) / 2;
  starter.environment = xrealloc(NULL, (starter.environment_count + 1) * sizeof(char *));
  for (size_t index = 0; index < starter.environment_count; index++) {
    starter.environment[index] = join_variable(request->values[1 + 2 * index], request->values[2 + 2 * index]);
  }
}

static void take_limits(struct fields *request) {
  free_fields(&starter.limits);
  starter.limits = *request;
  *request = (struct fields){0};
  starter.umask = *starter.limits.values[1] == '\0' ? -1 : strtol(starter.limits.values[1], NULL, 8);
}

static void set_slots(struct fields *request) {
  starter.slots = *request->values[1] == '\0' ? INFINITY : strtod(request->values[1], NULL);
}

static struct attempt *create_attempt(struct fields *request) {
  struct attempt *attempt = xrealloc(NULL, sizeof *attempt);
  *attempt = (struct attempt){.gate = -1, .pidfd = -1, .waiting_since_ms = since_boot_ms()};
  snprintf(attempt->name, sizeof attempt->name, "%s", request->values[1]);
  attempt->serial = strtoull(request->values[2], NULL, 10);
  attempt->weight = strtol(request->values[3], NULL, 10);
  return attempt;
}

static void copy_id(struct attempt *attempt, const char *id) {
  attempt->id = strdup(id);
  if (attempt->id == NULL) abort();
}

static void start(struct fields *request) {
  size_t arguments = strtoul(request->values[9], NULL, 10);
  if (strlen(request->values[1]) > MAX_NAME || arguments > request->count - 10) {
    close_connection();
    return;
  }
  struct attempt *attempt = create_attempt(request);
  for (size_t index = 10 + arguments; index + 1 < request->count; index += 2) {
    if (strcmp(request->values[index], "RQ_ATTEMPT_ID") == 0) copy_id(attempt, request->values[index + 1]);
  }
  attempt->request = *request;
  *request = (struct fields){0};
  append(&starter.waiting, attempt);
}

static void cancel(struct fields *request) {
  struct attempt *attempt = find_name(&starter.waiting, request->values[1]);
  if (attempt == NULL) return;
  take_back(attempt, "request");
  send_soon();
}

// `signal`, or with a grace period `end`.
static void send_signal(struct fields *request) {
  struct attempt *attempt = find_name(&starter.running, request->values[1]);
  if (attempt == NULL) {
    SEND("signalled", request->values[1], "0");
    send_soon();
    return;
  }
  request_signal(attempt, atoi(request->values[2]));
  if (request->count > 3) end_attempt(attempt, strtod(request->values[3], NULL));
}

static void adopt_attempt(struct fields *request) {
  struct attempt *attempt = create_attempt(request);
  copy_id(attempt, request->values[4]);
  attempt->pid = atoi(request->values[5]);
  attempt->start_time = strtoull(request->values[6], NULL, 10);
  attempt->is_adopted = true;
  attempt->state = RUNNING;
  if (!adopt(attempt)) {
    SEND("gone", attempt->name);
    free_attempt(attempt);
    return;
  }
  append(&starter.running, attempt);
  starter.used += (double)attempt->weight;
  SEND("adopted", attempt->name, decimal(attempt->pid), decimal((double)attempt->start_time));
}

static void acknowledge(struct fields *request) {
  for (size_t index = 1; index < request->count; index++) {
    struct attempt *attempt = find_name(&starter.ended, request->values[index]);
    if (attempt == NULL) continue;
    unlink_attempt(&starter.ended, attempt);
    free_attempt(attempt);
  }
}

static void set_records(struct fields *request) { reset_records(request->values[1]); }

static void sample(struct fields *request) {
  sample_memory(request);
  send_soon();
}

static const struct {
  const char *type;
  size_t fields;  // the minimum, with the type
  void (*handle)(struct fields *request);
} REQUESTS[] = {
    {"start", 10, start},    {"ack", 1, acknowledge}, {"cancel", 2, cancel},           {"slots", 2, set_slots},
    {"signal", 3, send_signal}, {"end", 4, send_signal},         {"environment", 1, set_environment}, {"limits", 2, take_limits},
    {"sample", 1, sample},   {"hello", 2, hello},     {"records", 2, set_records},     {"adopt", 7, adopt_attempt},
};

// An unknown request or one with too few fields ends the connection.
void handle_request(struct fields *request) {
  for (size_t index = 0; index < sizeof REQUESTS / sizeof REQUESTS[0]; index++) {
    if (strcmp(request->values[0], REQUESTS[index].type) != 0) continue;
    if (request->count < REQUESTS[index].fields) break;
    REQUESTS[index].handle(request);
    return;
  }
  fprintf(stderr, "rq-starter: invalid request %.40s\n", request->values[0]);
  close_connection();
}
