"""The tool as stories call it, what it left on the disk about its runs, and waiting for a condition.

It is `.build/debug/geo-failover` of this repository, or GEO_FAILOVER_BIN. `support` ends what is started here, and shares it
with the stories.
"""

import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BIN = os.environ.get("GEO_FAILOVER_BIN") or str(ROOT / ".build/debug/geo-failover")
# Where to write all that the tool says, to look at it afterwards; nothing when empty.
TRANSCRIPT = os.environ.get("GEO_STORIES_TRANSCRIPT")

# What stories write goes here, and with them.
folder = Path(tempfile.mkdtemp(prefix="geo-stories-"))
processes = set()


def until(condition, timeout=240, what="the condition", interval=0.1):
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(interval)


class Answer:
    def __init__(self, argv, code, out, err, seconds):
        self.argv, self.code, self.out, self.err, self.seconds = argv, code, out, err, seconds

    @property
    def text(self):
        return self.out + self.err

    def __str__(self):
        return f"geo-failover {' '.join(self.argv)}: exit {self.code} after {self.seconds:.1f} s\n{self.out}{self.err}"


class Tool:
    """geo-failover with a state directory of its own, as a script without a terminal calls it."""

    def __init__(self, lab=None):
        self.lab = lab
        self.state = Path(tempfile.mkdtemp(dir=folder))
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("GEO_")}
        self.environment |= {"GEO_FAILOVER_STATE": str(self.state), "TERM": "xterm"}
        if lab:
            self.environment["GEO_FAILOVER_INVENTORY"] = lab.inventory

    def popen(self, *argv, program=None, **options):
        process = subprocess.Popen(program or [BIN, *map(str, argv)], cwd=ROOT, env=self.environment, **options)
        processes.add(process)
        return process

    def __call__(self, *argv, timeout=280):
        began = time.monotonic()
        process = self.popen(*argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             start_new_session=True)
        try:
            out, err = process.communicate(timeout=timeout)
        finally:
            end(process)
        answer = Answer([str(a) for a in argv], process.returncode, out, err, time.monotonic() - began)
        if TRANSCRIPT:
            with open(TRANSCRIPT, "a") as file:
                file.write(f"$ {answer}\n")
        return answer

    def execute_until(self, condition, what, plan, approval):
        """Begins a run, and returns its process as soon as a condition of it holds. Once more where nothing was begun because a
        check was unknown (exit 3): on cores as busy as these an answer may come too late."""
        known = self.runs
        for attempt in range(3):
            said = self.state / f"begun-{len(known)}-{attempt}.txt"
            with said.open("wb") as output:
                process = self.popen("execute", plan, "--approve", approval, stdin=subprocess.DEVNULL, stdout=output,
                                     stderr=output, start_new_session=True)

            def there():
                return self.runs != known and condition()

            try:
                until(lambda: there() or process.poll() is not None, what=what, interval=0.01)
                if there():
                    return process
            except BaseException:
                end(process)
                raise
            end(process)
            if process.returncode != 3 or self.runs != known:
                break
        raise AssertionError(f"execute ended with {process.returncode} before {what}:\n{said.read_text()}")

    def plan(self, *argv):
        """A plan file and its digest."""
        path = self.state / "failover.geoplan"
        answer = self("plan", *argv, "--out", path)
        if answer.code:
            raise AssertionError(str(answer))
        return path, digest(path)

    # What is on the disk about runs

    @property
    def runs(self):
        return sorted((self.state / "runs").glob("*/"))

    def journal(self):
        """Records of the newest run, without a last line that is being written."""
        try:
            lines = (self.runs[-1] / "journal.jsonl").read_text().split("\n")
        except (IndexError, FileNotFoundError):         # none yet, or of a run that may not begin
            return []
        return [json.loads(line) for line in lines[:-1]]

    def journal_size(self):
        """Bytes of the newest run's journal; another number whenever there is something new to read."""
        path = self.runs[-1] / "journal.jsonl" if self.runs else None
        return path.stat().st_size if path and path.exists() else 0

    def status(self):
        answer = self("status", "-o", "json")
        if answer.code:
            raise AssertionError(str(answer))
        return json.loads(answer.out)


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()
    processes.discard(process)


def digest(plan):
    return json.loads(plan.read_text().split("\n", 1)[0])["digest"]


def entry(record):
    """The kind of a record, and what it holds."""
    (kind, body), = record["entry"].items()
    return kind, body


def group(record):
    """The group of steps that a record speaks of: `promote-database` of `promote-database/seoul-pg-1`."""
    return re.split(r"[@/:]", str(entry(record)[1].get("step", "")))[0]
