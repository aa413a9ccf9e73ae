#!/usr/bin/env python3
"""What the shells offer: every option, and the probes and jails of a real daemon."""

import os
import re
import shutil
import subprocess

import daemon

FILES = os.path.join(daemon.SOURCE, "etc", "completion")
PATH = os.path.abspath(daemon.BUILD) + ":" + os.environ["PATH"]


def run(shell, *arguments):
    if shutil.which(shell) is None:
        raise daemon.Skip(f"there is no {shell}")
    done = subprocess.run([shell, *arguments], capture_output=True, text=True, timeout=daemon.PATIENCE, check=False,
                          env={**os.environ, "PATH": PATH})
    assert done.returncode == 0 and done.stderr == "", f"{shell} {arguments}: {done}"
    return done.stdout


def options():
    """As --help tells them: letter or None, and name."""
    found = re.findall(r"(?:-(\w),|   ) --([a-z-]+)", run(daemon.PROGRAM, "--help"))
    assert ("k", "remove") in found and ("", "json") in found
    return found


def check_words(complete):
    """complete(WORD...) must give what can stand in the place of the last of the words."""
    with daemon.running(daemon.Daemon) as running:
        for name, jail in (("one", "www"), ("other", "db.inner")):
            added = running.ask(op="add", jail=jail, sticky=True, name=name, command='echo "probe":9,"name":"no"')
            assert added["ok"], added
        at = ("-f", running.socket)
        assert sorted(complete(*at, "-k", "")) == ["1", "2", "one", "other"]
        assert sorted(complete(*at, "--trigger", "o")) == ["one", "other"]
        assert complete(*at, "-o", "ot") == ["other"]
        assert sorted(complete(*at, "-l", "-j", "")) == ["db.inner", "www"]
        assert complete(*at, "--check-jail", "w") == ["www"]
    assert complete("-f", running.socket, "-k", "") == [], "where no daemon is there are no probes"
    assert set(complete("--")) == {"--" + name for _, name in options()}


def in_bash():
    def complete(*words):
        return run("bash", "--norc", "-c", '. "$0"; COMP_WORDS=(jaildaemon "$@"); COMP_CWORD=$#; _jaildaemon; '
                   'printf "%s\\n" "${COMPREPLY[@]}"', os.path.join(FILES, "jaildaemon"), *words).split()

    check_words(complete)


def in_fish():
    def complete(*words):
        offered = run("fish", "--no-config", "-c",
                      "source $argv[1]; complete -C (string join -- ' ' jaildaemon $argv[2..])",
                      os.path.join(FILES, "jaildaemon.fish"), *words)
        return [line.split("\t")[0] for line in offered.splitlines()]

    check_words(complete)


def in_zsh():
    """Its completion needs a terminal, so this looks only whether it can be read, and forgets no option."""
    run("zsh", "-f", "-n", os.path.join(FILES, "_jaildaemon"))
    with open(os.path.join(FILES, "_jaildaemon"), encoding="utf-8") as file:
        text = file.read()
    for letter, name in options():
        wanted = f"{{-{letter},--{name}}}" if letter else f"--{name}["
        assert wanted in text, f"{wanted} is missing"


daemon.main([in_bash, in_fish, in_zsh])
