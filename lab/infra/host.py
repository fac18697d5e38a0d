"""The machine the lab runs on: running commands, processes, mounts, and what it lacks."""
from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

# Debian keeps some of these where an ordinary user's PATH does not look.
PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


class LabError(Exception):
    """Something the operator has to know: what happened and what to do. Printed without a trace."""


def run(*argv: str, input: str | None = None, check: bool = True, timeout: float = 60) -> subprocess.CompletedProcess:
    """Runs a host command without a terminal and without the caller's stdin."""
    env = dict(os.environ, PATH=PATH, LC_ALL="C.UTF-8")
    stdin = {"input": input} if input is not None else {"stdin": subprocess.DEVNULL}
    try:
        done = subprocess.run(argv, text=True, capture_output=True, timeout=timeout, env=env, **stdin)
    except FileNotFoundError:
        raise LabError(f"{argv[0]} is not installed. Run: scripts/install-packages") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"`{' '.join(argv)}` did not end within {timeout:.0f} s") from None
    if check and done.returncode != 0:
        said = (done.stderr or done.stdout).strip() or "(it said nothing)"
        raise LabError(f"`{' '.join(argv)}` failed with exit {done.returncode}: {said}")
    return done


def check_host(tools: tuple[str, ...]) -> None:
    """Says at once, in words, why this machine cannot run a lab."""
    if os.uname().sysname != "Linux":
        raise LabError("the lab needs Linux (namespaces, overlayfs). On another system run it in a Linux virtual machine.")
    if os.geteuid() != 0:
        raise LabError("the lab makes network and mount namespaces and must run as root. Try: sudo lab/lab ...")
    missing = [tool for tool in tools if shutil.which(tool, path=PATH + ":/usr/lib/postgresql/15/bin") is None]
    if missing:
        raise LabError(f"not installed: {', '.join(missing)}. Run: scripts/install-packages")


# --- processes

def start_time(pid: int) -> str | None:
    """Start time of a process in clock ticks: with the pid it names a process for good. None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2:].split()
    return None if fields[0] in (b"Z", b"X") else fields[19].decode()


def write_pid(path: Path, pid: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{pid} {start_time(pid)}\n")


def read_pid(path: Path) -> int | None:
    """The recorded process if it is still that very process."""
    try:
        pid, started = path.read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if start_time(int(pid)) == started else None


def kill_and_wait(pids: list[int], timeout: float = 10) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    poll(lambda: not any(start_time(pid) for pid in pids), timeout, f"processes {pids} to die")


def poll(condition, timeout: float, what: str, interval: float = 0.05) -> None:
    """Waits for a condition. Never a bare sleep: the machine may be slow or fast."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"waited {timeout:.0f} s for {what}")
        time.sleep(interval)


def processes_in(roots: set[tuple[int, int]]) -> list[int]:
    """All processes whose root directory is one of these (device, inode): the processes of nodes, however they came to be."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                root = os.stat(f"/proc/{entry}/root/")
            except OSError:
                continue
            if (root.st_dev, root.st_ino) in roots:
                found.append(int(entry))
    return found


def processes_with_environment(name: str, value: str) -> list[int]:
    marker = f"{name}={value}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                environment = Path(f"/proc/{entry}/environ").read_bytes()
            except OSError:
                continue
            if marker in environment.split(b"\0"):
                found.append(int(entry))
    return found


def processes_with_argument(argument: str) -> list[int]:
    wanted = argument.encode()
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                arguments = Path(f"/proc/{entry}/cmdline").read_bytes()
            except OSError:
                continue
            if wanted in arguments.split(b"\0"):
                found.append(int(entry))
    return found


# --- mounts

def mounts_below(directory: Path) -> list[str]:
    """Mount points at or below a directory, deepest first."""
    prefix = str(directory)
    points = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as table:
        for line in table:
            point = line.split()[4].encode().decode("unicode_escape")
            if point == prefix or point.startswith(prefix + "/"):
                points.append(point)
    return sorted(points, key=len, reverse=True)


def unmount_below(directory: Path) -> None:
    for point in mounts_below(directory):
        if run("umount", point, check=False).returncode != 0:
            run("umount", "-l", point)
