"""The fork server of the runner: starts attempts and reports how they end.

docs/runner-protocol.md specifies its messages. Usage: python3 -I -S fork-server.py BASH RECORDS. It reads requests from
file descriptor 0, writes messages to 1, and inherits the locked runtime directory as 3. It needs os.posix_spawn (Python
3.8), which starts a program without a copy of the page tables and reports a failure at once.
"""

import os
import select
import signal
import stat
import sys
import time

BASH, RECORDS_PATH = (os.fsencode(argument) for argument in sys.argv[1:3])

# The size of the file of start records. src/runner/journal/start-records.ts has the same values.
RECORDS = 4096
RECORD_BYTES = 40

# While jobs wait for a slot, messages are sent together: each write wakes the runner and the feeder, and no slot stays
# empty because of the delay.
BATCH_MS = 30

# The pause after an attempt that could not be started. If no job can start, for example because a file system is not
# mounted, the feeder can cancel the others in this time.
FAILURE_PAUSE_MS = 100

# A feeder cancels waiting jobs when none starts for a second. A request that is older than this is of a feeder that has
# ended, or the host was suspended: other hosts may have claimed the job, so it is cancelled.
STALE_MS = 10_000

# Python changes the handling of some signals; jobs get the defaults. Real-time signals are inherited.
DEFAULT_SIGNALS = [number for number in range(1, 32) if number not in (signal.SIGKILL, signal.SIGSTOP)]

# A child closes these descriptors when it execs, not before. The end of MESSAGES, or of the lock on 3, therefore shows
# that no child can still become a job.
REQUESTS = os.dup(0)
MESSAGES = os.dup(1)
os.set_inheritable(3, False)
RECORDS_FILE = os.open(RECORDS_PATH, os.O_WRONLY | os.O_NOFOLLOW)
NULL = os.open("/dev/null", os.O_RDWR)
for descriptor in (0, 1):
    os.dup2(NULL, descriptor)


class CannotStart(Exception):
    """Has the step that failed, and the errno; 0 if the path is not a regular file."""


class ForkServer:
    def __init__(self):
        self.environment = {}
        self.slots = float("inf")
        self.queue = []
        self.running = {}
        self.recorded = 0
        self.unread = b""
        self.messages = [b"ready"]
        self.sent_at_ms = 0.0
        self.failed_at_ms = -FAILURE_PAUSE_MS

    def serve(self):
        os.set_blocking(REQUESTS, False)
        wakes, waker = os.pipe()
        os.set_blocking(wakes, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        poll = select.poll()
        poll.register(REQUESTS, select.POLLIN)
        poll.register(wakes, select.POLLIN)
        timeout_ms = 0
        while True:
            for descriptor, _ in poll.poll(timeout_ms):
                if descriptor == wakes:
                    os.read(wakes, 4096)
                elif not self.read_requests():
                    # The runner has ended. Its jobs continue and the next runner finds them. Waiting jobs never start.
                    return
            self.reap()
            while self.has_next() and self.pause_ms() <= 0:
                self.start_next()
                # A thousand starts take seconds, and the client would take this silence for a dead runner.
                self.send_messages()
            timeout_ms = self.send_messages()
            if self.has_next():
                pause_ms = self.pause_ms()
                timeout_ms = max(0, pause_ms if timeout_ms is None else min(timeout_ms, pause_ms))

    def has_next(self):
        return bool(self.queue) and len(self.running) < self.slots

    def pause_ms(self):
        return self.failed_at_ms + FAILURE_PAUSE_MS - now_ms()

    def read_requests(self):
        """A request is its length as four bytes, big endian, and fields separated by NUL. False at the end of the input."""
        piece = os.read(REQUESTS, 262144)
        unread = self.unread + piece
        place = 0
        while len(unread) >= place + 4:
            end = place + 4 + int.from_bytes(unread[place : place + 4], "big")
            if len(unread) < end:
                break
            self.handle(*unread[place + 4 : end].split(b"\0"))
            place = end
        self.unread = unread[place:]
        return piece != b""

    def handle(self, kind, *fields):
        if kind == b"start":
            self.queue.append((since_boot_ms(), fields))
        elif kind == b"cancel":
            self.cancel(*fields)
        elif kind == b"slots":
            self.slots = float("inf") if fields[0] == b"" else int(fields[0])
        elif kind == b"environment":
            self.environment = dict(zip(fields[::2], fields[1::2]))

    def cancel(self, name):
        others = [request for request in self.queue if request[1][0] != name]
        if len(others) < len(self.queue):
            self.messages.append(b"cancelled %b" % name)
        self.queue = others

    def start_next(self):
        requested_at_ms, (name, *fields) = self.queue.pop(0)
        if since_boot_ms() - requested_at_ms > STALE_MS:
            self.messages.append(b"cancelled %b" % name)
            return
        try:
            self.record_start(name)
            pid, started_ms = spawn(self.environment, *fields)
        except CannotStart as failure:
            self.messages.append(b"failed %b %b %d" % (name, *failure.args))
            self.sent_at_ms = 0.0
            if self.slots < float("inf"):
                self.failed_at_ms = now_ms()
            return
        self.running[pid] = name
        self.messages.append(b"started %b %d %d %.3f" % (name, pid, start_time(pid), started_ms))

    def record_start(self, name):
        """Shows a later runner which attempts may have started. The first record is the id of the journal."""
        place = RECORD_BYTES * (1 + self.recorded % (RECORDS - 1))
        self.recorded += 1
        try:
            os.pwrite(RECORDS_FILE, name.ljust(RECORD_BYTES - 1) + b"\n", place)
        except OSError as error:
            raise CannotStart(b"record", error.errno) from error

    def reap(self):
        while self.running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            name = self.running.pop(pid, None)
            if name is not None:
                self.messages.append(b"ended %b %d %.3f" % (name, status, now_ms()))

    def send_messages(self):
        """Sends the messages, or returns the time until they are to be sent, in milliseconds."""
        if not self.messages:
            return None
        remaining_ms = self.sent_at_ms + BATCH_MS - now_ms()
        if self.queue and remaining_ms > 0:
            return remaining_ms
        text = b"\n".join(self.messages) + b"\n"
        self.messages = []
        try:
            while text:
                text = text[os.write(MESSAGES, text) :]
        except BrokenPipeError:
            # The runner has ended, so the requests end too.
            pass
        self.sent_at_ms = now_ms()
        return None


def spawn(base, directory, stdin, stdout, stderr, count, *rest):
    """Returns the pid of the new process and the time of its start. Raises CannotStart."""
    arguments, variables = rest[: int(count)], rest[int(count) :]
    files = []
    try:
        files.append(open_file(b"stdin", stdin, os.O_RDONLY))
        files.append(open_file(b"stdout", stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
        # A file that is opened twice has two offsets, so that stdout and stderr would overwrite each other.
        if stderr == b"" or stderr != stdout:
            files.append(open_file(b"stderr", stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
        enter(directory)
        started_ms = now_ms()
        pid = os.posix_spawn(
            BASH,
            [b"bash", *arguments],
            {**base, **dict(zip(variables[::2], variables[1::2]))},
            file_actions=[(os.POSIX_SPAWN_DUP2, file, place) for place, file in enumerate([*files, files[-1]][:3])],
            setsid=True,
            setsigmask=[],
            setsigdef=DEFAULT_SIGNALS,
        )
        return pid, started_ms
    except OSError as error:
        raise CannotStart(b"program", error.errno) from error
    finally:
        for file in files:
            os.close(file)
        # Otherwise, the file system of the job could not be unmounted.
        os.chdir("/")


def enter(directory):
    try:
        os.chdir(directory)
    except OSError as error:
        raise CannotStart(b"directory", error.errno) from error


def open_file(name, path, flags):
    """Opens a file of a job; an empty path is /dev/null. Raises CannotStart."""
    try:
        # Without O_NONBLOCK, a named pipe at this path would block this process. It has no effect on files and devices.
        file = os.open(path or b"/dev/null", flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        raise CannotStart(name, error.errno) from error
    mode = os.fstat(file).st_mode
    if stat.S_ISREG(mode) or stat.S_ISCHR(mode):
        return file
    os.close(file)
    raise CannotStart(name, 0)


def start_time(pid):
    """Field 22 of /proc/PID/stat, which identifies the process together with its pid. 0 if it cannot be read."""
    try:
        file = os.open("/proc/%d/stat" % pid, os.O_RDONLY)
    except OSError:
        return 0
    try:
        text = os.read(file, 4096)
        return int(text[text.rindex(b")") + 2 :].split()[19])
    except (OSError, ValueError, IndexError):
        return 0
    finally:
        os.close(file)


def now_ms():
    """CLOCK_MONOTONIC, which is the same in all processes of a boot."""
    return time.monotonic() * 1000


def since_boot_ms():
    """As now_ms, but includes the time while the host was suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) * 1000


ForkServer().serve()
