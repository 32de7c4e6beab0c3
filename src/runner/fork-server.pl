# The runner's fork server: a process so small that a fork of it costs little. It starts attempts for a runner and tells
# how they end; docs/runner-protocol.md describes what it is told and tells. Run as: perl fork-server.pl BASH
# BEGUN, with its orders on file descriptor 0, its words on 1, and on 3 the locked runtime directory.
use strict;
use warnings;
use Fcntl qw(:DEFAULT :mode F_GETFL F_SETFD F_SETFL F_SETOWN FD_CLOEXEC O_ASYNC O_NOFOLLOW O_NONBLOCK);
use POSIX ();

my ($bash, $begun_path) = @ARGV;
$0 = 'rq fork server';

# So many of the attempts begun last are on record, each in so many bytes; src/runner/begun.ts reads them.
use constant { RECORDS => 4096, RECORD_BYTES => 40 };

# All of these close in a child when it execs and not before, so that who sees the end of the words, or gets the lock,
# knows that no child is left that could still become a job.
open my $orders, '<&', \*STDIN or die "cannot keep the orders: $!\n";
open my $words, '>&', \*STDOUT or die "cannot keep the words: $!\n";
open my $lock, '<&=', 3 or die "cannot keep the lock: $!\n";
fcntl $lock, F_SETFD, FD_CLOEXEC or die "cannot keep the lock to itself: $!\n";
sysopen my $begun, $begun_path, O_WRONLY | O_NOFOLLOW or die "cannot open $begun_path: $!\n";
open STDIN, '<', '/dev/null' or die "cannot open /dev/null: $!\n";
open STDOUT, '>', '/dev/null' or die "cannot open /dev/null: $!\n";

# An order and the end of a child both come as signals, which are blocked but while it waits: none is missed.
my $unblocked = POSIX::SigSet->new;
POSIX::sigprocmask(POSIX::SIG_BLOCK, POSIX::SigSet->new(POSIX::SIGCHLD, POSIX::SIGPOLL)) or die "sigprocmask: $!\n";
$SIG{CHLD} = $SIG{POLL} = sub { };
$SIG{PIPE} = 'IGNORE';
fcntl $orders, F_SETOWN, 0 + $$ or die "F_SETOWN: $!\n";
fcntl $orders, F_SETFL, fcntl($orders, F_GETFL, 0) | O_ASYNC | O_NONBLOCK or die "F_SETFL: $!\n";

# The clock that all processes of a boot share, in milliseconds; without that module the runner looks at its own.
my $clock = eval {
  require Time::HiRes;
  my $which = Time::HiRes::CLOCK_MONOTONIC();
  sub { sprintf '%.3f', 1000 * Time::HiRes::clock_gettime($which) }
} || sub { '' };

my %running;
my @queue;
my $slots = 'inf';
my $begun_count = 0;
my $told = "ready\n";
my $unread = '';
for (;;) {
  my $count = sysread $orders, $unread, 262144, length $unread;
  take_orders();
  while ((my $pid = waitpid -1, POSIX::WNOHANG) > 0) {
    my $name = delete $running{$pid};
    $told .= "ended $name $? " . $clock->() . "\n" if defined $name;
  }
  # The runner has gone: its jobs go on, and the next runner finds them. What has not begun never will.
  exit 0 if defined $count && $count == 0;
  start(@{ shift @queue }) while @queue && keys %running < $slots;
  write_words();
  # What is left in the socket raises no further signal.
  POSIX::sigsuspend($unblocked) unless defined $count;
}

# Each is a length in four bytes, the highest first, then fields with a NUL between them.
sub take_orders {
  my $offset = 0;
  while (length($unread) - $offset >= 4) {
    my $length = unpack 'N', substr $unread, $offset, 4;
    last if length($unread) - $offset - 4 < $length;
    my ($kind, @fields) = split /\0/, substr($unread, $offset + 4, $length), -1;
    $offset += 4 + $length;
    if ($kind eq 'start') { push @queue, \@fields }
    elsif ($kind eq 'cancel') { cancel(@fields) }
    elsif ($kind eq 'slots') { $slots = $fields[0] eq '' ? 'inf' : $fields[0] }
    else { %ENV = @fields }
  }
  substr $unread, 0, $offset, '';
}

sub cancel {
  my ($name) = @_;
  my @others = grep { $_->[0] ne $name } @queue;
  $told .= "cancelled $name\n" if @others < @queue;
  @queue = @others;
}

sub write_words {
  while ($told ne '') {
    my $count = syswrite $words, $told;
    return $told = '' unless defined $count || $!{EINTR};
    substr $told, 0, $count // 0, '';
  }
}

sub start {
  my ($name, $directory, $stdin, $stdout, $stderr, $count, @rest) = @_;
  my @arguments = splice @rest, 0, $count;
  note_begun($name) or return fail($name, 'record', 0 + $!);
  my $in = open_file($name, 'stdin', $stdin, O_RDONLY) // return;
  my $out = open_file($name, 'stdout', $stdout, O_WRONLY | O_CREAT | O_TRUNC) // return;
  # Opened twice, each would write over what the other wrote.
  my $err = $stderr ne '' && $stderr eq $stdout ? $out : open_file($name, 'stderr', $stderr, O_WRONLY | O_CREAT | O_TRUNC);
  return unless defined $err;
  chdir $directory or return fail($name, 'directory', 0 + $!);
  my $time = $clock->();
  my $pid = fork;
  become_job($name, [$in, $out, $err], \@arguments, \@rest) if defined $pid && $pid == 0;
  my $error = 0 + $!;
  # Nobody's file system is to be held busy by it.
  chdir '/';
  return fail($name, 'fork', $error) unless defined $pid;
  $running{$pid} = $name;
  $told .= "started $name $pid " . start_time($pid) . " $time\n";
}

# Whoever finds the runner and this process killed knows by this what was begun with. The first record is the journal's.
sub note_begun {
  my ($name) = @_;
  my $place = RECORD_BYTES * (1 + $begun_count++ % (RECORDS - 1));
  my $record = sprintf '%-*s' . "\n", RECORD_BYTES - 1, $name;
  return sysseek($begun, $place, 0) && (syswrite($begun, $record) // 0) == RECORD_BYTES;
}

# Opens a file as what the job is to have; nothing is /dev/null. Undefined if it cannot be, which is told then.
sub open_file {
  my ($name, $what, $path, $flags) = @_;
  # Non-blocking, or a pipe that somebody put there would stop the fork server; files and devices do not mind.
  sysopen my $file, $path eq '' ? '/dev/null' : $path, $flags | O_NOFOLLOW | O_NONBLOCK, 0666
    or return fail($name, $what, 0 + $!);
  my $mode = (stat $file)[2] // 0;
  return S_ISREG($mode) || S_ISCHR($mode) ? $file : fail($name, $what, 0);
}

# Tells that an attempt was not started: at what it failed, and the error's number, 0 for what is no file.
sub fail {
  my ($name, $what, $error) = @_;
  $told .= "failed $name $what $error\n";
  return undef;
}

# In the child; does not return. What it tells before it ends is read before its end, which its parent tells.
sub become_job {
  my ($name, $files, $arguments, $variables) = @_;
  POSIX::setsid();
  POSIX::dup2(fileno $files->[$_], $_) for 0 .. 2;
  while (my ($variable, $value) = splice @$variables, 0, 2) { $ENV{$variable} = $value }
  $SIG{CHLD} = $SIG{POLL} = $SIG{PIPE} = 'DEFAULT';
  POSIX::sigprocmask(POSIX::SIG_SETMASK, $unblocked);
  { no warnings 'exec'; exec { $bash } 'bash', @$arguments }
  syswrite $words, "unfit $name " . (0 + $!) . "\n";
  POSIX::_exit(127);
}

# Field 22 of /proc/PID/stat: with the pid it names the process for good.
sub start_time {
  my ($pid) = @_;
  open my $file, '<', "/proc/$pid/stat" or return 0;
  my $stat = <$file> // return 0;
  return (split ' ', substr $stat, rindex($stat, ')') + 2)[19];
}
