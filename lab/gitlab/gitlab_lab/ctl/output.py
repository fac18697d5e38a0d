"""How the commands talk: progress lines with carriage returns and colours, TTY or not."""

import os
import sys

OK = "\033[32mOK\033[0m"
NOT_OK = "\033[31mNOT OK\033[0m"


class Exit(Exception):
    """Ends the command with a code; the message goes to stderr as `die` does."""

    def __init__(self, code, message=""):
        super().__init__(message)
        self.code = code
        self.message = message


def out(text="", end="\n"):
    """Every line is flushed: a reader that went away is noticed at the next line."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def err(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def start(message):
    out(f"\r{message}:", end="")


def result(message, good):
    out(f"\r{message}: {OK if good else NOT_OK}")
    return good


def run(argv, echo=True, environment=None):
    """Runs a command and returns (code, stdout), showing its lines as they come. Its stderr passes through."""
    import subprocess  # here, since each `gitlab-ctl status` would load it for nothing
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        text=True,
        errors="replace",
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if echo:
            out(line, end="")
    return process.wait(), "".join(lines)


def capture(argv, environment=None):
    """Runs a command silently and returns (code, stdout, stderr)."""
    import subprocess
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, **(environment or {})},
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
