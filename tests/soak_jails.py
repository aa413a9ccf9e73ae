"""The jails of the soak: namespaces with somebody inside who sends signals, and names that a container runtime's files
give them. All of it in a mount namespace of this process, whose /run is its own."""

import ctypes
import json
import os
import shutil
import signal
import subprocess

import daemon

CLONE_NEWNS = 0x00020000
PR_SET_CHILD_SUBREAPER = 36
RUNTIME = "/run/runc"


def enter_own_place():
    """From here on /run is this process' own, and orphans among its descendants become its children."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0 or libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise daemon.Skip(f"no mount namespace: {os.strerror(ctypes.get_errno())}")
    for words in (["--make-rprivate", "/"], ["-t", "tmpfs", "-o", "mode=755", "none", "/run"]):
        subprocess.run(["mount", *words], check=True)
    os.mkdir(RUNTIME, 0o755)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return [int(child) for child in children.read().split()]


def status_of(pid, member):
    """The words of a line of /proc/PID/status."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name == member:
                return value.split()
    raise AssertionError(f"/proc/{pid}/status has no {member}")


def title_of(pid):
    """Empty when it has ended."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as title:
            return title.read().rstrip("\0")
    except FileNotFoundError:
        return ""


def waits(pid):
    """Whether it does nothing and has no signal that it would yet act upon."""
    try:
        return status_of(pid, "State")[0] == "S" and int(status_of(pid, "ShdPnd")[0], 16) == 0
    except (FileNotFoundError, ProcessLookupError):
        return False


def process_of(pid):
    """What it does, for whoever wonders."""
    try:
        return {member: status_of(pid, member) for member in ("Name", "State", "NSpid", "SigPnd", "ShdPnd", "SigBlk")}
    except (FileNotFoundError, ProcessLookupError):
        return {"State": "gone"}


def began(pid):
    """The start time in clock ticks, as runtimes note it beside the pid."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        return int(stat.read().rpartition(")")[2].split()[19])


def signal_from_host(pid, name):
    """False: it is gone."""
    try:
        os.kill(pid, signal.Signals[f"SIG{name}"])
    except ProcessLookupError:
        return False
    return True


class Jail:
    """Its first process is a shell that does what it is told on its standard input, and ends with that."""

    def __init__(self):
        if shutil.which("unshare") is None:
            raise daemon.Skip("there is no unshare(1) to make a jail with")
        self.process = subprocess.Popen(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.there = True
        self.tell("echo there")
        self.pid = children_of(self.process.pid)[0]

    def tell(self, command):
        """Returns when it is done: its exit code."""
        self.process.stdin.write(f"{command}; echo done $?\n")
        self.process.stdin.flush()
        while not (line := self.process.stdout.readline()).startswith("done "):
            assert line, f"the jail has ended over: {command}"
        return int(line.split()[1])

    def signal(self, pid, name):
        """To a process in the jail that the host knows by this pid. False: it is gone."""
        try:
            return self.tell(f"kill -{name} {status_of(pid, 'NSpid')[-1]} 2>/dev/null") == 0
        except (FileNotFoundError, ProcessLookupError):
            return False

    def signal_all(self, name):
        """There may be nobody."""
        self.tell(f"kill -{name} -1 2>/dev/null")

    def end(self, reap):
        """Returns when all in it is gone. That takes that the daemon has reaped its probes, or reap(), if they have
        outlived it."""
        self.there = False
        self.process.stdin.close()
        daemon.until(lambda: reap() is not None and self.process.poll() is not None, "the end of a jail")
        self.process.stdout.close()


class Slot:
    """A place for one jail after the other: with a name, by which they are the same to sticky probes, or without."""

    def __init__(self, name):
        self.name = name
        self.jail = None

    def is_up(self):
        return self.jail is not None

    def begin(self):
        self.jail = Jail()
        if self.name is None:
            return
        directory = os.path.join(RUNTIME, self.name)
        os.makedirs(directory, exist_ok=True)
        path = os.path.join(directory, "state.json")
        with open(path + ".new", "w", encoding="ascii") as file:
            json.dump({"init_process_pid": self.jail.pid, "init_process_start": began(self.jail.pid)}, file)
        os.rename(path + ".new", path)

    def end(self, reap, tidily=True):
        """tidily: the runtime has its file taken away, too."""
        self.jail.end(reap)
        self.jail = None
        if self.name is not None and tidily:
            shutil.rmtree(os.path.join(RUNTIME, self.name))
