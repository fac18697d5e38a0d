"""Append-only logs of the load generator, one record a line, flushed at once."""

import datetime
import threading
import time
from pathlib import Path


def directory(lab):
    return Path(lab.state) / "load"


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Log:
    """Records are `wall-time monotonic-seconds field...`; only the last field may hold spaces."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8", buffering=1)
        self.lock = threading.Lock()

    def add(self, *fields, at=None):
        moment = time.monotonic() if at is None else at
        text = " ".join(str(field) for field in fields).replace("\n", " ")
        with self.lock:
            self.file.write(f"{now()} {moment:.3f} {text}\n")


def read(path, fields):
    """The records of a log as lists; a torn last line is left out."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    complete = text[: text.rfind("\n") + 1]
    records = [line.split(" ", fields - 1) for line in complete.splitlines()]
    return [record for record in records if len(record) == fields]
