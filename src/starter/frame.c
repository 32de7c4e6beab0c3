// Frames on the connection to the runner.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "starter.h"

enum { BATCH_MS = 30, MAX_UNSENT = 1000, READ_BYTES = 65536, MAX_IDLE_BYTES = 262144 };

struct buffer {
  char *bytes;
  size_t length, capacity;
};

static struct buffer incoming, outgoing;
static int unsent;  // the number of messages in `outgoing`
static double sent_ms;
static bool is_urgent;

void *xrealloc(void *memory, size_t size) {
  memory = realloc(memory, size);
  if (memory == NULL) abort();
  return memory;
}

// NAME=VALUE, in new memory.
char *join_variable(const char *name, const char *value) {
  size_t size = strlen(name) + strlen(value) + 2;
  char *variable = xrealloc(NULL, size);
  snprintf(variable, size, "%s=%s", name, value);
  return variable;
}

static void reserve(struct buffer *buffer, size_t more) {
  if (buffer->length + more <= buffer->capacity) return;
  buffer->capacity = (buffer->length + more) * 2;
  buffer->bytes = xrealloc(buffer->bytes, buffer->capacity);
}

static void shrink(struct buffer *buffer) {
  if (buffer->length > 0 || buffer->capacity <= MAX_IDLE_BYTES) return;
  free(buffer->bytes);
  *buffer = (struct buffer){0};
}

static void put_length(size_t place, size_t length) {
  uint32_t value = htonl((uint32_t)length);
  memcpy(outgoing.bytes + place, &value, 4);
}

void send_message(const char *const *fields) {
  if (starter.connection < 0) return;
  size_t begin = outgoing.length;
  reserve(&outgoing, 4);
  outgoing.length += 4;
  for (; *fields != NULL; fields++) {
    size_t length = strlen(*fields);
    reserve(&outgoing, length + 4);
    put_length(outgoing.length, length);
    memcpy(outgoing.bytes + outgoing.length + 4, *fields, length);
    outgoing.length += length + 4;
  }
  put_length(begin, outgoing.length - begin - 4);
  unsent += 1;
}

static const char *format_number(int decimals, double value) {
  // Enough for all numbers of one message.
  static char texts[16][32];
  static unsigned next;
  char *text = texts[next++ % 16];
  snprintf(text, sizeof texts[0], "%.*f", decimals, value);
  return text;
}

const char *decimal(double value) { return format_number(0, value); }

const char *milliseconds(double value) { return format_number(3, value); }

// While the runner does not read, no attempt begins, so that the ring of start records suffices.
bool is_congested(void) { return unsent > MAX_UNSENT; }

void send_soon(void) { is_urgent = true; }

// Sends the messages, or returns the time until they are due in milliseconds, or -1 if there are none.
double flush_messages(bool immediately) {
  if (outgoing.length == 0) return -1;
  double due_ms = sent_ms + BATCH_MS - now_ms();
  if (!immediately && !is_urgent && due_ms > 0) return due_ms;
  size_t sent = 0;
  while (sent < outgoing.length) {
    ssize_t count = send(starter.connection, outgoing.bytes + sent, outgoing.length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;  // EAGAIN, or the end of the runner, which the next read reports
    sent += (size_t)count;
  }
  memmove(outgoing.bytes, outgoing.bytes + sent, outgoing.length - sent);
  outgoing.length -= sent;
  if (outgoing.length == 0) unsent = 0;
  shrink(&outgoing);
  is_urgent = false;
  sent_ms = now_ms();
  return outgoing.length == 0 ? -1 : BATCH_MS;
}

void reset_connection(void) {
  incoming.length = outgoing.length = 0;
  unsent = 0;
  shrink(&incoming);
  shrink(&outgoing);
}

// Splits a frame into fields, in one allocation. Returns false if it is invalid.
static bool split(const char *frame, size_t length, struct fields *fields) {
  size_t count = 0;
  for (size_t place = 0; place < length; count++) {
    uint32_t size;
    if (length - place < 4) return false;
    memcpy(&size, frame + place, 4);
    size = ntohl(size);
    if (size > length - place - 4 || memchr(frame + place + 4, 0, size) != NULL) return false;
    place += 4 + size;
  }
  if (count == 0) return false;
  fields->count = count;
  fields->values = xrealloc(NULL, (count + 1) * sizeof(char *) + length + count);
  char *text = (char *)(fields->values + count + 1);
  for (size_t index = 0; index < count; index++) {
    uint32_t size;
    memcpy(&size, frame, 4);
    size = ntohl(size);
    fields->values[index] = text;
    memcpy(text, frame + 4, size);
    text[size] = '\0';
    text += size + 1;
    frame += 4 + size;
  }
  fields->values[count] = NULL;
  return true;
}

// Reads what has arrived and handles the complete frames. Returns false at the end of the input or after an invalid frame.
bool read_requests(void (*handle)(struct fields *fields)) {
  reserve(&incoming, READ_BYTES);
  ssize_t count = recv(starter.connection, incoming.bytes + incoming.length, incoming.capacity - incoming.length, 0);
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  if (count == 0) return false;
  incoming.length += (size_t)count;
  size_t place = 0;
  while (incoming.length - place >= 4) {
    uint32_t length;
    memcpy(&length, incoming.bytes + place, 4);
    length = ntohl(length);
    if (length > MAX_FRAME) return false;
    if (incoming.length - place - 4 < length) {
      reserve(&incoming, length);
      break;
    }
    struct fields fields;
    if (!split(incoming.bytes + place + 4, length, &fields)) return false;
    place += 4 + length;
    handle(&fields);
    free_fields(&fields);
    if (starter.connection < 0) return false;
  }
  memmove(incoming.bytes, incoming.bytes + place, incoming.length - place);
  incoming.length -= place;
  shrink(&incoming);
  return true;
}
