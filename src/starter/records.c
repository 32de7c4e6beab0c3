// The start records: a ring with the names of the latest attempts that have begun.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "starter.h"

// docs/starter-protocol.md specifies these values.
enum { RECORDS = 8192, RECORD_BYTES = 40 };

static int file = -1;
static unsigned long count;
static char wanted[RECORD_BYTES];  // the first record of the file

static void format_record(char *record, const char *name) {
  memset(record, ' ', RECORD_BYTES - 1);
  record[RECORD_BYTES - 1] = '\n';
  memcpy(record, name, strnlen(name, RECORD_BYTES - 1));
}

// Attempts of the next runner do not begin before it has sent `records`.
void forget_records(void) {
  if (file >= 0) close(file);
  file = -1;
  *wanted = '\0';
}

// Creates the file. It has its final size, so that a full disk cannot prevent a later record.
static void create_file(void) {
  size_t size = RECORDS * RECORD_BYTES;
  char *ring = xrealloc(NULL, size);
  for (int index = 0; index < RECORDS; index++) format_record(ring + index * RECORD_BYTES, index == 0 ? wanted : "");
  int created = open("begun.new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (created < 0 || write(created, ring, size) != (ssize_t)size || rename("begun.new", "begun") != 0) {
    if (created >= 0) close(created);
  } else {
    file = created;
  }
  free(ring);
  count = 0;
}

void reset_records(const char *journal) {
  forget_records();
  snprintf(wanted, sizeof wanted, "%s", journal);
  create_file();
}

// Whether attempts may begin. After an error, such as a full disk, it creates the file again.
bool has_records(void) {
  if (file < 0 && *wanted != '\0') create_file();
  return file >= 0;
}

// Records that an attempt begins. Returns an errno, or 0.
int record_begin(const char *name) {
  char record[RECORD_BYTES];
  format_record(record, name);
  off_t place = RECORD_BYTES * (off_t)(1 + count++ % (RECORDS - 1));
  ssize_t written = pwrite(file, record, RECORD_BYTES, place);
  if (written == RECORD_BYTES) return 0;
  return written < 0 ? errno : ENOSPC;
}
