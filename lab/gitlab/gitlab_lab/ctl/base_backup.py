"""The base backup of a re-seed: the real pg_basebackup, its progress passed on, and the faults that can meet it."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading

from gitlab_lab import faults, paths

BIN = "/opt/gitlab/embedded/bin"
PROGRESS = re.compile(rb"\s*\d+/\d+ kB \(\s*(\d+)%\), (\d+)/(\d+) tablespace")


class Failed(Exception):
    """The command line, and what it had printed on both of its streams."""

    def __init__(self, command, stdout="", stderr=""):
        super().__init__(command)
        self.stdout, self.stderr = stdout, stderr


class TooLong(Exception):
    """After so many seconds."""


def command(options):
    argv = [f"{BIN}/chpst", "-u", "gitlab-psql:gitlab-psql", f"{BIN}/pg_basebackup", "-h", options["host"], "-p", options["port"],
            "-D", paths.PG_DATA, "-U", options["user"], "-v", "-P", "-X", "stream"]
    if "slot-name" in options:
        argv += ["-S", options["slot-name"]]
    # [S] The real one waits for a spread checkpoint of the primary, minutes on a busy one; `--pace real` does, too.
    if not paths.pace("spread_checkpoint"):
        argv += ["-c", "fast"]
    # What is to be cut in the middle needs a middle: pg_basebackup tells its progress once a second.
    rate = faults.arguments("slow-basebackup") or (["8M"] if faults.active("basebackup-killed") else [])
    return argv + (["--max-rate", rate[0]] if rate else [])


def run(options, environment):
    argv = command(options)
    sys.stdout.flush()
    process = subprocess.Popen(argv, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = []
    too_long = threading.Event()

    def expire():
        too_long.set()
        _kill(process)

    limit = threading.Timer(float(options["backup-timeout"]), expire)
    limit.start()
    try:
        for line in process.stderr:
            said.append(_pass_on(process, line))
        process.wait()
    finally:
        limit.cancel()
        if process.poll() is None:      # the session is gone, and the backup goes with it
            _kill(process)
    if too_long.is_set():
        raise TooLong(options["backup-timeout"])
    if process.returncode:
        raise Failed(" ".join(argv), stderr=b"".join(said).decode(errors="replace"))


def _kill(process):
    """Both of its processes: the one that receives WAL would outlive the other and keep the slot in use."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as children:
            for child in children.read().split():
                os.kill(int(child), signal.SIGKILL)
    process.kill()


def _pass_on(process, line):
    """Progress ends with a carriage return, as the real command shows it (reference 7)."""
    match = PROGRESS.match(line)
    shown = line.rstrip(b"\n") + (b"\r" if match and match[2] != match[3] else b"\n")
    sys.stderr.buffer.write(shown)
    sys.stderr.flush()
    fatal = faults.arguments("basebackup-killed")
    if match and fatal and int(match[1]) >= int(fatal[0]):
        _kill(process)
    return shown
