#!/usr/bin/python3
"""The background process of `lab load`: writes, pushes and the watcher, until TERM."""

import argparse
import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from infra.lab import Lab  # noqa: E402
from traffic import logs, watcher  # noqa: E402
from traffic.destination import Destination  # noqa: E402
from traffic.pushes import Pusher  # noqa: E402
from traffic.writes import Writer  # noqa: E402


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--push-interval", type=float, required=True)
    options = parser.parse_args()
    lab = Lab(options.name)
    folder = logs.directory(lab)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    destination = Destination(lab)
    changes, heartbeat = logs.Log(folder / "writable.log"), {}
    changes.add("watcher", "all", "start", "0")
    tasks = [
        (Writer(folder, destination, options.rate).run, (stopping,)),
        (Pusher(folder, destination, options.push_interval).run, (stopping,)),
        (watcher.beat, (folder, stopping, heartbeat)),
    ]
    tasks += [(probe.run, (stopping, changes, heartbeat)) for probe in watcher.probes(lab)]
    threads = [threading.Thread(target=task, args=arguments) for task, arguments in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
