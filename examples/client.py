#!/usr/bin/env python3
"""A client of jaildaemon in Python. Prints the daemon's answer; fails if that is a refusal.

usage: client.py SOCKET add JAIL TITLE COMMAND
       client.py SOCKET list
       client.py SOCKET trigger|remove|get|output PROBE
"""

import json
import socket
import sys


def number_or_name(word):
    return int(word) if word.isascii() and word.isdigit() else word


def build_request(words):
    if len(words) == 4 and words[0] == "add":
        return {"op": "add", "jail": number_or_name(words[1]), "title": words[2], "command": words[3],
                "respawn": "after"}
    if words == ("list",):
        return {"op": "list"}
    if len(words) == 2 and words[0] in ("trigger", "remove", "get", "output"):
        return {"op": words[0], "probe": number_or_name(words[1])}
    print(__doc__.strip(), file=sys.stderr)
    sys.exit(2)


def ask(path, request):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as lines:
            return json.loads(lines.readline())


def main(path="", *words):
    answer = ask(path, build_request(words))
    print(json.dumps(answer))
    return 0 if answer["ok"] else 1


sys.exit(main(*sys.argv[1:]))
