"""The daemon of the soak, and what can be known of it from outside: its events, its costs, what its commands did."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess

import daemon
from soak_jails import children_of, status_of


class Watcher:
    """A connection that is told of events, and sees that none is left out."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(daemon.PATIENCE)
        self.socket.connect(path)
        self.socket.sendall(b'{"op":"watch"}\n')
        self.rest = b""
        while b"\n" not in self.rest:
            self.rest += self.socket.recv(1 << 16)
        self.socket.setblocking(False)
        answer, _, self.rest = self.rest.partition(b"\n")
        self.seq = json.loads(answer)["seq"]
        self.runs = {}  # by probe: the number of the last that was told of

    def read(self):
        """What has come by now. How many events that was."""
        try:
            while came := self.socket.recv(1 << 16):
                self.rest += came
        except BlockingIOError:
            came = None
        assert came != b"", "a watcher was cut off"
        *lines, self.rest = self.rest.split(b"\n")
        for line in lines:
            self.take(json.loads(line))
        return len(lines)

    def take(self, event):
        self.seq += 1
        assert event.get("seq") == self.seq, f"not the event {self.seq}: {event}"
        if event["event"] == "run-started":
            last = self.runs.get(event["probe"], event["run"] - 1)
            assert event["run"] == last + 1, f"the run after {last}: {event}"
            self.runs[event["probe"]] = event["run"]

    def close(self):
        self.socket.close()


class Gate:
    """Commands of a kind wait before it."""

    def __init__(self, path):
        self.path = path
        self.file = open(path, "w", encoding="ascii")  # as long as the soak goes on
        self.closed = False

    def close(self):
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.closed = True

    def open(self):
        """Whether it was closed."""
        fcntl.flock(self.file, fcntl.LOCK_UN)
        was, self.closed = self.closed, False
        return was


class Ran:
    """The file to which each run adds a line with its probe's number. overlooks: each so-many-th is not seen, so that
    the soak can show that it would notice a run that is missing; 0: none."""

    def __init__(self, path, overlooks=0):
        self.path = path
        self.overlooks = overlooks
        self.offset = 0
        self.total = 0
        self.counts = {}

    def read(self):
        if not os.path.exists(self.path):
            return
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            for line in file:
                assert line.endswith(b"\n"), line
                self.offset += len(line)
                self.total += 1
                if self.overlooks == 0 or self.total % self.overlooks != 0:
                    self.counts[int(line)] = self.counts.get(int(line), 0) + 1

    def of(self, number):
        return self.counts.get(number, 0)


class Host(daemon.Daemon):
    """The daemon, one after the other, on the same state directory."""

    def __init__(self):
        self.connection = None
        self.watchers = []
        super().__init__()
        self.probes_directory = os.path.join(self.place, "jaildaemon.d")
        os.mkdir(self.probes_directory, 0o755)

    def last_words(self):
        """The end of its log and, if it has ended, how."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        return f"{self.read_log()[-20000:]}\nthe daemon's exit: {self.process.poll()}"

    @property
    def pid(self):
        return self.process.pid

    # -- Requests

    def ask(self, **request):
        if self.connection is None:
            self.connection = daemon.Connection(self.socket)
        answer = self.connection.ask({"keep": True, **request})
        if answer is None:
            raise ConnectionError(f"no answer to {request}")
        return answer

    def must(self, **request):
        answer = self.ask(**request)
        assert answer["ok"], f"{request}: {answer}"
        return answer

    def must_fail(self, code, **request):
        answer = self.ask(**request)
        assert not answer["ok"] and answer["error"]["code"] == code, f"{request}: {answer}, not {code}"

    def get(self, number):
        answer = self.ask(op="get", probe=number)
        return answer["probe"] if answer["ok"] else None

    def listed(self):
        probes = self.must(op="list")["probes"]
        numbers = [probe["probe"] for probe in probes]
        assert numbers == sorted(set(numbers)), f"not in order, each once: {numbers}"
        return {probe["probe"]: probe for probe in probes}

    def status(self):
        return self.must(op="status")["status"]

    def watch(self):
        self.watchers.append(Watcher(self.socket))

    def read_watchers(self):
        return sum(watcher.read() for watcher in self.watchers)

    def disconnect(self):
        for thing in [*self.watchers, self.connection]:
            if thing is not None:
                thing.close()
        self.watchers = []
        self.connection = None

    # -- Its beginning and its ends

    def start(self):
        """Returns when it has read all that it starts with, which is when it answers."""
        super().start()
        daemon.until(self.answers, "an answer")

    def answers(self):
        """A command that the last daemon was about to start when it was killed may hold its socket a moment longer."""
        try:
            return self.must(op="ping")
        except ConnectionError:
            self.disconnect()
            return None

    def end_in_order(self, how):
        """how: a signal, or None: the operation."""
        self.read_watchers()
        if how is None:
            self.must(op="stop")
        else:
            self.process.send_signal(how)
        assert self.process.wait(daemon.PATIENCE) == 0, f"the daemon ended with {self.process.returncode}"
        assert not os.path.exists(self.socket), "the socket is left behind"
        self.disconnect()

    def kill(self):
        self.process.kill()
        assert self.process.wait(daemon.PATIENCE) == -signal.SIGKILL
        self.disconnect()

    # -- What it costs

    def costs(self):
        """Its descriptors and its children."""
        return len(os.listdir(f"/proc/{self.pid}/fd")), len(children_of(self.pid))

    def memory(self):
        """In KiB: what is its own and not of a file."""
        return int(status_of(self.pid, "RssAnon")[0])

    def records(self):
        """The numbers of which the state directory has a file."""
        names = [name.partition(".") for name in os.listdir(self.state)]
        return {int(number) for number, _, end in names if number.isdigit() and end in ("json", "started")}
