"""Starting and stopping nodes. A node is alive exactly as long as the first process of its PID namespace."""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from . import host, network, rootfs
from .host import LabError
from .lab import Lab
from .topology import Node

FILES = Path(__file__).resolve().parent / "files"


def start(lab: Lab, nodes: list[Node], timeout: float = 60) -> None:
    """Boots nodes side by side and waits until each answers on its SSH port."""
    starting = []
    init = lab.state / "node-init"
    if not init.exists():
        shutil.copy2(FILES / "node-init", init)
    for node in nodes:
        rootfs.mount_usr(lab, node)
        log = open(node.root.parent / "start.log", "wb")
        process = subprocess.Popen(
            ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "/bin/sh", str(init), str(node.root), node.name],
            stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True, cwd="/", env={"PATH": host.PATH})
        log.close()
        starting.append((node, process))
    for node, process in starting:
        first: list[int] = []

        def forked() -> bool:
            if process.poll() is not None:
                raise LabError(f"node {node.name} did not start: {_start_log(node)}")
            first[:] = _children(process.pid)
            return bool(first)

        host.poll(forked, timeout, f"node {node.name} to start")
        node.pid = first[0]
        host.write_pid(lab.pid_file(node), node.pid)
        network.plug(lab, node, node.pid)
        process.stdin.write(b"connected\n")
        process.stdin.close()
    for node, process in starting:
        def ready() -> bool:
            if host.start_time(node.pid) is None:
                raise LabError(f"node {node.name} ended while it booted: {_start_log(node)}")
            return Path(f"/proc/{node.pid}/root/run/booted").exists() and listens(node, 22)

        host.poll(ready, timeout, f"node {node.name} to boot (see {node.root}/var/log/boot.log)")
        process.returncode = 0      # it outlives us: keep Python from warning about it


def _start_log(node: Node) -> str:
    try:
        text = (node.root.parent / "start.log").read_text(errors="replace").strip()
    except OSError:
        text = ""
    return text[-500:] or "no reason given"


def _children(pid: int) -> list[int]:
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def listens(node: Node, port: int) -> bool:
    """Whether something listens on a TCP port of the node, asked of the kernel: no fault can be in the way of that."""
    for family in ("tcp", "tcp6"):
        try:
            table = Path(f"/proc/{node.pid}/net/{family}").read_text()
        except OSError:
            continue
        for line in table.splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                return True
    return False


def stop(lab: Lab, nodes: list[Node]) -> None:
    """Pulls the plug: every process of the nodes dies at once, as in a power cut."""
    roots = {found for node in nodes if (found := rootfs.device_of(node.root))}
    pids = [node.pid for node in nodes if node.pid] + host.processes_in(roots)
    if pids:
        host.kill_and_wait(sorted(set(pids)))
    for node in nodes:
        network.unplug(lab, node)
        node.pid = None
        lab.pid_file(node).unlink(missing_ok=True)


def is_running(lab: Lab, node: Node) -> bool:
    node.pid = host.read_pid(lab.pid_file(node))
    return node.pid is not None


def own_process() -> set[int]:
    """This process and those it descends from: `down` must not kill the shell it was called from."""
    family, pid = set(), os.getpid()
    while pid > 1 and pid not in family:
        family.add(pid)
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            break
        pid = int(stat[stat.rindex(")") + 2:].split()[1])
    return family
