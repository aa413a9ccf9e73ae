"""What the tests in Python share: the daemon of this build on private paths, a jail, and how tests are counted."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.environ.get("JAILDAEMON_BUILD", ".")
SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(BUILD, "jaildaemon")
PATIENCE = 60  # seconds, for whatever must come


class Skip(Exception):
    """A test can't run here, and why."""


def until(condition, what):
    """Waits for condition() to be true, and returns what it returned."""
    end = time.monotonic() + PATIENCE
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"never came: {what}")
        time.sleep(0.01)
    return result


class Connection:
    """A line there, a line back. seen(direction, line) is told of each."""

    def __init__(self, path, seen=lambda direction, line: None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rb")
        self.seen = seen

    def send(self, request):
        text = request if isinstance(request, bytes) else json.dumps(request).encode()
        self.seen("request", text)
        self.socket.sendall(text + b"\n")

    def receive(self):
        """The next line, decoded; None: the daemon has closed."""
        line = self.lines.readline()
        if not line:
            return None
        decoded = json.loads(line)
        self.seen("event" if "event" in decoded else "answer", line)
        return decoded

    def ask(self, request):
        self.send(request)
        return self.receive()

    def close(self):
        self.lines.close()
        self.socket.close()


class Daemon:
    """A daemon of this build, with everything that it has in a directory of its own."""

    def __init__(self, program=PROGRAM, wrapper=()):
        """wrapper: the words of a program that becomes the daemon."""
        self.place = tempfile.mkdtemp(prefix="jaildaemon-test.")
        self.socket = os.path.join(self.place, "socket")
        self.state = os.path.join(self.place, "state")
        self.config = os.path.join(self.place, "jaildaemon.conf")
        self.log = os.path.join(self.place, "log")
        self.write_config("{}")
        self.command = [*wrapper, program, "-F", "-S", self.state, "-f", self.socket,
                        "-p", os.path.join(self.place, "pid"), "-C", self.config]
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self.is_there, "the daemon's socket")

    def is_there(self):
        if self.process.poll() is not None:
            raise AssertionError("the daemon has ended:\n" + self.read_log())
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self.socket) == 0

    def read_log(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def write_config(self, text):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def client(self, *arguments):
        """The utility of this build, asking this daemon."""
        return subprocess.run([PROGRAM, *arguments, "-f", self.socket], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)

    def ask(self, **request):
        connection = Connection(self.socket)
        with contextlib.closing(connection):
            return connection.ask(request)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def end(self):
        self.stop()
        shutil.rmtree(self.place)


class Jail:
    """A pid namespace with a /proc of its own; its first process waits for the end of its standard input."""

    def __init__(self, *options):
        if shutil.which("unshare") is None:
            raise Skip("there is no unshare(1) to make a jail with")
        self.process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *options, "sh", "-c", "echo there; read end"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if self.process.stdout.readline() != b"there\n":
            why = self.process.stderr.read().decode().strip()
            self.end()
            raise Skip(f"no jail can be made: {why}")
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as children:
            self.pid = int(children.read().split()[0])

    def run(self, *command):
        """What somebody inside does."""
        return subprocess.run(["nsenter", "-t", str(self.pid), "-p", "-m", "-r", *command], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)

    def press(self, title):
        pressed = self.run("pkill", "-HUP", "-f", f"^jaildaemon: {title}")
        assert pressed.returncode == 0, f"{title}: {pressed}"

    def end(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.process.stderr.close()


@contextlib.contextmanager
def running(make):
    thing = make()
    try:
        yield thing
    finally:
        thing.end()


def main(tests):
    """Runs each of tests and says how many failed, in the words of the other test programs."""
    failed = skipped = 0
    if os.geteuid() != 0:
        print("SKIP: needs root")
        sys.exit(77)
    for test in tests:
        try:
            test()
        except Skip as why:
            skipped += 1
            print(f"SKIP: {test.__name__}: {why}")
        except Exception:  # whatever it was, the other tests still count
            failed += 1
            print(f"{test.__name__}: FAILED")
            traceback.print_exc(file=sys.stdout)
    print(f"{100 * (len(tests) - failed) // len(tests)}%: Checks: {len(tests)}, Failures: {failed}, Errors: 0")
    if failed:
        sys.exit(1)
    sys.exit(77 if skipped == len(tests) else 0)
