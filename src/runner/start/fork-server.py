"""The runner's fork server: starts attempts for a runner and tells how they end.

docs/runner-protocol.md describes what it is told and tells. Run as: python3 -I -S fork-server.py BASH BEGUN, with its
orders on file descriptor 0, its words on 1, and on 3 the locked runtime directory. It needs os.posix_spawn (3.8), which
starts a program without copying the page tables of this process, and tells at once if that fails.
"""

import os
import select
import signal
import stat
import sys
import time

BASH, BEGUN = (os.fsencode(word) for word in sys.argv[1:3])

# So many of the attempts begun last are on record, each in so many bytes; src/runner/journal/begun-records.ts reads them.
RECORDS = 4096
RECORD_BYTES = 40

# While there is more to start, nobody is kept waiting if ends are told together: each word costs two others a wake.
TOGETHER_MS = 30

# After one that could not be started: if all cannot, as where a file system is not mounted, the next ones are to be taken
# back in time and not to fail too.
FAILED_MS = 100

# Who has jobs wait takes them back when none begins for a second. An order that is older was made by one that is gone, or
# all of this host stood still meanwhile: others may have been given the job, and it is not begun.
STALE_MS = 10_000

# Python ignores some and handles others; a job has all of them at their defaults. Real-time signals stay as they are.
DEFAULT_SIGNALS = [number for number in range(1, 32) if number not in (signal.SIGKILL, signal.SIGSTOP)]

# All of these close in a child when it execs and not before, so that who sees the end of the words, or gets the lock,
# knows that no child is left that could still become a job.
ORDERS = os.dup(0)
WORDS = os.dup(1)
os.set_inheritable(3, False)
RECORD_FILE = os.open(BEGUN, os.O_WRONLY | os.O_NOFOLLOW)
NULL = os.open("/dev/null", os.O_RDWR)
for descriptor in (0, 1):
    os.dup2(NULL, descriptor)


class CannotStart(Exception):
    """At what it failed, and the error's number, 0 for what is no file."""


class ForkServer:
    def __init__(self):
        self.environment = {}
        self.slots = float("inf")
        self.queue = []
        self.running = {}
        self.begun = 0
        self.unread = b""
        self.told = [b"ready"]
        self.told_at = 0.0
        self.failed_at = -FAILED_MS

    def serve(self):
        os.set_blocking(ORDERS, False)
        wakes, waker = os.pipe()
        os.set_blocking(wakes, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        poll = select.poll()
        poll.register(ORDERS, select.POLLIN)
        poll.register(wakes, select.POLLIN)
        patience = 0
        while True:
            for descriptor, _ in poll.poll(patience):
                if descriptor == wakes:
                    os.read(wakes, 4096)
                elif not self.read_orders():
                    # The runner has gone: its jobs go on, and the next runner finds them. What has not begun never will.
                    return
            self.reap()
            while self.has_next() and self.pause_ms() <= 0:
                self.start_next()
                # A thousand that may all begin take seconds: who waits for the first takes silence for death.
                self.tell()
            patience = self.tell()
            if self.has_next():
                patience = max(0, self.pause_ms() if patience is None else min(patience, self.pause_ms()))

    def has_next(self):
        return bool(self.queue) and len(self.running) < self.slots

    def pause_ms(self):
        return self.failed_at + FAILED_MS - now_ms()

    def read_orders(self):
        """Each is a length in four bytes, the highest first, then fields with a NUL between them. False at their end."""
        piece = os.read(ORDERS, 262144)
        unread = self.unread + piece
        place = 0
        while len(unread) >= place + 4:
            end = place + 4 + int.from_bytes(unread[place : place + 4], "big")
            if len(unread) < end:
                break
            self.obey(*unread[place + 4 : end].split(b"\0"))
            place = end
        self.unread = unread[place:]
        return piece != b""

    def obey(self, kind, *fields):
        if kind == b"start":
            self.queue.append((since_boot_ms(), fields))
        elif kind == b"cancel":
            self.cancel(*fields)
        elif kind == b"slots":
            self.slots = float("inf") if fields[0] == b"" else int(fields[0])
        elif kind == b"environment":
            self.environment = dict(zip(fields[::2], fields[1::2]))

    def cancel(self, name):
        others = [order for order in self.queue if order[1][0] != name]
        if len(others) < len(self.queue):
            self.told.append(b"cancelled %b" % name)
        self.queue = others

    def start_next(self):
        ordered_at, (name, *order) = self.queue.pop(0)
        if since_boot_ms() - ordered_at > STALE_MS:
            self.told.append(b"cancelled %b" % name)
            return
        try:
            self.note_begun(name)
            pid, started_ms = spawn(self.environment, *order)
        except CannotStart as failure:
            self.told.append(b"failed %b %b %d" % (name, *failure.args))
            self.told_at = 0.0
            if self.slots < float("inf"):
                self.failed_at = now_ms()
            return
        self.running[pid] = name
        self.told.append(b"started %b %d %d %.3f" % (name, pid, start_time(pid), started_ms))

    def note_begun(self, name):
        """Who finds the runner and this process killed knows by this what was begun with. The first is the journal's."""
        place = RECORD_BYTES * (1 + self.begun % (RECORDS - 1))
        self.begun += 1
        try:
            os.pwrite(RECORD_FILE, name.ljust(RECORD_BYTES - 1) + b"\n", place)
        except OSError as error:
            raise CannotStart(b"record", error.errno) from error

    def reap(self):
        while self.running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            name = self.running.pop(pid, None)
            if name is not None:
                self.told.append(b"ended %b %d %.3f" % (name, status, now_ms()))

    def tell(self):
        """Tells what there is to tell, or will in a moment; gives how long to wait for anything else, in milliseconds."""
        if not self.told:
            return None
        until = self.told_at + TOGETHER_MS - now_ms()
        if self.queue and until > 0:
            return until
        words = b"\n".join(self.told) + b"\n"
        self.told = []
        try:
            while words:
                words = words[os.write(WORDS, words) :]
        except BrokenPipeError:
            # The runner has gone; the end of its orders tells that too.
            pass
        self.told_at = now_ms()
        return None


def spawn(base, directory, stdin, stdout, stderr, count, *rest):
    """Gives the pid of a program that has been started, and when. Raises CannotStart."""
    words, variables = rest[: int(count)], rest[int(count) :]
    files = []
    try:
        files.append(open_file(b"stdin", stdin, os.O_RDONLY))
        files.append(open_file(b"stdout", stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
        # Opened twice, each would write over what the other wrote.
        if stderr == b"" or stderr != stdout:
            files.append(open_file(b"stderr", stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
        enter(directory)
        started_ms = now_ms()
        pid = os.posix_spawn(
            BASH,
            [b"bash", *words],
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
        # Nobody's file system is to be held busy by this process.
        os.chdir("/")


def enter(directory):
    try:
        os.chdir(directory)
    except OSError as error:
        raise CannotStart(b"directory", error.errno) from error


def open_file(name, path, flags):
    """Opens a file as what a job is to have; nothing is /dev/null. Raises CannotStart."""
    try:
        # Non-blocking, or a pipe that somebody put there would stop the fork server; files and devices do not mind.
        file = os.open(path or b"/dev/null", flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        raise CannotStart(name, error.errno) from error
    mode = os.fstat(file).st_mode
    if stat.S_ISREG(mode) or stat.S_ISCHR(mode):
        return file
    os.close(file)
    raise CannotStart(name, 0)


def start_time(pid):
    """Field 22 of /proc/PID/stat: with the pid it names the process for good. 0 if it cannot be read."""
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
    """The clock that all processes of a boot share."""
    return time.monotonic() * 1000


def since_boot_ms():
    """The same, but it also counts the time in which the host was suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) * 1000


ForkServer().serve()
