"""What the tests of the GitLab layer share: one lab for a process of tests, and waiting for conditions."""

import atexit
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve()
LAB_DIR = HERE.parents[2]
NAME = os.environ.get("GEO_LAB_TEST_NAME", "test-gitlab")     # each process of tests has its own
sys.path.insert(0, str(LAB_DIR))
sys.path.insert(0, str(LAB_DIR / "gitlab"))

from infra.lab import Lab  # noqa: E402

os.environ.pop("GEO_LAB_STATE", None)
_lab = None


def lab_command(*argv, check=True, timeout=400):
    done = subprocess.run([str(LAB_DIR / "lab"), "--name", NAME, *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, check=False)
    if check and done.returncode:
        raise AssertionError(f"lab {' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def lab():
    """The lab of this run: made when a test first asks for it, removed at the end whatever happened."""
    return _lab or fresh()


def leave():
    """Removes the lab: for tests after which it is no use to others."""
    global _lab
    lab_command("load", "stop", check=False)
    lab_command("down")
    _lab = None


def fresh(*options):
    """A new lab in place of the one there is, made with these options."""
    global _lab
    atexit.unregister(lab_command)
    atexit.register(lab_command, "down", check=False)
    leave()
    lab_command("up", *options)
    _lab = Lab(NAME)
    return _lab


def on(node, *argv, input="", user=None, env=None, timeout=200):
    """A program in a node; its result whatever the exit code, with the carriage returns that it printed."""
    done = lab().exec(node, list(argv), input=input.encode(), user=user, check=False, timeout=timeout, env=env)
    done.stdout, done.stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    return done


def sh(node, script, **options):
    return on(node, "sh", "-c", script, **options)


def psql(node, sql):
    return on(node, "gitlab-psql", "-Atc", sql).stdout.strip()


def geo_psql(sql):
    return on("seoul-geo-1", "gitlab-geo-psql", "-Atc", sql).stdout.strip()


def fault(*words):
    lab()
    lab_command("fault", *words)


def contains(text, part):
    """assertIn without hundreds of lines in the message."""
    if part not in text:
        raise AssertionError(f"{part!r} not found in: ...{text[-700:]!r}")


def until(condition, timeout=300, what="the condition", explain=lambda: ""):
    """Polls; on failure the message ends with what `explain` finds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}\n{explain()}".rstrip())
        time.sleep(0.2)
