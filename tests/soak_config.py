"""The configuration of the soak: limits and probes that change, and what a reload must say of it."""

import json
import os
import random

from soak_model import RUNS_MIN, Button

NAMES = [f"conf{number}" for number in range(6)]


def random_limits():
    return {
        "runs": random.choice([RUNS_MIN, 8, 16]), "burst": random.randint(2, 10),
        "interval": random.choice([0, 0.05, 0.2]), "rearm_delay": 0.02, "rearm_delay_max": 0.2, "rearm_steady": 0.1,
        "kill_delay": 0.2, "drain_delay": 0.2, "jail_poll": 0.2,
    }


class Entry:
    """A probe of the configuration. button: the last that it was; None: it has never been armed."""

    def __init__(self, definition, kind, slot):
        self.definition = definition
        self.kind = kind
        self.slot = slot
        self.button = None
        self.returns = False  # the daemon was started since: it is tried again

    def is_there(self):
        return self.button is not None and self.button.alive

    def is_doubtful(self):
        return self.button is not None and (self.button.alive is None or self.button.was_pressed is None)

    def is_spent(self):
        return self.button is not None and self.button.is_single() and self.button.was_pressed


class Configuration:
    """What the daemon has read of it last."""

    def __init__(self, host):
        self.host = host
        self.entries = {}

    def write_limits(self):
        self.host.write_config(json.dumps(random_limits()))

    def path(self, name):
        return os.path.join(self.host.probes_directory, f"{name}.json")

    def change(self, define):
        """Some other probes. define(name): a new Entry. What is wanted now, in the files."""
        wanted = dict(self.entries)
        for name in random.sample(NAMES, 2):
            if name in wanted and random.random() < 0.5:
                del wanted[name]
                os.unlink(self.path(name))
            else:
                wanted[name] = define(name)
                with open(self.path(name), "w", encoding="utf-8") as file:
                    json.dump(wanted[name].definition, file)
        return wanted

    def clear(self):
        for name in self.entries:
            os.unlink(self.path(name))
        return {}

    def outcome(self, name, entry):
        """What a reload does, all being quiet."""
        old = self.entries.get(name)
        same = old is not None and old.definition == entry.definition
        if same and (old.is_there() or old.is_spent()):
            return "unchanged"
        return "changed" if old is not None and (old.is_there() or not same) else "added"

    def expect(self, wanted):
        """The counts that the reload must answer, and the outcome of each."""
        outcomes = {name: self.outcome(name, entry) for name, entry in wanted.items()}
        counts = {word: list(outcomes.values()).count(word) for word in ("added", "changed", "unchanged")}
        counts["failed"] = 0
        counts["removed"] = sum(entry.is_there() for name, entry in self.entries.items() if name not in wanted)
        return counts, outcomes

    def reload(self, wanted):
        """The buttons that came to be by it."""
        counts, outcomes = self.expect(wanted)
        doubtful = any(entry.is_doubtful() for entry in self.entries.values())
        answer = self.host.must(op="reload")
        assert doubtful or answer["reload"] == counts, f"{answer}, not {counts}"
        listed = {probe["name"]: probe for probe in self.host.listed().values()}
        old, self.entries = self.entries, wanted
        return [button for name in NAMES
                if (button := self.adopt(name, old.get(name), listed.get(name), None if doubtful else outcomes.get(name)))]

    def adopt(self, name, old, probe, outcome):
        """What became of one name: its new button, if it has one. outcome: what must have; None: whatever."""
        entry = self.entries.get(name)
        button = old.button if old is not None else None
        if entry is not None and entry is not old and entry.definition == (old.definition if old else None):
            entry.button = button
        if probe is None:
            assert outcome is None or (outcome == "unchanged" and entry.is_spent()), f"no {name}: {outcome}"
        if button is not None and (probe is None or probe["probe"] != button.number):
            button.alive = False
        if probe is None or (button is not None and probe["probe"] == button.number):
            assert probe is None or outcome in (None, "unchanged"), f"{outcome}: {probe}"
            return None
        assert outcome in (None, "added", "changed"), f"{outcome}: {probe}"
        return self.take(entry, probe)

    @staticmethod
    def take(entry, probe):
        entry.button = Button(probe["probe"], entry.definition, entry.kind, entry.slot)
        entry.returns = False
        return entry.button

    def daemon_started(self):
        """Those that ended without having been pressed come back."""
        for entry in self.entries.values():
            entry.returns = not entry.is_there() and not entry.is_spent()

    def is_awaited(self):
        """Whether some of them may not have come back yet."""
        return any(entry.returns for entry in self.entries.values())

    def all_returned(self):
        for entry in self.entries.values():
            entry.returns = False

    def returned(self, listed):
        """New buttons of those."""
        names = {probe["name"]: probe for probe in listed.values()}
        buttons = []
        for name, entry in self.entries.items():
            probe = names.get(name)
            if entry.returns and probe is not None and (entry.button is None or probe["probe"] != entry.button.number):
                if entry.button is not None:
                    entry.button.alive = False
                buttons.append(self.take(entry, probe))
        return buttons

    def spent(self):
        """The numbers of single shots of which the state directory still knows that they were pressed."""
        return {entry.button.number for entry in self.entries.values()
                if entry.button is not None and entry.button.is_single() and entry.button.was_pressed is not False}
