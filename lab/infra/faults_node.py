"""Faults of single nodes. Each is an inject and a heal, both safe to repeat."""
from __future__ import annotations

import shutil

from . import boot, disk, keys
from .host import LabError, poll, run
from .lab import Lab
from .topology import OPERATOR, Node

SUDO_PASSWORD = "practice"


def node_down(lab: Lab, node: Node, args: list[str]) -> None:
    boot.stop(lab, [node])


def node_up(lab: Lab, node: Node, args: list[str]) -> None:
    if not boot.is_running(lab, node):
        boot.start(lab, [node])


def need_running(lab: Lab, node: Node) -> None:
    if not boot.is_running(lab, node):
        raise LabError(f"node {node.name} is not running; heal node-down first")


# --- sshd

def _serve_host_keys(lab: Lab, node: Node) -> None:
    """Lets sshd read its keys anew and waits until it shows the one on disk."""
    if not boot.is_running(lab, node):
        return
    wanted = (node.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[1]

    def served() -> bool:
        lab.exec(node, ["sv", "hup", "/etc/service/ssh"], check=False)
        return wanted in lab.exec(node, ["ssh-keyscan", "-T", "2", "-t", "ed25519", "127.0.0.1"], check=False).stdout

    poll(served, 15, f"sshd of {node.name} to serve its new key", interval=0.2)


def wrong_host_key(lab: Lab, node: Node, args: list[str]) -> None:
    strangers = lab.state / "hostkeys" / f".stranger-{node.name}"
    keys.make_stranger_keys(strangers)
    for path in strangers.iterdir():
        shutil.copy2(path, node.root / "etc/ssh" / path.name)
    _serve_host_keys(lab, node)


def right_host_key(lab: Lab, node: Node, args: list[str]) -> None:
    keys.install_host_keys(lab, node)
    _serve_host_keys(lab, node)


def _signal_sshd(lab: Lab, node: Node, signal: str) -> None:
    lab.exec(node, ["pkill", f"-{signal}", "-x", "sshd"], check=False)


def sshd_hang(lab: Lab, node: Node, args: list[str]) -> None:
    """A stopped listener: the kernel still accepts connections for it, and no one ever answers."""
    need_running(lab, node)
    _signal_sshd(lab, node, "STOP")


def sshd_wake(lab: Lab, node: Node, args: list[str]) -> None:
    if boot.is_running(lab, node):
        _signal_sshd(lab, node, "CONT")


# --- sudo

def sudo_password(lab: Lab, node: Node, args: list[str]) -> None:
    digest = run("openssl", "passwd", "-6", "-stdin", input=SUDO_PASSWORD + "\n").stdout.strip()
    _set_sudo(node, "ALL", digest)


def sudo_free(lab: Lab, node: Node, args: list[str]) -> None:
    _set_sudo(node, "NOPASSWD: ALL", "*")


def _set_sudo(node: Node, what: str, digest: str) -> None:
    rule = node.root / f"etc/sudoers.d/{OPERATOR}"
    rule.chmod(0o640)
    rule.write_text(f"{OPERATOR} ALL=(ALL) {what}\n")
    rule.chmod(0o440)
    shadow = node.root / "etc/shadow"
    lines = [line.split(":") for line in shadow.read_text().splitlines()]
    shadow.write_text("".join(":".join([f[0], digest if f[0] == OPERATOR else f[1], *f[2:]]) + "\n" for f in lines))


def sudo_hang(lab: Lab, node: Node, args: list[str]) -> None:
    """As where accounts are kept in a directory that does not answer: sudo waits before it runs anything, its owner too."""
    rule = node.root / "etc/pam.d/sudo"
    if "pam_exec" not in rule.read_text():
        rule.write_text("account required pam_exec.so quiet /bin/sleep 86400\n" + rule.read_text())


def sudo_answers(lab: Lab, node: Node, args: list[str]) -> None:
    rule = node.root / "etc/pam.d/sudo"
    rule.write_text("".join(line for line in rule.read_text().splitlines(True) if "pam_exec" not in line))
    if boot.is_running(lab, node):
        lab.exec(node, ["pkill", "-KILL", "-f", "-x", "/bin/sleep 86400"], check=False)


# --- ports

def close_port(lab: Lab, node: Node, args: list[str]) -> None:
    """Refuses one TCP port of the node for everyone, in the node's own network namespace."""
    need_running(lab, node)
    port = _port(args)
    open_port(lab, node, args)
    run("nsenter", "-t", str(node.pid), "-n", "nft", "-f", "-", input=(
        f"table inet closed{port} {{\n  chain input {{\n    type filter hook input priority 0; policy accept;\n"
        f"    iif != lo tcp dport {port} reject with tcp reset\n  }}\n}}\n"))


def open_port(lab: Lab, node: Node, args: list[str]) -> None:
    if boot.is_running(lab, node):
        run("nsenter", "-t", str(node.pid), "-n", "nft", "delete", "table", "inet", f"closed{_port(args)}", check=False)


def _port(args: list[str]) -> int:
    if len(args) != 1 or not args[0].isdigit() or not 0 < int(args[0]) < 65536:
        raise LabError("close-port needs a node and a port number: fault close-port NODE PORT")
    return int(args[0])


# --- disk

def full_disk(lab: Lab, node: Node, args: list[str]) -> None:
    """No space is left on the node's disk: programs meet ENOSPC wherever a file of theirs needs a new block."""
    disk.fill(lab, node, disk.room_of(args[0]) if args else 0)


def room_again(lab: Lab, node: Node, args: list[str]) -> None:
    """What was written while the disk was full (zero-byte files above all) stays, as it does in reality."""
    disk.empty(node)
