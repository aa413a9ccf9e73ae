#!/usr/bin/python3
"""Ansible module: sees to it that a probe of jaildaemon is there, or is not."""

import grp
import json
import pwd
import socket

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: jaildaemon_probe
short_description: Buttons in jails that run fixed commands on the host
description:
  - Sees to it that the jaildaemon of the host has a probe of this name and definition, or has none.
  - The members of the definition are those of C(add) in jaildaemon-protocol(7).
  - Probes are best sticky here, so that they outlive the jail as they do the daemon.
options:
  name:
    description: The name of the probe on the host, by which it is found again.
    type: str
    required: true
  state:
    description: Whether the probe is to be there. One of another definition is replaced.
    type: str
    choices: [present, absent]
    default: present
  jail:
    description: The jail, by name or number. Needed for C(present).
    type: str
  command:
    description:
      - What runs on the host, as root. Needs this or O(argv) for C(present).
      - It is run by /bin/sh.
    type: str
  argv:
    description: The same as a list, which no shell reads.
    type: list
    elements: str
  title:
    description: What the probe is called inside.
    type: str
  respawn:
    description: Whether the probe is armed again, after its run or at once.
    type: str
    choices: ["no", after, now]
    default: "no"
  uid:
    description: The user that the probe is inside, by number or by a name that the host knows.
    type: str
  gid:
    description: The group that the probe has inside, likewise.
    type: str
  sticky:
    description: Whether the probe belongs to the jail's name, and outlives its restarts.
    type: bool
    default: false
  cooldown:
    description: The shortest time between two starts of the command, in seconds.
    type: float
  timeout:
    description: The time after which a run is ended, in seconds.
    type: float
  max_runs:
    description: With O(respawn=now), how many runs may go on at once.
    type: int
  show_status:
    description: Whether the title shows how the last run ended.
    type: bool
    default: false
  kill:
    description: With O(state=absent), whether runs in progress are ended.
    type: bool
    default: false
  socket:
    description: The control socket of the daemon.
    type: path
    default: /var/run/jaildaemon.pipe
notes:
  - Supports check mode and diff.
"""

EXAMPLES = r"""
- name: Let www have itself restarted
  jaildaemon_probe:
    name: www-restart
    jail: www
    sticky: true
    respawn: after
    title: RESTART
    command: service jail restart www

- name: And no longer
  jaildaemon_probe:
    name: www-restart
    state: absent
"""

RETURN = r"""
probe:
  description: The probe as the daemon tells of it; null where there is none.
  type: dict
  returned: success
"""

DEFINITION = {
    "jail": {"type": "str"},
    "command": {"type": "str"},
    "argv": {"type": "list", "elements": "str"},
    "title": {"type": "str"},
    "respawn": {"type": "str", "choices": ["no", "after", "now"], "default": "no"},
    "uid": {"type": "str"},
    "gid": {"type": "str"},
    "sticky": {"type": "bool", "default": False},
    "cooldown": {"type": "float"},
    "timeout": {"type": "float"},
    "max_runs": {"type": "int"},
    "show_status": {"type": "bool", "default": False},
}
ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "kill": {"type": "bool", "default": False},
    "socket": {"type": "path", "default": "/var/run/jaildaemon.pipe"},
    **DEFINITION,
}
NUMBERS_OR_NAMES = ("jail", "uid", "gid")
PATIENCE = 60  # seconds


class Refused(Exception):
    """The daemon's message, and its code."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


def ask(path, request):
    """The daemon's answer to one request."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(path)
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as lines:
            line = lines.readline()
    if not line:
        raise OSError("no answer")
    answer = json.loads(line)
    if not answer["ok"]:
        raise Refused(answer["error"])
    return answer


def find_probe(path, name):
    """The live probe of this name, or None."""
    return next((probe for probe in ask(path, {"op": "list"})["probes"] if probe["name"] == name), None)


def number_or_name(word):
    return int(word) if word.isascii() and word.isdigit() else word


def build_definition(params):
    """The members of add, without those that were not given."""
    members = {name: params[name] for name in DEFINITION if params[name] is not None}
    for name in NUMBERS_OR_NAMES:
        if name in members:
            members[name] = number_or_name(members[name])
    if "argv" in members:
        members["command"] = members.pop("argv")
    return {"name": params["name"], **members}


def normalize(name, value):
    """As the daemon tells it: ids by number, times in milliseconds."""
    if name == "uid" and isinstance(value, str):
        return pwd.getpwnam(value).pw_uid
    if name == "gid" and isinstance(value, str):
        return grp.getgrnam(value).gr_gid
    if name in ("cooldown", "timeout"):
        return round(value, 3)
    return value


def describe(probe, wanted):
    """What of a probe is its definition, with the members of wanted and those that are not as they are by default."""
    defaults = {"respawn": "no", "sticky": False, "show_status": False}
    names = ["name", *(name for name in DEFINITION if name != "argv")]
    return {name: probe[name] for name in names
            if name in wanted or probe[name] is not None and probe[name] != defaults.get(name)}


def make_present(path, params, check_mode):
    wanted = {name: normalize(name, value) for name, value in build_definition(params).items()}
    probe = find_probe(path, params["name"])
    before = {} if probe is None else describe(probe, wanted)
    changed = before != wanted
    if changed and not check_mode:
        probe = ask(path, {"op": "add", "replace": True, **wanted})["probe"]
    return {"changed": changed, "probe": probe, "diff": {"before": before, "after": wanted}}


def make_absent(path, params, check_mode):
    probe = find_probe(path, params["name"])
    before = {} if probe is None else describe(probe, ())
    if probe is not None and not check_mode:
        ask(path, {"op": "remove", "probe": params["name"], "kill": params["kill"]})
    return {"changed": probe is not None, "probe": probe if check_mode else None,
            "diff": {"before": before, "after": {}}}


def main():
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        supports_check_mode=True,
        mutually_exclusive=[("command", "argv")],
        required_if=[("state", "present", ("jail",)), ("state", "present", ("command", "argv"), True)],
    )
    make = make_present if module.params["state"] == "present" else make_absent
    path = module.params["socket"]
    try:
        result = make(path, module.params, module.check_mode)
    except Refused as error:
        module.fail_json(msg=str(error), code=error.code)
    except KeyError as error:
        module.fail_json(msg=f"the host does not know {error}")
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"no daemon answers on {path}: {error}")
    else:
        module.exit_json(**result)


if __name__ == "__main__":
    main()
