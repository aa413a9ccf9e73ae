"""What the soak expects of the daemon's probes: which are there, in which state, and how often each has run its command.

A press is certain to be followed by a run, or it is in doubt: it was on its way when the daemon or the jail ended, or when
its probe was removed. So the number of runs has two bounds, which are mostly the same number."""

from soak_jails import process_of

RUNS_MIN = 4  # the fewest runs at once that the soak ever configures

# What the command of each kind does after it has told that it runs, and how its run ends: (member of "last", value).
KINDS = {
    "plain": ("echo said $JAILDAEMON_PROBE", ("exit", 0)),
    "failing": ("echo said $JAILDAEMON_PROBE; exit 3", ("exit", 3)),
    "killed": ("echo said $JAILDAEMON_PROBE; kill -9 $$", ("signal", 9)),
    "timed": ("echo said $JAILDAEMON_PROBE; exec sleep 3", ("timeout", True)),
    "gated": ("flock -s {gate} true; echo said $JAILDAEMON_PROBE", ("exit", 0)),
}


class Button:
    """A probe. alive: whether it is listed once all is quiet; None: that can't be known before it is seen."""

    def __init__(self, number, definition, kind, slot):
        self.number = number
        self.definition = definition
        self.kind = kind
        self.slot = slot
        self.jail = None if definition.get("sticky") else slot.jail
        self.alive = True
        self.stopped = 0  # the pid of its process, which has been stopped
        self.killed = 0  # the pid of its last process that was killed; the daemon may not know yet
        # As of the last quiet point: runs that its command has told of, and what the daemon counts; None: it has been
        # killed since, and counts from where it last saved.
        self.base = 0
        self.counts = {"triggers": 0, "runs": 0, "coalesced": 0}
        self.was_pressed = False  # before this round; None: perhaps
        self.begin_round()

    def begin_round(self):
        self.answered = 0  # presses from the host that were answered: they survive anything but the jail's end
        self.seen = 0  # presses from inside that the daemon has counted
        self.open = 0  # one that it has not counted yet
        self.counted = 0  # its count before that
        self.doubtful = 0  # presses that may have a run
        self.fragile = False  # a trigger that waits now does not survive the daemon
        self.disturbed = False  # the daemon was not the same all the time, or not everything is certain
        self.fixed = None  # runs in all, once it was removed
        self.dying = False  # its process was killed, and it goes with that, if the daemon lives to see it

    # -- What it is

    def is_single(self):
        return self.definition.get("respawn", "no") == "no"

    def is_sticky(self):
        return self.definition.get("sticky", False)

    def is_spent(self):
        """A single shot that was pressed: there until its run has ended."""
        return self.is_single() and self.answered + self.seen > 0

    def jail_now(self):
        if self.is_sticky():
            return self.slot.jail
        return self.jail if self.jail.there else None

    def may_be_asked(self):
        ending = self.is_single() and self.open and not self.stopped
        return self.alive is True and not self.is_spent() and not ending

    def may_be_pressed(self):
        return self.may_be_asked() and self.open == 0 and self.stopped == 0 and self.jail_now() is not None

    # -- What happens to it

    def press_answered(self):
        self.answered += 1

    def press_sent(self, counted):
        """A HUP to its process, by a daemon that had counted so many before."""
        self.open = 1
        self.counted = counted

    def look(self, probe):
        """What get or list tells of it."""
        if self.open and probe["triggers"] > self.counted:
            self.open = 0
            self.seen += 1

    def press_perhaps(self):
        self.doubtful += 1
        self.disturbed = True
        self.doubt_single()

    def doubt_single(self):
        if self.is_single() and self.alive and not self.is_spent():
            self.alive = None

    def doubt(self, *members):
        """These presses may have come too late."""
        self.disturbed = True
        before = self.doubtful
        for member in members:
            self.doubtful += getattr(self, member)
            setattr(self, member, 0)
        if self.doubtful > before:
            self.doubt_single()

    def is_armed(self, probe):
        """Whether its process waits there to be pressed."""
        return probe["state"] == "armed" and probe["pid"] != self.killed

    def process_killed(self, pid):
        self.killed = pid
        if self.is_single() and not self.is_sticky():
            self.alive = False
            self.dying = True

    def jail_ended(self):
        self.doubt("open")
        self.fragile = True
        self.stopped = 0
        self.dying = False
        if not self.is_sticky():
            self.alive = False

    def removed(self, probe, killed):
        """By hand: what the answer tells of its presses and runs is final."""
        assert probe["state"] == "gone", probe
        self.look(probe)
        self.alive = False
        self.fragile = True
        self.stopped = 0
        certain = not self.disturbed and self.counts is not None
        if certain:
            self.check_triggers(probe)
        if certain and not killed:
            self.fixed = self.base + probe["runs"] - self.counts["runs"]
        self.doubt("open", "answered", "seen")

    def replaced(self):
        """By another probe: what it was pressed before has its runs."""
        self.doubt("open")
        self.alive = False
        self.fragile = True
        self.stopped = 0

    def daemon_ended(self, killed):
        self.stopped = 0
        if self.dying:
            self.alive = None
        waiting = ["open"]
        if killed:
            waiting.append("seen")
            self.counts = None
        if self.fragile:
            waiting += ["seen", "answered"]
        self.doubt(*waiting)

    # -- What must be, once all is quiet

    def state(self):
        return "waiting" if self.jail_now() is None else "armed"

    def most_at_once(self):
        return self.definition.get("max_runs", RUNS_MIN)

    def runs(self, held):
        """The fewest and the most. held: the gate was closed until all presses had been counted."""
        if self.fixed is not None:
            return self.fixed, self.fixed
        certain = self.answered + self.seen + self.open
        most = self.base + certain + self.doubtful
        if self.definition.get("respawn") != "now":
            return self.base + certain, most
        # What comes while so many runs go on, and one waits, is coalesced. Behind the gate none of them ends.
        least = self.base + min(certain, self.most_at_once() + 1)
        exact = held and self.kind == "gated" and "max_runs" in self.definition and not self.disturbed and self.alive
        return least, least if exact else most

    def unrest(self, probe):
        """What is still to come, or None. probe: as it is listed; None: it is not."""
        wanted = self.alive and not (self.is_spent() or (self.is_single() and self.open))
        if probe is None:
            return f"probe {self.number} is not listed: {self.definition}" if wanted else None
        self.look(probe)
        if wanted is False:
            process = probe["pid"] and process_of(probe["pid"])
            return f"probe {self.number} is still {probe['state']}, with {process}: {vars(self)}"
        if probe["state"] != self.state():
            return f"probe {self.number} is {probe['state']} and not {self.state()}: {self.definition}"
        if self.open:
            return f"probe {self.number}: a press is not counted: {self.definition}"
        return None

    def check_triggers(self, probe):
        least = self.counts["triggers"] + self.answered + self.seen
        most = least + self.open + self.doubtful
        assert least <= probe["triggers"] <= most, f"pressed {least} to {most} times: {probe}"

    def check_listed(self, probe):
        """What a probe that is there tells of itself."""
        for member in ("command", "name", "title", "respawn", "cooldown", "timeout", "max_runs"):
            wanted = self.definition.get(member, "no" if member == "respawn" else None)
            assert probe[member] == wanted, f"{member} of {probe} is not {wanted}"
        jail = self.jail_now()
        assert probe["jid"] == (jail.pid if jail else None), f"not in {jail and jail.pid}: {probe}"
        if probe["last"] is not None and not self.disturbed:
            member, value = KINDS[self.kind][1]
            assert probe["last"][member] == value, f"not {member} {value}: {probe}"

    def check_counts(self, probe, ran):
        """Its counts, and those of its runs that its command has told of."""
        if self.counts is None or self.disturbed:
            return
        self.check_triggers(probe)
        new = {member: probe[member] - was for member, was in self.counts.items()}
        assert new["triggers"] == new["runs"] + new["coalesced"], f"{new} of {probe}"
        if self.kind != "timed":
            assert new["runs"] == ran - self.base, f"{ran - self.base} runs, of which it counts {new}: {probe}"
        if self.definition.get("cooldown") == 0:
            assert probe["throttled"] == 0, probe

    def check_runs(self, ran, held):
        least, most = self.runs(held)
        if self.kind == "timed":
            least = 0  # it may have been ended before it could tell
        assert least <= ran <= most, (
            f"probe {self.number} has run {ran} times and not {least} to {most}: {self.definition}, "
            f"base {self.base}, answered {self.answered}, seen {self.seen}, doubtful {self.doubtful}")

    def settle(self, probe, ran, held):
        """A quiet point: what is there now is what the next round begins with."""
        self.check_runs(ran, held)
        if probe is not None:
            self.check_listed(probe)
            self.check_counts(probe, ran)
            self.counts = {member: probe[member] for member in ("triggers", "runs", "coalesced")}
        self.alive = probe is not None
        if self.answered + self.seen + self.open > 0:
            self.was_pressed = True
        elif self.doubtful > 0 and not self.was_pressed:
            self.was_pressed = None
        self.base = ran
        self.begin_round()
