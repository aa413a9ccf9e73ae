#!/usr/bin/env python3
"""Each of the examples does what it says, with the real daemon and a real jail."""

import json
import os
import re
import shutil
import subprocess

import daemon

EXAMPLES = os.path.join(daemon.SOURCE, "examples")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=daemon.PATIENCE, check=False)


def need(*command):
    """The test goes without an example whose interpreter isn't there, or lacks what it needs."""
    if shutil.which(command[0]) is None:
        raise daemon.Skip(f"there is no {command[0]}")
    tried = run(*command)
    if tried.returncode != 0:
        raise daemon.Skip(f"{command[0]}: {tried.stderr.splitlines()[0]}")


def use(interpreter, file):
    """Adds, lists, presses and removes a probe, whose words are hard to quote."""
    def client(*words):
        done = run(interpreter, os.path.join(EXAMPLES, file), running.socket, *words)
        assert done.returncode in (0, 1), f"{words}: {done.returncode}: {done.stderr}"
        answer = json.loads(done.stdout)
        assert answer["ok"] == (done.returncode == 0), f"{words}: {done}"
        return answer

    with daemon.running(daemon.Jail) as jail, daemon.running(daemon.Daemon) as running:
        command = "printf '%s' \"a \\\\ b\""
        probe = client("add", str(jail.pid), 'PRESS "ME" é\\', command)["probe"]
        assert probe["title"] == 'PRESS "ME" é\\' and probe["command"] == command and probe["jail"] == jail.pid
        number = str(probe["probe"])
        assert [one["probe"] for one in client("list")["probes"]] == [probe["probe"]]
        client("trigger", number)
        daemon.until(lambda: client("get", number)["probe"]["last"], "the end of the run")
        assert client("output", number)["output"] == "a \\ b"
        client("remove", number)
        assert client("list")["probes"] == []
        assert client("trigger", "nobody")["error"]["code"] == "no-such-probe"
    assert run(interpreter, os.path.join(EXAMPLES, file), "socket", "dance").returncode == 2


def in_sh():
    need("nc", "-h")
    use("sh", "client.sh")


def in_python():
    use("python3", "client.py")


def in_perl():
    need("perl", "-MJSON::PP", "-MIO::Socket::UNIX", "-e1")
    use("perl", "client.pl")


def in_javascript():
    need("node", "-e", "require('node:net')")
    use("node", "client.js")


def in_lua():
    need("lua", "-e", "require('socket.unix')")
    use("lua", "client.lua")


def inside():
    """The button is pressed from inside, and shows there what came of it."""
    with daemon.running(daemon.Jail) as jail, daemon.running(daemon.Daemon) as running:
        for title, command, expected, status in (("GOOD", "true", "ok ", 0), ("BAD one", "exit 3", "exit 3 ", 1)):
            added = running.ask(op="add", jail=jail.pid, command=command, title=title, respawn="after",
                                show_status=True, cooldown=0)
            assert added["ok"], added
            for _ in range(2):
                done = jail.run("sh", os.path.join(EXAMPLES, "jail", "press.sh"), title)
                assert done.returncode == status and done.stdout.startswith(expected), done
        assert jail.run("sh", os.path.join(EXAMPLES, "jail", "press.sh"), "BAD").returncode == 1


def alerts():
    """They look at metrics that there are."""
    with open(os.path.join(daemon.SOURCE, "contrib", "prometheus", "jaildaemon.yml"), encoding="utf-8") as rules:
        wanted = set(re.findall(r"\bjaildaemon_[a-z_]+", "".join(line for line in rules if "expr:" in line)))
    assert wanted
    with daemon.running(daemon.Jail) as jail, daemon.running(daemon.Daemon) as running:
        assert running.ask(op="add", jail=jail.pid, command="true", name="button", respawn="after")["ok"]
        assert running.ask(op="trigger", probe="button")["ok"]
        daemon.until(lambda: running.ask(op="get", probe="button")["probe"]["last"], "the end of the run")
        metrics = running.client("-s", "--metrics").stdout
    missing = {name for name in wanted if not re.search(rf"^{name}[{{ ]", metrics, re.MULTILINE)}
    assert not missing, f"{missing} not in\n{metrics}"


daemon.main([in_sh, in_python, in_perl, in_javascript, in_lua, inside, alerts])
