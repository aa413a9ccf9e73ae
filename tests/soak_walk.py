"""What the soak does, a step at a time."""

import os
import random
import signal

import daemon
from soak_config import Entry
from soak_jails import signal_from_host
from soak_model import KINDS, Button
from soak_quiet import NAMED_SLOTS, Quiet

CROWD = 30  # buttons; with more than that they are rather removed
WATCHERS = 3

# How often which step is taken. Those that nothing survives but what was saved are left out for the last part.
STEADY = {
    "add": 18, "add_again": 3, "add_other": 2, "replace": 5, "remove": 8, "trigger": 25, "press": 40, "press_all": 2,
    "kill_probe": 6, "stop_probe": 4, "continue_probe": 4, "get": 5, "list": 3, "output": 4, "status": 2, "ping": 2,
    "check": 2, "ask_wrongly": 3, "watch": 2, "leave": 2, "visit": 3, "begin_jail": 4, "end_jail": 3, "reload": 1,
    "reload_wrongly": 1,
}
WILD = {**STEADY, "upgrade": 1, "end_in_order": 1, "crash": 1}


class Walk(Quiet):
    """The steps; between them come quiet points."""

    def begin(self):
        for slot in self.slots[::2]:
            self.begin_slot(slot)
        self.configuration.write_limits()
        self.host.must(op="reload")
        self.settle()

    def step(self, weights):
        name = random.choices(list(weights), list(weights.values()))[0]
        if getattr(self, name)() is not False:
            self.count[name] += 1
        self.count["steps"] += 1
        self.count["events read"] += self.host.read_watchers()

    # -- Choosing

    def pick(self, wanted=Button.may_be_asked):
        fitting = [button for button in self.buttons if wanted(button)]
        return random.choice(fitting) if fitting else None

    def pick_slot(self, up):
        fitting = [slot for slot in self.slots if slot.is_up() == up]
        return random.choice(fitting) if fitting else None

    def define(self, name=None, sticky=None):
        """A definition at random: (definition, kind, slot), or None if there is no jail for it."""
        sticky = random.random() < 0.5 if sticky is None else sticky
        slot = random.choice(self.slots[:NAMED_SLOTS]) if sticky else self.pick_slot(True)
        if slot is None:
            return None
        kind = random.choices(list(KINDS), [6, 2, 1, 1, 3])[0]
        tail = KINDS[kind][0].format(gate=self.gate.path)
        self.titles += 1
        definition = {
            "jail": slot.name if sticky else slot.jail.pid,
            "command": f"echo $JAILDAEMON_PROBE >> {self.ran.path}; {tail}",
            "respawn": random.choice(["no", "after", "after", "now"]), "title": f"T{self.titles}",
        }
        if sticky:
            definition["sticky"] = True
        if name is not None:
            definition["name"] = name
        if random.random() < 0.8:
            definition["cooldown"] = random.choice([0, 0, 0, 0.02, 0.1])
        if definition["respawn"] == "now" and random.random() < 0.7:
            definition["max_runs"] = random.randint(1, 3)
        if kind == "timed":
            definition["timeout"] = 0.2
        return definition, kind, slot

    def take_answer(self, answer, made):
        definition, kind, slot = made
        number = answer["probe"]["probe"]
        assert number > self.highest, f"{number} was given before: {answer}"
        self.highest = number
        self.buttons.append(Button(number, definition, kind, slot))

    def name_is_free(self, name):
        return all(button.definition.get("name") != name for button in self.buttons)

    # -- Adding and removing

    def add(self):
        if sum(button.alive is not False for button in self.buttons) >= CROWD:
            return self.remove()
        name = f"hand{random.randrange(20)}" if random.random() < 0.6 else None
        made = self.define(name)
        if made is None or (name is not None and not self.name_is_free(name)):
            return False
        return self.take_answer(self.host.must(op="add", **made[0]), made)

    @staticmethod
    def has_steady_name(button):
        return button.may_be_asked() and "name" in button.definition and button.jail_now() is not None and not button.fragile

    def add_again(self):
        """The same changes nothing."""
        button = self.pick(self.has_steady_name)
        if button is None:
            return False
        answer = self.host.must(op="add", replace=random.random() < 0.5, **button.definition)
        assert answer["probe"]["probe"] == button.number, f"not probe {button.number}: {answer}"
        return None

    def add_other(self):
        button = self.pick(self.has_steady_name)
        if button is None:
            return False
        return self.host.must_fail("exists", op="add", **{**button.definition, "command": "true"})

    def is_replaceable(self, button):
        return self.has_steady_name(button) and button.definition["name"].startswith("hand")

    def replace(self):
        button = self.pick(self.is_replaceable)
        made = button and self.define(button.definition["name"])
        if not made:
            return False
        self.take_answer(self.host.must(op="add", replace=True, **made[0]), made)
        return button.replaced()

    def remove(self):
        button = self.pick()
        if button is None:
            return False
        kill = random.random() < 0.3
        which = button.definition.get("name", button.number)
        return button.removed(self.host.must(op="remove", probe=which, kill=kill)["probe"], kill)

    def add_and_remove(self):
        slot = self.pick_slot(True)
        probe = self.host.must(op="add", jail=slot.jail.pid, command="true")["probe"]
        self.host.must(op="remove", probe=probe["probe"])

    # -- Pressing, and what else can happen to a probe

    def look(self, button):
        """The probe object of one that must be there, armed; None: it isn't armed now."""
        probe = self.host.get(button.number)
        assert probe is not None and probe["state"] != "gone", f"probe {button.number} is gone: {button.definition}"
        button.look(probe)
        return probe if button.is_armed(probe) else None

    def trigger(self):
        button = self.pick(Button.may_be_pressed)
        if button is None:
            return False
        answer = self.host.ask(op="trigger", probe=button.number)
        if answer["ok"]:
            self.count["presses"] += 1
            return button.press_answered()
        assert answer["error"]["code"] == "bad-request", f"{answer}: {button.definition}"
        return False

    def press(self):
        button = self.pick(Button.may_be_pressed)
        probe = button and self.look(button)
        if not probe:
            return False
        if not button.jail_now().signal(probe["pid"], "HUP"):
            return self.in_vain(button)
        self.count["presses"] += 1
        return button.press_sent(probe["triggers"])

    @staticmethod
    def in_vain(button):
        """It has been armed again, and found pressed by whoever had pressed all that there was."""
        assert button.doubtful, f"the process of probe {button.number} is gone: {vars(button)}"
        return False

    def press_all(self):
        """Who is armed is pressed; who is not may be by then."""
        slot = self.pick_slot(True)
        if slot is None or self.configuration.is_awaited():
            return False
        listed = self.host.listed()
        slot.jail.signal_all("HUP")
        for button in self.buttons:
            if button.alive is False or button.is_spent() or button.jail_now() is not slot.jail:
                continue
            probe = listed.get(button.number)
            if button.may_be_pressed() and button.is_armed(probe):
                self.count["presses"] += 1
                button.press_sent(probe["triggers"])
            elif not button.stopped:
                button.press_perhaps()
        return None

    def kill_probe(self):
        button = self.pick(Button.may_be_pressed)
        probe = button and self.look(button)
        if not probe:
            return False
        name = random.choice(["TERM", "KILL", "USR1"])
        if random.random() < 0.5:
            there = signal_from_host(probe["pid"], name)
        else:
            there = button.jail_now().signal(probe["pid"], name)
        return button.process_killed(probe["pid"]) if there else self.in_vain(button)

    def stop_probe(self):
        """It is pressed, too, and that counts once it goes on."""
        button = self.pick(Button.may_be_pressed)
        probe = button and self.look(button)
        if not probe:
            return False
        jail = button.jail_now()
        if not (jail.signal(probe["pid"], "STOP") and jail.signal(probe["pid"], "HUP")):
            return self.in_vain(button)
        button.stopped = probe["pid"]
        self.count["presses"] += 1
        return button.press_sent(probe["triggers"])

    def continue_probe(self):
        button = self.pick(lambda button: button.stopped)
        if button is None:
            return False
        self.resume(button)
        return None

    # -- Asking

    def get(self):
        button = self.pick()
        if button is None:
            return False
        probe = self.host.must(op="get", probe=button.definition.get("name", button.number))["probe"]
        assert probe["probe"] == button.number, f"not probe {button.number}: {probe}"
        return button.look(probe)

    def list(self):
        listed = self.host.listed()
        missing = [button.number for button in self.buttons if button.may_be_asked() and button.open == 0
                   and button.number not in listed]
        assert not missing, f"not listed: {missing}"

    def output(self):
        button = self.pick()
        if button is None:
            return False
        output = self.host.must(op="output", probe=button.number)["output"]
        assert output in ("", f"said {button.number}\n"), f"probe {button.number} wrote {output}"
        return None

    def status(self):
        status = self.host.status()
        assert status["pid"] == self.host.pid and status["probes"] == sum(status["states"].values()), status

    def ping(self):
        self.host.must(op="ping")

    def check(self):
        self.host.must(op="check", jail=random.choice(self.slots[:NAMED_SLOTS]).name)

    def ask_wrongly(self):
        code, request = random.choice([
            ("no-such-probe", {"op": "get", "probe": self.highest + 1000}),
            ("no-such-probe", {"op": "remove", "probe": "nobody"}),
            ("no-such-jail", {"op": "add", "jail": "nowhere", "command": "true"}),
            ("no-such-jail", {"op": "add", "jail": os.getpid(), "command": "true"}),
            ("bad-request", {"op": "add", "jail": "web0", "command": "true", "cooldown": -1}),
            ("unknown-op", {"op": "nothing"}),
        ])
        self.host.must_fail(code, **request)

    # -- Clients that come and go

    def watch(self):
        if len(self.host.watchers) >= WATCHERS:
            return False
        return self.host.watch()

    def leave(self):
        if not self.host.watchers:
            return False
        return self.host.watchers.pop(random.randrange(len(self.host.watchers))).close()

    def visit(self):
        """Somebody says half of something, or asks and does not stay for the answer."""
        visitor = daemon.Connection(self.host.socket)
        visitor.socket.sendall(random.choice([b"", b'{"op":"st', b'{"op":"list"}\n', b'{"op":"ping"}\n{"op":"list"']))
        visitor.close()

    # -- Jails

    def begin_slot(self, slot):
        slot.begin()
        self.count["jails made"] += 1

    def begin_jail(self):
        slot = self.pick_slot(False)
        if slot is None:
            return False
        return self.begin_slot(slot)

    def end_jail(self):
        slot = self.pick_slot(True)
        if slot is None:
            return False
        ended = [button for button in self.buttons if button.jail_now() is slot.jail]
        slot.end(self.orphans, random.random() < 0.5)
        for button in ended:
            button.jail_ended()
        return None

    # -- The daemon

    def entry(self, name):
        """By the jail's name: its number may be another jail's by the time that the file is read again."""
        return Entry(*self.define(name, sticky=True))

    def reload(self):
        """What it must answer is known only when all is quiet."""
        self.settle()
        if random.random() < 0.5:
            self.configuration.write_limits()
        self.buttons += self.configuration.reload(self.configuration.change(self.entry))
        self.see_numbers()
        self.settle()

    def reload_same(self):
        self.settle()
        self.buttons += self.configuration.reload(dict(self.configuration.entries))

    def clear(self):
        """Nothing is to be left."""
        self.settle()
        self.buttons += self.configuration.reload(self.configuration.clear())
        while (button := self.pick()) is not None:
            button.removed(self.host.must(op="remove", probe=button.number)["probe"], False)
        self.settle()

    def reload_wrongly(self):
        path = self.configuration.path("wrong")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"jail": "web0"}')
        error = daemon.until(self.reload_error, "a reload that is not under way")
        assert error["code"] == "bad-request" and "wrong.json:1:1" in error["message"], error
        os.unlink(path)

    def reload_error(self):
        """None while the configuration is still being applied, as after a start."""
        error = self.host.ask(op="reload")["error"]
        return error if error["code"] != "limit" else None

    def upgrade(self):
        self.host.must(op="upgrade")
        self.count["upgrades"] += 1
        self.configuration.daemon_started()

    def end_in_order(self):
        self.host.end_in_order(random.choice([None, signal.SIGTERM, signal.SIGINT]))
        self.count["ends in order"] += 1
        self.daemon_ended(False)
        self.change_jails()
        self.start()

    def crash(self):
        self.host.kill()
        self.count["crashes"] += 1
        self.daemon_ended(True)
        self.change_jails()
        self.start()

    def daemon_ended(self, killed):
        self.even = False
        for button in self.buttons:
            button.daemon_ended(killed)

    def change_jails(self):
        """While there is no daemon: a trigger that waits for its run is lost with its jail."""
        for _ in range(random.choice([0, 0, 1, 2])):
            random.choice([self.begin_jail, self.end_jail])()
        self.daemon_ended(False)

    def start(self):
        self.host.start()
        self.configuration.daemon_started()
