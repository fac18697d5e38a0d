"""Faults that make a stand-in misbehave. A fault is a file below /opt/gitlab/lab/faults."""

import os
import sys
import time

from gitlab_lab import paths

DIRECTORY = paths.LAB_DIR + "/faults"


def active(name):
    return os.path.exists(paths.at(f"{DIRECTORY}/{name}"))


def arguments(name):
    """The list stored with a fault; empty when the fault is not active."""
    if not active(name):
        return []
    import json  # here, since each `gitlab-ctl status` would load it for nothing
    try:
        return json.loads(paths.read(f"{DIRECTORY}/{name}") or "[]")
    except (OSError, ValueError):
        return []


def obey(program, argv):
    """Hangs or prints garbage if a fault asks for that, otherwise returns at once."""
    line = " ".join([program, *argv])
    if any(line.startswith(command) for command in arguments("hung-command")):
        while True:
            time.sleep(3600)
    if active("garbage") and line.startswith("gitlab-ctl status"):
        sys.stdout.buffer.write(os.urandom(4096))
        sys.stdout.flush()
        sys.exit(0)
