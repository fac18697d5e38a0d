"""The disk of a lab: one file that holds the file systems of all nodes.

A lab is ten thousand small files, and databases that wait for the disk at every commit. In a file system inside one file all
of that goes to memory first, other users of the machine's disk are not slowed, and `down` deletes one file.
Where loop devices are missing (some containers) the nodes live in a plain directory; that is slower and otherwise equal.
"""
from __future__ import annotations

import os

from .host import LabError, mounts_below, run
from .lab import Lab

SIZE = 16 << 30                     # sparse: it takes what is used
# No journal and no barriers: what a power cut of the machine would damage is a practice lab.
FORMAT = ("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard", "-m", "0", "-N", "500000")
OPTIONS = "loop,noatime,nobarrier"


def attach(lab: Lab) -> bool:
    """Mounts the lab's disk where the nodes are; makes it if the lab is new. False when this machine has no loop devices."""
    place, image = lab.state / "nodes", lab.state / "disk.img"
    if str(place) in mounts_below(place):
        return True
    fresh = not place.exists()
    place.mkdir(exist_ok=True)
    if fresh:
        free = os.statvfs(lab.state)
        with open(image, "wb") as file:
            file.truncate(min(SIZE, free.f_bavail * free.f_frsize * 8 // 10))
        if run(*FORMAT, str(image), check=False, timeout=120).returncode != 0 or not _mount(image, place):
            image.unlink()
            return False
        return True
    if not image.exists():
        return False                # made without loop devices
    run("e2fsck", "-p", str(image), check=False, timeout=120)
    if not _mount(image, place):
        raise LabError(f"cannot mount {image}; it may have been damaged in a power cut. Make the lab anew: "
                       f"lab/lab --name {lab.name} down, then up")
    return True


def _mount(image, place) -> bool:
    return run("mount", "-t", "ext4", "-o", OPTIONS, str(image), str(place), check=False).returncode == 0
