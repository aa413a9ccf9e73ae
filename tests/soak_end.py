"""The end of the soak: nothing has been left behind."""

import os

import daemon
from soak_jails import children_of


def costs(walk):
    """Of the daemon at a quiet point with one client, when it has all probes that it would start with, and the launcher."""
    walk.reload_same()
    walk.add_and_remove()
    for watcher in walk.host.watchers:
        watcher.close()
    walk.host.watchers = []
    walk.settle()
    daemon.until(lambda: walk.host.status()["clients"] == 1, "one client")
    return walk.host.costs()


def check_against_fresh(walk):
    """The daemon of so many steps, and the next one with the same jails, probes and clients. What it costs."""
    old = costs(walk)
    walk.host.end_in_order(None)
    walk.daemon_ended(False)
    walk.start()
    new = costs(walk)
    assert old == new, f"{old} descriptors and children, of a fresh daemon {new}"
    return old


def check_end(walk):
    if walk.pick_slot(True) is None:
        walk.begin_jail()
    descriptors, children = check_against_fresh(walk)
    print(f"descriptors: {descriptors}, as many as a fresh daemon's with the same {children} probes")
    walk.clear()
    check_against_fresh(walk)
    left = sorted(set(os.listdir(walk.host.state)) - {"next", "lock"})
    assert not left, f"left in the state directory: {left}"
    for slot in walk.slots:
        if slot.is_up():
            slot.end(walk.orphans)
    walk.host.end_in_order(None)
    daemon.until(lambda: not walk.orphans(), "the end of all processes")
    assert not children_of(os.getpid()), "processes are left"
