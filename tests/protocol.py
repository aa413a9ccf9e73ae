#!/usr/bin/env python3
"""Holds etc/protocol.schema.json and the daemon to each other: each line that goes over the socket must be what the
schema says, and what the schema refuses the daemon refuses too."""

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile

import daemon

try:
    import jsonschema
except ImportError:
    print("SKIP: protocol: there is no python3-jsonschema")
    sys.exit(77)

with open(os.path.join(daemon.SOURCE, "etc", "protocol.schema.json"), encoding="utf-8") as file:
    SCHEMA = json.load(file)

GOOD = [
    {"op": "ping", "id": {"any": [1, None]}, "keep": False},
    {"op": "list", "jail": 1},
    {"op": "list", "jail": "www"},
    {"op": "status", "named": 1000},
    {"op": "check", "jail": "www"},
    {"op": "reload"},
]

# Each is refused as bad-request.
BAD = [
    [],
    {},
    {"op": None},
    {"op": ""},
    {"op": "ping", "surplus": 1},
    {"op": "ping", "keep": 1},
    {"op": "list", "jail": 0},
    {"op": "list", "jail": -1},
    {"op": "list", "jail": ""},
    {"op": "list", "jail": "x" * 256},
    {"op": "list", "jail": "two\nlines"},
    {"op": "get"},
    {"op": "get", "probe": None},
    {"op": "get", "probe": 0},
    {"op": "get", "probe": "x" * 65},
    {"op": "remove", "probe": 1, "kill": "yes"},
    {"op": "trigger", "probe": [1]},
    {"op": "output", "probe": 1, "follow": 1},
    {"op": "watch", "events": []},
    {"op": "watch", "events": ["armed", "no-such-event"]},
    {"op": "watch", "since": -1},
    {"op": "status", "named": 1001},
    {"op": "status", "named": "1"},
    {"op": "check"},
    {"op": "check", "jail": 7},
    {"op": "reload", "file": "x"},
    {"op": "stop", "now": True},
    {"op": "add"},
    {"op": "add", "jail": "www"},
    {"op": "add", "command": "true"},
] + [
    {"op": "add", "jail": "www", "command": "true", **members}
    for members in (
        {"jail": 1.5},
        {"command": ""},
        {"command": []},
        {"command": [""]},
        {"command": ["echo", 1]},
        {"command": {"run": "true"}},
        {"command": "x" * 32769},
        {"title": ""},
        {"title": "a\tb"},
        {"title": "c\u0085d"},
        {"title": "x" * 256},
        {"respawn": "later"},
        {"respawn": True},
        {"uid": -1},
        {"uid": 4294967295},
        {"uid": ""},
        {"gid": 1.5},
        {"name": "123"},
        {"name": "two words"},
        {"name": "newline\n"},
        {"name": "x" * 65},
        {"sticky": "yes"},
        {"sticky": True, "jail": 7},
        {"replace": None},
        {"show_status": 0},
        {"cooldown": -1},
        {"cooldown": 0.0001},
        {"cooldown": "1"},
        {"timeout": 31622401},
        {"max_runs": 0},
        {"max_runs": 1001},
        {"max_runs": 1.5},
        {"no_such_member": 1},
    )
]

# Events that nothing from outside brings about.
UNPROVOKED = {
    ("event", "probe-ended"): "a probe that ends by itself has been pressed, and another program can't take its place",
}

provoked = set()  # of ("event", name) and ("error", code)


def find_fault(name, value):
    """What the schema's part of this name has against it; None: nothing."""
    part = {"$schema": SCHEMA["$schema"], "$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]}
    return next(jsonschema.Draft202012Validator(part).iter_errors(value), None)


def check(name, value):
    fault = find_fault(name, value)
    assert fault is None, f"no {name}: {json.dumps(value)}\n{fault}"
    if "event" in value:
        provoked.add(("event", value.get("what", value["event"])))
    if "error" in value:
        provoked.add(("error", value["error"]["code"]))


class Strict(daemon.Connection):
    """A connection on which each line is checked."""

    def __init__(self, path):
        super().__init__(path, self.check_line)

    @staticmethod
    def check_line(direction, line):
        check(direction, json.loads(line))

    def ask(self, request):
        answer = super().ask(request)
        if answer["ok"]:
            check("answer-" + request["op"], answer)
        return answer

    def must(self, **request):
        answer = self.ask({"keep": True, **request})
        assert answer["ok"], f"{request}: {answer}"
        return answer

    def must_fail(self, code, **request):
        answer = self.ask({"keep": True, **request})
        assert answer.get("error", {}).get("code") == code, f"{request}: {answer}, not {code}"

    def await_event(self, name):
        """Of this name, or of this "what"."""
        while (event := self.receive()) is not None:
            if name in (event.get("event"), event.get("what")):
                return event
        raise AssertionError(f"the connection ended before {name}")


@contextlib.contextmanager
def session(make=daemon.Daemon):
    with daemon.running(make) as running:
        with contextlib.closing(Strict(running.socket)) as connection:
            yield running, connection


def schema_is_sound():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def good_requests():
    with session() as (_, connection):
        for request in GOOD:
            connection.must(**request)


def bad_requests():
    """One connection each: an answer must not depend on what was asked before."""
    with daemon.running(daemon.Daemon) as running:
        for request in BAD:
            assert find_fault("request", request) is not None, f"the schema takes {request}"
            connection = daemon.Connection(running.socket)
            with contextlib.closing(connection):
                answer = connection.ask(request)
            check("answer-error", answer)
            assert answer["error"]["code"] == "bad-request", f"{request}: {answer}"


def bad_lines():
    with daemon.running(daemon.Daemon) as running:
        for line, code in (
            (b"{", "bad-json"),
            (b"[" * 9 + b"]" * 9, "bad-json"),
            (b'{"op":"ping","op":"ping"}', "bad-request"),
            (b'{"op":"dance"}', "unknown-op"),
            (b'{"op":"ping","id":"' + b"x" * 65536 + b'"}', "too-large"),
        ):
            connection = daemon.Connection(running.socket)
            with contextlib.closing(connection):
                answer = connection.ask(line)
            check("answer-error", answer)
            assert answer["error"]["code"] == code, f"{line[:40]}: {answer}, not {code}"


def a_probe_in_a_jail():
    """A run, from both sides of the socket: what is answered and what is told meanwhile."""
    with daemon.running(daemon.Jail) as jail, session() as (running, connection):
        with contextlib.closing(Strict(running.socket)) as watching:
            watching.must(op="watch", output=True)
            probe = connection.must(op="add", jail=jail.pid, command="echo hello", respawn="after", title="BUTTON",
                                    name="button", cooldown=0, timeout=30, show_status=True, id=1)["probe"]
            assert probe["state"] == "armed" and probe["jail"] == jail.pid
            assert watching.await_event("armed")["probe"] == probe["probe"]
            jail.press("BUTTON")
            assert watching.await_event("run-output")["output"] == "hello\n"
            assert watching.await_event("run-ended")["exit"] == 0
            watching.await_event("armed")
            last = connection.must(op="get", probe="button")["probe"]["last"]
            assert last["exit"] == 0 and last["signal"] is None
            assert connection.must(op="output", probe=probe["probe"])["output"] == "hello\n"
            connection.must(op="trigger", probe="button")
            watching.await_event("run-started")
            watching.await_event("armed")
            assert len(connection.must(op="list", jail=jail.pid)["probes"]) == 1
            assert connection.must(op="status", named=10)["status"]["named"][0]["runs"] == 2
            connection.must(op="remove", probe="button", kill=True)
            assert watching.await_event("removed")["runs"] == 2


def every_end_of_a_run():
    with daemon.running(daemon.Jail) as jail, session() as (running, connection):
        for command, kind, value in (("exit 3", "exit", 3), ("kill -9 $$", "signal", 9), ("sleep 60", "timeout", True)):
            with contextlib.closing(Strict(running.socket)) as watching:
                watching.must(op="watch", events=["run-ended"])
                number = connection.must(op="add", jail=jail.pid, command=command, timeout=0.5)["probe"]["probe"]
                connection.must(op="trigger", probe=number)
                watching.await_event("run-ended")
                last = connection.must(op="get", probe=number)["probe"]["last"]
                assert last[kind] == value, f"{command}: {last}"


def too_many_presses():
    with daemon.running(daemon.Jail) as jail, session() as (running, connection):
        with contextlib.closing(Strict(running.socket)) as watching:
            watching.must(op="watch")
            connection.must(op="add", jail=jail.pid, command="true", name="rare", respawn="after", cooldown=60)
            connection.must(op="trigger", probe="rare")
            assert 0 < watching.await_event("throttled")["for_ms"] <= 60000
            connection.must(op="add", jail=jail.pid, command="sleep 60", name="slow", respawn="now", cooldown=0,
                            max_runs=1)
            for _ in range(3):
                watching.await_event("armed")
                connection.must(op="trigger", probe="slow")
            assert watching.await_event("coalesced")["coalesced"] == 1
            connection.must(op="remove", probe="slow", kill=True)
            assert watching.await_event("trigger-dropped")["count"] == 1


def what_goes_wrong():
    with daemon.running(daemon.Jail) as jail, session() as (running, connection):
        with contextlib.closing(Strict(running.socket)) as watching:
            watching.must(op="watch")
            connection.must(op="add", jail=jail.pid, command=["/no/such/program"], name="lacking", title="LACKING")
            connection.must(op="trigger", probe="lacking")
            assert watching.await_event("error")["program"] == "/no/such/program"
            connection.must(op="add", jail=jail.pid, command="true", title="VICTIM")
            assert jail.run("pkill", "-KILL", "-f", "^jaildaemon: VICTIM").returncode == 0
            assert watching.await_event("probe-killed")["signal"] == 9
            running.write_config("{")
            connection.must_fail("bad-request", op="reload")
            running.process.send_signal(signal.SIGHUP)
            watching.await_event("reload-failed")
            running.write_config("{}")
            os.mkdir(os.path.join(running.place, "jaildaemon.d"))
            with open(os.path.join(running.place, "jaildaemon.d", "stray.json"), "w", encoding="utf-8") as stray:
                json.dump({"jail": "nowhere", "command": "true"}, stray)
            assert connection.must(op="reload")["reload"]["failed"] == 1
            assert watching.await_event("configured-probe-failed")["name"] == "stray"


def one_that_waits():
    with session() as (running, connection):
        probe = connection.must(op="add", jail="not-yet", sticky=True, name="later", command=["true", ""])["probe"]
        assert probe["state"] == "waiting" and probe["jid"] is None and probe["last"] is None
        assert connection.must(op="check", jail="not-yet")["found"] == 0
        connection.must_fail("exists", op="add", jail="not-yet", sticky=True, name="later", command="false")
        connection.must_fail("bad-request", op="trigger", probe="later")
        connection.must(op="output", probe="later", follow=True)
        connection.must_fail("bad-request", op="watch")


def refusals():
    with session() as (running, connection):
        connection.must_fail("no-such-jail", op="add", jail="nowhere", command="true")
        connection.must_fail("no-such-jail", op="add", jail=os.getpid(), command="true")
        for op in ("get", "remove", "trigger", "output"):
            connection.must_fail("no-such-probe", op=op, probe="nobody")
        running.write_config('{"probes": 1}')
        connection.must(op="reload")
        connection.must(op="add", jail="not-yet", sticky=True, command="true")
        connection.must_fail("limit", op="add", jail="not-yet", sticky=True, command="true")
        running.write_config('{"probes": "many"}')
        connection.must_fail("bad-request", op="reload")


def a_user_that_the_jail_has_not():
    with daemon.running(lambda: daemon.Jail("--user", "--map-root-user")) as jail, session() as (running, connection):
        with contextlib.closing(Strict(running.socket)) as watching:
            watching.must(op="watch")
            connection.must_fail("attach-failed", op="add", jail=jail.pid, command="true", uid=1000)
            watching.await_event("attach-failed")


def a_jail_that_goes_and_comes_back():
    """Its name is that of a machine of systemd's, which only this daemon sees."""
    def call_web(jail):
        machine = f"/proc/{running.process.pid}/root/run/systemd/machines/web"
        os.makedirs(os.path.dirname(machine), exist_ok=True)
        with open(machine, "w", encoding="ascii") as file:
            file.write(f"NAME=web\nLEADER={jail.pid}\n")

    alone = ("unshare", "--mount", "--propagation=private", "sh", "-c", 'mount -t tmpfs run /run && exec "$@"', "sh")
    with session(lambda: daemon.Daemon(wrapper=alone)) as (running, connection):
        with contextlib.closing(Strict(running.socket)) as watching:
            watching.must(op="watch")
            with daemon.running(daemon.Jail) as jail:
                call_web(jail)
                probe = connection.must(op="add", jail="web", sticky=True, respawn="after", command="true")["probe"]
                assert probe["jail"] == "web" and probe["jid"] == jail.pid
            watching.await_event("jail-gone")
            with daemon.running(daemon.Jail) as jail:
                call_web(jail)
                connection.must(op="check", jail="web")
                assert watching.await_event("jail-back")["jid"] == jail.pid
                watching.await_event("armed")


def more_than_anybody_reads():
    with daemon.running(daemon.Jail) as jail, session() as (running, connection):
        with contextlib.closing(Strict(running.socket)) as watching:
            watching.must(op="watch", events=["run-output"], output=True)
            number = connection.must(op="add", jail=jail.pid, command="yes | head -c 4000000")["probe"]["probe"]
            connection.must(op="trigger", probe=number)
            daemon.until(lambda: connection.must(op="get", probe=number)["probe"]["last"], "the end of the run")
            assert watching.await_event("missed")["count"] > 0


def what_was_there_before_a_restart():
    with daemon.running(daemon.Jail) as jail, daemon.running(daemon.Daemon) as running:
        number = running.ask(op="add", jail=jail.pid, command="true", respawn="after")["probe"]["probe"]
        running.stop()
        running.start()
        with contextlib.closing(Strict(running.socket)) as watching:
            watching.must(op="watch", since=0)
            assert watching.await_event("probe-restored")["probe"] == number
            assert watching.await_event("armed")["probe"] == number


def what_the_daemon_can_not_do():
    """Its disk is gone, and then the program that is to take over from it. The probe is found where the build has it."""
    wrapper = ("env", "JAILDAEMON_LIBEXEC=" + os.path.abspath(daemon.BUILD))
    with tempfile.TemporaryDirectory() as place, daemon.running(daemon.Jail) as jail:
        program = shutil.copy(daemon.PROGRAM, place)
        with session(lambda: daemon.Daemon(program, wrapper)) as (running, connection):
            with contextlib.closing(Strict(running.socket)) as watching:
                watching.must(op="watch")
                shutil.rmtree(running.state)
                connection.must_fail("internal", op="add", jail=jail.pid, command="true")
                os.remove(program)
                connection.must_fail("internal", op="upgrade")
                watching.await_event("upgrade-failed")


def a_user_who_may_only_look():
    with session() as (running, connection):
        os.chmod(running.place, 0o711)
        running.write_config('{"control_group": 65534}')
        connection.must(op="reload")
        os.setegid(65534)
        os.seteuid(65534)
        try:
            other = Strict(running.socket)
        finally:
            os.seteuid(0)
            os.setegid(0)
        with contextlib.closing(other):
            other.must(op="list")
            other.must_fail("denied", op="stop")


def an_upgrade_and_the_end():
    with session() as (running, connection):
        with contextlib.closing(Strict(running.socket)) as watching:
            seq = watching.must(op="watch")["seq"]
            connection.must(op="upgrade")
            assert watching.await_event("daemon-upgraded")["seq"] > seq
            connection.must(op="stop")
            watching.await_event("daemon-stopping")
            assert watching.receive() is None
        assert running.process.wait(daemon.PATIENCE) == 0


def requests_after_the_last():
    """They are read at once, and the daemon goes when it has answered them."""
    with session() as (_, connection):
        for request in ({"op": "stop", "id": 1, "keep": True}, {"op": "ping"}):
            check("request", request)
        connection.socket.sendall(b'{"op":"stop","id":1,"keep":true}\n{"op":"ping"}\n')
        assert connection.receive()["ok"]
        assert connection.receive()["error"]["code"] == "stopping"


def nothing_was_left_out():
    """Each code and each event of the schema was provoked by one of the tests before, unless they had to be skipped."""
    with daemon.running(lambda: daemon.Jail("--user", "--map-root-user")):
        pass
    wanted = {("error", code) for code in SCHEMA["$defs"]["error-code"]["enum"]}
    for name, part in SCHEMA["$defs"].items():
        if not name.startswith("event-") or name == "event-name":
            continue
        members = part["properties"]
        if "what" not in part["required"]:
            wanted.add(("event", members["event"]["const"]))
        if "what" in members:
            wanted.add(("event", members["what"]["const"]))
    assert wanted - provoked == set(UNPROVOKED), f"{wanted - provoked}"


daemon.main([schema_is_sound, good_requests, bad_requests, bad_lines, a_probe_in_a_jail, every_end_of_a_run,
             too_many_presses, what_goes_wrong, one_that_waits, refusals, a_user_that_the_jail_has_not,
             a_jail_that_goes_and_comes_back, more_than_anybody_reads, what_was_there_before_a_restart,
             what_the_daemon_can_not_do, a_user_who_may_only_look, an_upgrade_and_the_end, requests_after_the_last,
             nothing_was_left_out])
