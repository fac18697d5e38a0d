"""`lab load start|stop|status`: users who write and push, and a watcher, in the background.
`lab load burst SITE`: some who reach that site directly, also when it should have no users."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from traffic import logs
from traffic.burst import burst

GENERATOR = str(Path(__file__).resolve().parent / "generator.py")


def main(argv, lab):
    parser = argparse.ArgumentParser(prog="lab load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["start", "stop", "status", "burst"])
    parser.add_argument("site", nargs="?", choices=lab.sites, help="burst: the site")
    parser.add_argument("--writes", type=int, default=20, help="burst: how many writes (default 20)")
    parser.add_argument("--pushes", type=int, default=5, help="burst: how many pushes of one commit (default 5)")
    parser.add_argument("--rate", type=float, default=5.0, help="writes a second (default 5)")
    parser.add_argument("--push-interval", type=float, default=1.0, metavar="SECONDS", help="time between two pushes (default 1)")
    options = parser.parse_args(argv)
    if not lab.exists:
        print(f"lab load: lab {lab.name} is not up", file=sys.stderr)
        return 1
    if not 0 < options.rate <= 100 or options.push_interval <= 0:
        print("lab load: --rate is between 0 and 100, --push-interval above 0", file=sys.stderr)
        return 64
    return {"start": start, "stop": stop, "status": status, "burst": burst}[options.action](lab, options)


def _running(lab):
    """The pid of the generator of this lab, or None. A pid that now belongs to another program is none."""
    try:
        pid = int((logs.directory(lab) / "pid").read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (OSError, ValueError):
        return None
    return pid if GENERATOR in words and lab.name in words else None


def start(lab, options):
    folder = logs.directory(lab)
    folder.mkdir(exist_ok=True)
    pid = _running(lab)
    if pid:
        print(f"The load is running already (process {pid}).")
        return 0
    with open(folder / "generator.log", "a", encoding="utf-8") as output:
        process = subprocess.Popen(
            ["/usr/bin/python3", GENERATOR, lab.name, "--rate", str(options.rate), "--push-interval", str(options.push_interval)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/")
    (folder / "pid").write_text(f"{process.pid}\n")
    time.sleep(0.5)
    if process.poll() is not None:
        print(f"lab load: the generator ended at once, see {folder}/generator.log", file=sys.stderr)
        return 1
    print(f"The load is running (process {process.pid}): {options.rate:g} writes a second, a push every {options.push_interval:g} s.")
    return 0


def stop(lab, _options):
    pid = _running(lab)
    if not pid:
        print("The load is not running.")
        return 0
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 25
    while _running(lab) and time.monotonic() < deadline:
        time.sleep(0.1)
    # A push that waits for a site without power outlives the process that began it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    (logs.directory(lab) / "pid").unlink(missing_ok=True)
    print("The load is stopped.")
    return 0


def status(lab, _options):
    folder, pid = logs.directory(lab), _running(lab)
    print(f"load: {f'running (process {pid})' if pid else 'not running'}")
    for kind, fields in (("writes", 4), ("pushes", 5)):
        good = logs.read(folder / f"acked-{kind}.log", fields)
        refused = logs.read(folder / f"refused-{kind}.log", 5)
        last = f", last at {good[-1][0]} through {good[-1][2]}" if good else ""
        print(f"{kind}: {len(good)} acknowledged{last}; {len(refused)} refused")
        if refused:
            print(f"  last refusal at {refused[-1][0]}: {refused[-1][4]}")
    return 0 if pid else 1
