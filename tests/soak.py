#!/usr/bin/env python3
"""A random walk over all that can be done to the daemon and its probes, beside a model that knows what must come of it.
Not a test of the suite, which has no time for it: tools/prove.d/soak runs it.

usage: soak.py SECONDS

The walk goes in rounds. At the end of each everything that is under way is awaited, and the daemon must then be exactly
as the model is. For the last part of the time nothing ends the daemon, and its memory must stay what it is.

JAILDAEMON_SOAK_SEED	makes the same choices again
JAILDAEMON_SOAK_LIE	the soak overlooks each run of so many, and must find that something is wrong"""

import contextlib
import os
import random
import sys
import time
import traceback

import daemon
import soak_jails
from soak_end import check_end
from soak_host import Gate, Host, Ran
from soak_memory import Memory
from soak_walk import STEADY, WILD, Walk

ROUND = 200  # steps
WILD_PART = 0.5  # of the time


class Soak:
    """One daemon's worth of everything."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.host = Host()
        self.gate = Gate(os.path.join(self.host.place, "gate"))
        self.ran = Ran(os.path.join(self.host.place, "ran"), int(os.environ.get("JAILDAEMON_SOAK_LIE", "0")))
        self.memory = Memory()
        self.walk = Walk(self.host, self.gate, self.ran)

    def rounds(self, weights, until):
        """until: a time of the monotonic clock."""
        while time.monotonic() < until:
            for _ in range(ROUND):
                self.walk.step(weights)
                if time.monotonic() >= until:
                    break
            self.walk.settle()
            if weights is STEADY:
                self.memory.note(self.walk.count["steps"], self.host.memory())

    def run(self):
        began = time.monotonic()
        self.walk.begin()
        self.rounds(WILD, began + self.seconds * WILD_PART)
        self.rounds(STEADY, began + self.seconds)
        self.memory.check()
        check_end(self.walk)

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            self.host.process.kill()
        self.host.process.wait()
        for slot in self.walk.slots:
            if slot.is_up():
                slot.end(self.walk.orphans)


def print_figures(soak):
    count = soak.walk.count
    first = ("steps", "quiet points", "presses", "runs", "jails made", "upgrades", "ends in order", "crashes", "events read")
    count["runs"] = soak.ran.total
    for name in first:
        print(f"{name}: {count.pop(name, 0)}")
    print("operations:", ", ".join(f"{name} {number}" for name, number in sorted(count.items())))
    for line in soak.memory.figures():
        print(line)


def main():
    if os.geteuid() != 0:
        raise daemon.Skip("needs root")
    seed = int(os.environ.get("JAILDAEMON_SOAK_SEED", random.SystemRandom().randrange(1 << 32)))
    random.seed(seed)
    print(f"seed: {seed}", flush=True)
    soak_jails.enter_own_place()
    soak = Soak(float(sys.argv[1]))
    try:
        soak.run()
    except BaseException:
        print(soak.host.last_words(), file=sys.stderr)
        raise
    finally:
        soak.end()
    print_figures(soak)


try:
    main()
except daemon.Skip as why:
    print(why)
    sys.exit(77)
except AssertionError as wrong:
    traceback.print_exc()
    sys.exit(f"soak: {wrong}")
