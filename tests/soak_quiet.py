"""The daemon and the model of it, and what must hold between them when nothing is on its way."""

import collections
import os
import random
import time

import daemon
from soak_config import Configuration
from soak_jails import Slot, children_of, signal_from_host, title_of, waits

NAMED_SLOTS = 4
PLAIN_SLOTS = 3


class Quiet:
    """What is known of both, and the quiet points."""

    def __init__(self, host, gate, ran):
        self.host = host
        self.gate = gate
        self.ran = ran
        self.configuration = Configuration(host)
        self.slots = [Slot(f"web{number}") for number in range(NAMED_SLOTS)] + [Slot(None) for _ in range(PLAIN_SLOTS)]
        self.buttons = []
        self.highest = 0  # of all numbers that were ever told
        self.titles = 0  # of definitions: each is another one, or replacing by it would change nothing
        self.finished = {}  # of each number that is gone for good how often it has run
        self.even = False  # nothing has disturbed this round
        self.status_before = None
        self.total_before = 0
        self.count = collections.Counter()

    def resume(self, button):
        """What was pressed while it was stopped counts now; unless it was stopped too late, pressed by who presses all."""
        assert button.open or button.doubtful, f"probe {button.number} was pressed while it was stopped, and that counts"
        there = signal_from_host(button.stopped, "CONT")
        assert there or button.doubtful, f"the stopped process of probe {button.number} is gone: {vars(button)}"
        button.stopped = 0

    def see_numbers(self):
        for button in self.buttons:
            self.highest = max(self.highest, button.number)

    def orphans(self):
        """What daemons have left to end by itself, mostly commands. Reaps those that have."""
        known = {self.host.pid} | {slot.jail.process.pid for slot in self.slots if slot.is_up()}
        return [pid for pid in children_of(os.getpid()) if pid not in known and os.waitpid(pid, os.WNOHANG)[0] == 0]

    def unrest(self):
        """What is still under way, or not as it must become; None: nothing."""
        status = self.host.status()
        for member in ("runs_in_progress", "runs_waiting", "triggers_waiting"):
            if status[member] > 0:
                return f"{status[member]} {member}"
        if orphans := self.orphans():
            return f"left from before: {[(pid, title_of(pid)) for pid in orphans]}"
        listed = self.host.listed()
        self.buttons += self.configuration.returned(listed)
        for button in self.buttons:
            if why := button.unrest(listed.get(button.number)):
                return why
        if strangers := set(listed) - {button.number for button in self.buttons}:
            return f"never heard of: {[listed[number] for number in strangers]}"
        armed = {probe["pid"] for probe in listed.values() if probe["state"] == "armed"}
        children = set(children_of(self.host.pid))
        others = [title_of(pid) for pid in children - armed]
        if not armed <= children or others not in ([], ["jaildaemon: launcher"]):
            return f"its probes are {armed}, its children {children}, with {others}"
        if busy := [pid for pid in armed if not waits(pid)]:
            return f"these are armed and do not wait: {busy}"
        return None

    def wait_out(self, reason):
        """Until reason() is None."""
        end = time.monotonic() + daemon.PATIENCE
        while why := reason():
            assert time.monotonic() < end, why
            self.host.read_watchers()
            time.sleep(0.01)

    def uncounted(self):
        """A press that has not been counted, of a probe that is still there; None: there is none."""
        listed = self.host.listed()
        for button in self.buttons:
            if button.open and button.alive and button.number in listed:
                button.look(listed[button.number])
                if button.open:
                    return f"probe {button.number}: a press is not counted: {listed[button.number]}"
        return None

    def settle(self):
        """What was pressed while the gate was closed is counted before it opens."""
        for button in self.buttons:
            if button.stopped:
                self.resume(button)
        self.wait_out(self.uncounted)
        held = self.gate.open()
        self.wait_out(self.unrest)
        self.see_numbers()
        self.compare(held)
        self.count["quiet points"] += 1
        if random.random() < 0.5:
            self.gate.close()

    def compare(self, held):
        self.ran.read()
        listed = self.host.listed()
        for button in self.buttons:
            button.settle(listed.get(button.number), self.ran.of(button.number), held)
        gone = [button for button in self.buttons if not button.alive]
        self.finished.update({button.number: button.base for button in gone})
        self.buttons = [button for button in self.buttons if button.alive]
        unknown = set(self.ran.counts) - set(self.finished) - set(listed)
        assert not unknown, f"these ran, and never were: {unknown}"
        late = [number for number, runs in self.finished.items() if runs != self.ran.of(number)]
        assert not late, f"these ran after their end: {late}"
        self.configuration.all_returned()
        self.compare_records(set(listed))
        self.compare_jails(listed)
        self.compare_sums()

    def compare_records(self, listed):
        records = self.host.records()
        assert listed <= records, f"not in the state directory: {listed - records}"
        extra = records - listed - self.configuration.spent()
        assert not extra, f"gone, and still in the state directory: {extra}"

    def compare_jails(self, listed):
        for slot in self.slots:
            if slot.is_up():
                here = {probe["probe"] for probe in self.host.must(op="list", jail=slot.jail.pid)["probes"]}
                wanted = {number for number, probe in listed.items() if probe["jid"] == slot.jail.pid}
                assert here == wanted, f"in {slot.jail.pid} are {here} and not {wanted}"

    def compare_sums(self):
        status = self.host.status()
        parts = status["runs"] + status["coalesced"] + status["triggers_dropped"]
        assert status["triggers"] == parts, f"triggers are not runs, coalesced and dropped ones: {status}"
        ends = sum(status[member] for member in ("runs_ok", "runs_failed", "runs_signal", "runs_timeout"))
        assert status["runs"] == ends, f"runs did not end: {status}"
        if self.even:
            told = self.ran.total - self.total_before
            started = status["runs"] - self.status_before["runs"]
            killed = sum(status[end] - self.status_before[end] for end in ("runs_timeout", "runs_signal"))
            assert told <= started <= told + killed, f"{started} runs were started, {told} have told of it: {status}"
        self.status_before = status
        self.total_before = self.ran.total
        self.even = True
