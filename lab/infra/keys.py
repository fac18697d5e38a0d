"""SSH keys of the lab: the operator's, the nodes', and the known_hosts file made of the latter."""
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from .host import LabError
from .lab import Lab, write_atomic
from .topology import OPERATOR, Node

HOST_KEY_TYPES = ("ed25519", "ecdsa", "rsa")
# The least that OpenSSH takes: a practice key lives for an hour, and with 2048 bits the keys of all nodes would be the most
# of what `up` computes.
RSA_BITS = "1024"


def _keygen(path: Path, kind: str, comment: str, passphrase: str = "") -> subprocess.Popen | None:
    if path.exists() and path.with_name(path.name + ".pub").exists():
        return None
    path.unlink(missing_ok=True)
    line = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", comment, "-f", str(path)]
    if kind == "rsa":
        line += ["-b", RSA_BITS]
    return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _await(processes: list[subprocess.Popen | None]) -> None:
    for process in filter(None, processes):
        _, error = process.communicate()
        if process.returncode != 0:
            raise LabError(f"ssh-keygen failed: {error.strip()}")


def make_operator_keys(lab: Lab) -> None:
    phrase_file = lab.state / "passphrase"
    if not phrase_file.exists():
        write_atomic(phrase_file, os.urandom(8).hex() + "\n", 0o600)
    phrase = phrase_file.read_text().strip()
    comment = f"{OPERATOR}@lab-{lab.name}"
    _await([
        _keygen(lab.state / "id_ed25519", "ed25519", comment),
        _keygen(lab.state / "id_ecdsa", "ecdsa", comment),
        _keygen(lab.state / "id_rsa", "rsa", comment),
        _keygen(lab.state / "id_ed25519_encrypted", "ed25519", comment, phrase),
    ])


def authorized_keys(lab: Lab) -> str:
    names = ("id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_encrypted")
    return "".join((lab.state / f"{name}.pub").read_text() for name in names)


def host_key_set(lab: Lab, node: Node) -> Path:
    """The Rails nodes of both sites share their host keys, as GitLab asks for: users' clients must not notice a failover."""
    return lab.state / "hostkeys" / ("rails" if "rails" in node.components else node.name)


def make_host_keys(lab: Lab) -> None:
    pending: list[subprocess.Popen | None] = []
    for directory in sorted({host_key_set(lab, node) for node in lab.nodes.values()}):
        directory.mkdir(parents=True, exist_ok=True)
        pending += [_keygen(directory / f"ssh_host_{kind}_key", kind, f"root@{directory.name}") for kind in HOST_KEY_TYPES]
        if len(pending) >= 12:
            _await(pending)
            pending = []
    _await(pending)


def install_host_keys(lab: Lab, node: Node) -> None:
    for kind in HOST_KEY_TYPES:
        for suffix, mode in (("", 0o600), (".pub", 0o644)):
            name = f"ssh_host_{kind}_key{suffix}"
            target = node.root / "etc/ssh" / name
            shutil.copyfile(host_key_set(lab, node) / name, target)
            target.chmod(mode)


def make_stranger_keys(directory: Path) -> None:
    """Host keys that nobody knows, for the fault wrong-host-key."""
    directory.mkdir(parents=True, exist_ok=True)
    _await([_keygen(directory / f"ssh_host_{kind}_key", kind, "root@stranger") for kind in HOST_KEY_TYPES])


def write_known_hosts(lab: Lab) -> None:
    lines = []
    for node in lab.nodes.values():
        for kind in HOST_KEY_TYPES:
            key = (host_key_set(lab, node) / f"ssh_host_{kind}_key.pub").read_text().split()
            lines.append(f"{node.address},{node.name},{node.fqdn} {key[0]} {key[1]}\n")
    write_atomic(lab.state / "known_hosts", "".join(lines))


def ssh_command(lab: Lab, node: Node) -> list[str]:
    """What an operator would type, without the operator's own settings and agent."""
    return ["ssh", "-F", "none", "-i", str(lab.state / "id_ed25519"), "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
            "-o", f"UserKnownHostsFile={lab.state / 'known_hosts'}", "-o", "GlobalKnownHostsFile=none",
            "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR",
            f"{OPERATOR}@{node.address}"]




def check_modes(lab: Lab) -> None:
    """ssh refuses a private key that others can read; an operator may have copied the state about."""
    for name in ("id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_encrypted"):
        path = lab.state / name
        if path.exists():
            path.chmod(0o600)
