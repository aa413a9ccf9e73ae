#!/usr/bin/env python3
"""The module for Ansible, run as Ansible runs it, against a real daemon: each change is made once, told before it is
made in check mode, and shown as a difference."""

import json
import os
import subprocess
import sys

import daemon

MODULE = os.path.join(daemon.SOURCE, "contrib", "ansible", "library", "jaildaemon_probe.py")
PROBE = {"name": "button", "jail": "not-yet", "sticky": True, "command": "true"}


class Module:
    """The module with the socket of one daemon."""

    def __init__(self, socket):
        self.socket = socket

    def run(self, check=False, **arguments):
        given = {"socket": self.socket, "_ansible_check_mode": check, "_ansible_diff": True, **arguments}
        done = subprocess.run([sys.executable, MODULE], input=json.dumps({"ANSIBLE_MODULE_ARGS": given}), text=True,
                              capture_output=True, timeout=daemon.PATIENCE, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            raise AssertionError(f"{arguments}: {done}") from error

    def changes(self, **arguments):
        """Makes the change, which check mode only announces and a second time is none. Returns the result."""
        announced = self.run(check=True, **arguments)
        assert announced.get("changed") is True, announced
        made = self.run(**arguments)
        assert made.get("changed") is True and made["diff"] == announced["diff"], (announced, made)
        again = self.run(**arguments)
        assert again.get("changed") is False and again["diff"]["before"] == again["diff"]["after"], again
        return made

    def fails(self, part, **arguments):
        result = self.run(**arguments)
        assert result.get("failed") is True and part in result["msg"], f"{arguments}: {result}"


def need_ansible():
    tried = subprocess.run([sys.executable, "-c", "import ansible.module_utils.basic"], capture_output=True, cwd="/",
                           check=False)
    if tried.returncode != 0:
        raise daemon.Skip("there is no ansible-core")


def there_and_not():
    need_ansible()
    with daemon.running(daemon.Daemon) as running:
        module = Module(running.socket)
        assert module.run(name="button", state="absent")["changed"] is False
        first = module.changes(**PROBE)["probe"]
        assert first["name"] == "button" and first["state"] == "waiting"
        module.changes(name="button", state="absent", kill=True)
        assert running.ask(op="list")["probes"] == []


def each_member():
    """One after the other, so that each is a change of the probe that is there."""
    need_ansible()
    with daemon.running(daemon.Daemon) as running:
        module = Module(running.socket)
        module.changes(**PROBE)
        given = dict(PROBE)
        for member, value, expected in (
            ("jail", "another", "another"),
            ("title", "PRESS ME", "PRESS ME"),
            ("respawn", "now", "now"),
            ("uid", "root", 0),
            ("gid", 7, 7),
            ("cooldown", 1.5, 1.5),
            ("timeout", 60, 60),
            ("max_runs", 3, 3),
            ("show_status", True, True),
            ("command", "false", "false"),
        ):
            given[member] = value
            result = module.changes(**given)
            assert result["probe"][member] == expected and result["diff"]["after"][member] == expected, result
            assert result["diff"]["before"].get(member) != expected, result
        del given["command"]
        assert module.changes(argv=["echo", "a b"], **given)["probe"]["command"] == ["echo", "a b"]
        assert module.changes(**PROBE)["diff"]["before"]["cooldown"] == 1.5


def refusals():
    need_ansible()
    with daemon.running(daemon.Daemon) as running:
        module = Module(running.socket)
        module.fails("jail", name="button", command="true")
        module.fails("mutually exclusive", argv=["true"], **PROBE)
        module.fails("no jail", **{**PROBE, "sticky": False})
        module.fails("no_such_user", uid="no_such_user", **PROBE)
        assert running.ask(op="list")["probes"] == []
    module.fails("no daemon answers", **PROBE)


daemon.main([there_and_not, each_member, refusals])
