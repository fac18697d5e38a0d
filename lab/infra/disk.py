"""The disks of a lab: a file system inside one file per node, and one for what the nodes share.

A lab is ten thousand small files, and databases that wait for the disk at every commit. In a file system inside a file all of
that goes to memory first, other users of the machine's disk are not slowed, and `down` deletes the files. Each node has its
own, so that one can be full while the others are not, with everything that follows from that on a real machine.
Where loop devices are missing (some containers) the nodes live in a plain directory; that is slower, and no disk can be full.
"""
from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from .host import LabError, mounts_below, run
from .lab import Lab
from .topology import Node

SHARED_SIZE, NODE_SIZE = 16 << 30, 8 << 30          # sparse: they take what is used
# No journal and no barriers: what a power cut of the machine would damage is a practice lab.
FORMAT = ("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard", "-m", "0", "-N")
OPTIONS = "loop,noatime,nobarrier"
FILLER = "var/tmp/filled-by-the-lab"
MARGIN = 4 << 20


def attach(lab: Lab) -> bool:
    """Mounts the lab's disks; makes those of a new lab. False when this machine has no loop devices."""
    place = lab.state / "nodes"
    fresh = not place.exists()
    if fresh:
        place.mkdir()
        (lab.state / "disks").mkdir()
    if not _attach(lab, lab.state / "disks/shared.img", place, SHARED_SIZE, 500_000, fresh):
        return False
    import concurrent.futures  # here, since nothing but `up` needs it
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        waiting = [pool.submit(_attach, lab, image_of(lab, node), node.root, NODE_SIZE, 100_000, fresh) for node in lab.nodes.values()]
    if not all(made.result() for made in waiting):
        raise LabError("there are not enough loop devices for a disk per node. Free some (see: losetup -a), then run it again")
    return True


def image_of(lab: Lab, node: Node) -> Path:
    return lab.state / "disks" / f"{node.name}.img"


def _attach(lab: Lab, image: Path, place: Path, size: int, inodes: int, fresh: bool) -> bool:
    if str(place) in mounts_below(place):
        return True
    if fresh:
        place.mkdir(parents=True, exist_ok=True)
        free = os.statvfs(lab.state)
        with open(image, "wb") as file:
            file.truncate(min(size, free.f_bavail * free.f_frsize * 8 // 10))
        if run(*FORMAT, str(inodes), str(image), check=False, timeout=120).returncode == 0 and _mount(image, place):
            return True
        image.unlink()
        return False
    if not image.exists():
        return False                # made without loop devices
    run("e2fsck", "-p", str(image), check=False, timeout=120)
    if not _mount(image, place):
        raise LabError(f"cannot mount {image}; it may have been damaged in a power cut. Make the lab anew: "
                       f"lab/lab --name {lab.name} down, then up")
    return True


def _mount(image: Path, place: Path) -> bool:
    return run("mount", "-t", "ext4", "-o", OPTIONS, str(image), str(place), check=False).returncode == 0


# --- full

def room_of(text: str) -> int:
    """Bytes, of 0, 20M or 1G."""
    match = re.fullmatch(r"(\d{1,6})([KMG]?)", text)
    if not match:
        raise LabError(f"{text!r} is not an amount of space: give for example 0, 500K, 20M or 1G")
    return int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[match[2]]


def fill(lab: Lab, node: Node, room: int = 0) -> None:
    """Takes all free space of a node's disk but `room`, in one file that the operator can find."""
    if not image_of(lab, node).exists():
        raise LabError("this lab was made without loop devices, so its nodes have no disks of their own that could be full")
    filler = node.root / FILLER
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        step = free(node) - room
        if step < 0:
            size = max(0, size + step)
            os.ftruncate(descriptor, size)
        block = os.statvfs(node.root).f_frsize
        while step >= block:
            try:
                os.posix_fallocate(descriptor, size, step)
                size += step
                step = free(node) - room
            except OSError:
                step //= 2          # describing the file takes some of the space, too
    finally:
        os.close(descriptor)


def free(node: Node) -> int:
    found = os.statvfs(node.root)
    return found.f_bavail * found.f_frsize


def empty(node: Node) -> None:
    (node.root / FILLER).unlink(missing_ok=True)


@contextlib.contextmanager
def margin(lab: Lab, full: dict[str, int]):
    """A little space on full disks ({node: room}) for what the lab itself writes there; GitLab hardly notices."""
    for name in full:
        filler = lab.node(name).root / FILLER
        if filler.exists():
            os.truncate(filler, max(0, filler.stat().st_size - MARGIN))
    try:
        yield
    finally:
        for name, room in full.items():
            if (lab.node(name).root / FILLER).exists():
                fill(lab, lab.node(name), room)
