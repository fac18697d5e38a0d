"""The faults: which there are, which are active, and `lab fault`."""
from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from typing import Callable

from . import boot, disk, faults_net, faults_node
from .host import LabError
from .lab import Lab, write_atomic
from .topology import Node

Action = Callable[[Lab, Node | None, list[str]], None]


@dataclass(frozen=True)
class Fault:
    name: str
    usage: str                      # what follows the name
    text: str
    inject: Action | None = None    # None: the router obeys the list of active faults
    heal: Action | None = None
    volatile: bool = False          # gone when the node boots; put back by the lab, as the cause would still be there
    momentary: bool = False         # an event, nothing to heal
    late: bool = False              # its cure asks databases: those must work first


def _nothing(lab: Lab, node: Node | None, args: list[str]) -> None:
    pass


def _reboot(lab: Lab, node: Node, args: list[str]) -> None:
    """Power off and on: the same disk, everything else from the start."""
    faults_node.need_running(lab, node)
    boot.stop(lab, [node])
    boot.start(lab, [node])
    reapply(lab, [node])


OWN = [
    Fault("node-down", "NODE", "the node loses power: no answer, nothing runs", faults_node.node_down, faults_node.node_up),
    Fault("reboot", "NODE", "power off and on again; what is enabled at boot comes back", _reboot, momentary=True),
    Fault("partition", "SITE", "the site and the others cannot reach each other; the operator reaches all"),
    Fault("partition-operator", "NODE", "the operator cannot reach the node; the nodes can"),
    Fault("cut-operator", "", "the operator's machine, and the practice users on it, reach no node"),
    Fault("cut-replication", "", "no PostgreSQL traffic between the sites; the standby keeps running",
          lambda lab, node, args: faults_net.cut_replication(lab, active(lab))),
    Fault("slow-link", "SITE [RATE]", f"traffic between the sites shares a rate (default {faults_net.DEFAULT_RATE})"),
    Fault("full-disk", "NODE [ROOM]", "no space left on the node's disk, or only ROOM (as 20M)", faults_node.full_disk, faults_node.room_again),
    Fault("wrong-host-key", "NODE", "sshd shows host keys that nobody knows", faults_node.wrong_host_key, faults_node.right_host_key),
    Fault("sudo-password", "NODE", f"sudo asks for a password (it is: {faults_node.SUDO_PASSWORD})", faults_node.sudo_password, faults_node.sudo_free),
    Fault("sudo-hang", "NODE", "sshd answers, and sudo never comes back", faults_node.sudo_hang, faults_node.sudo_answers),
    Fault("sshd-hang", "NODE", "sshd accepts connections and never answers", faults_node.sshd_hang, faults_node.sshd_wake, volatile=True),
    Fault("close-port", "NODE PORT", "the node refuses connections to a TCP port", faults_node.close_port, faults_node.open_port, volatile=True),
]


def gitlab_faults() -> list[Fault]:
    from .up import gitlab_part
    part = gitlab_part("gitlab.faults")
    return [Fault(**entry) for entry in part.FAULTS] if part else []


def catalogue() -> dict[str, Fault]:
    return {fault.name: fault for fault in OWN + gitlab_faults()}


# --- the record

def active(lab: Lab) -> list[dict]:
    try:
        return json.loads((lab.state / "faults.json").read_text())
    except FileNotFoundError:
        return []


def _save(lab: Lab, faults: list[dict]) -> None:
    write_atomic(lab.state / "faults.json", json.dumps(faults, indent=2) + "\n")


def _same(one: dict, other: dict) -> bool:
    several = one["name"] in ("close-port", "hung-command", "hung-service")   # may be active more than once on a node
    return one["name"] == other["name"] and one["target"] == other["target"] and (not several or one["args"] == other["args"])


def describe(fault: dict) -> str:
    return " ".join([fault["name"], *([fault["target"]] if fault["target"] else []), *fault["args"]])


def nodes_down(lab: Lab) -> set[str]:
    return {fault["target"] for fault in active(lab) if fault["name"] == "node-down"}


def reapply(lab: Lab, booted: list[Node]) -> None:
    """After a boot of nodes, or of the whole machine: what a reboot would not have cured is broken again."""
    faults_net.apply(lab, active(lab))
    names = {node.name for node in booted}
    known = catalogue()
    for fault in active(lab):
        if fault["target"] in names and fault["name"] in known and known[fault["name"]].volatile:
            known[fault["name"]].inject(lab, lab.node(fault["target"]), fault["args"])


# --- doing

def _target(lab: Lab, fault: Fault, arguments: list[str]) -> tuple[str | None, Node | None, list[str]]:
    """Splits the arguments into node or site and the rest, as the fault's usage says."""
    first = fault.usage.split()[0] if fault.usage else ""
    if first.strip("[]") not in ("NODE", "SITE"):
        if not fault.usage and arguments:
            raise LabError(f"{fault.name} takes no argument")
        return None, None, arguments
    if not arguments:
        if first.startswith("["):
            return None, None, []
        raise LabError(f"{fault.name} needs a {first.lower()}: fault {fault.name} {fault.usage}")
    if first.strip("[]") == "SITE":
        if arguments[0] not in lab.sites:
            raise LabError(f"there is no site {arguments[0]!r}. Sites: {', '.join(lab.sites)}")
        return arguments[0], None, arguments[1:]
    return arguments[0], lab.node(arguments[0]), arguments[1:]


def inject(lab: Lab, name: str, arguments: list[str]) -> str:
    known = catalogue()
    if name not in known:
        raise LabError(f"there is no fault {name!r}. See: lab/lab fault list")
    fault = known[name]
    target, node, args = _target(lab, fault, arguments)
    if len(args) > len(fault.usage.split()[1:]):
        raise LabError(f"too many arguments: fault {fault.name} {fault.usage}")
    if name == "slow-link" and args:
        faults_net.check_rate(args[0])
    if fault.momentary:
        fault.inject(lab, node or target, args)
        return f"{name} {target}: done"
    entry = {"name": name, "target": target, "args": args, "since": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
    before = active(lab)
    _save(lab, [f for f in before if not _same(f, entry)] + [entry])     # first the record: a crash must leave something to heal
    try:
        with disk.margin(lab, _full_disks(lab, but=entry)):
            (fault.inject or _nothing)(lab, node or target, args)
        faults_net.apply(lab, active(lab))
    except Exception:
        if not any(_same(f, entry) for f in before):
            _save(lab, before)
        raise
    return f"{describe(entry)}: active. To heal it: lab/lab{'' if lab.name == 'default' else ' --name ' + lab.name} fault heal {name}"


def heal(lab: Lab, name: str | None, target: str | None) -> list[str]:
    """Heals all that is named, whatever the order of injection. What cannot be healed stays on record and does not keep the rest."""
    known = catalogue()
    if name and name not in known:
        raise LabError(f"there is no fault {name!r}. See: lab/lab fault list")

    def turn(entry: dict) -> int:
        # A node that is down comes back first: the other cures need it.
        return 0 if entry["name"] == "node-down" else 2 if entry["name"] in known and known[entry["name"]].late else 1

    wanted = [f for f in active(lab) if (not name or f["name"] == name) and (not target or f["target"] == target)]
    healed, failed = [], {}
    for entry in sorted(wanted, key=turn):
        try:
            _heal_one(lab, known.get(entry["name"]), entry)
            healed.append(describe(entry))
        except (LabError, OSError, subprocess.TimeoutExpired) as error:
            failed[describe(entry)] = error
    faults_net.apply(lab, active(lab))
    if failed:
        done = f"healed: {', '.join(healed)}; " if healed else ""
        raise LabError(done + "not healed: " + "; ".join(f"{what}: {error}" for what, error in failed.items()))
    return healed


def _full_disks(lab: Lab, but: dict) -> dict[str, int]:
    return {f["target"]: disk.room_of(f["args"][0]) if f["args"] else 0
            for f in active(lab) if f["name"] == "full-disk" and not _same(f, but)}


def _heal_one(lab: Lab, fault: Fault | None, entry: dict) -> None:
    if fault and fault.heal:
        node = lab.nodes.get(entry["target"] or "")
        with disk.margin(lab, _full_disks(lab, but=entry)):
            fault.heal(lab, node or entry["target"], entry["args"])
    left = [f for f in active(lab) if not _same(f, entry)]
    _save(lab, left)
    if entry["name"] == "node-down":
        reapply(lab, [lab.node(entry["target"])])
    elif not fault or not fault.heal:
        faults_net.apply(lab, left)         # obeyed by the router: gone with the record


def command(lab: Lab, name: str, arguments: list[str], as_json: bool) -> int:
    if name == "list":
        print(json.dumps(active(lab)))
        return 0
    with lab.locked():
        if not lab.exists:
            raise LabError(f"lab {lab.name} is not up")
        if name == "heal":
            if len(arguments) > 2:
                raise LabError("heal takes at most a fault and its node or site: fault heal [NAME [NODE|SITE]]")
            done = heal(lab, *(arguments + [None, None])[:2])
            print("healed: " + ", ".join(done) if done else "nothing to heal")
        else:
            print(inject(lab, name, arguments))
    return 0


def help_text() -> str:
    faults = list(catalogue().values())
    width = max(len(f"{fault.name} {fault.usage}") for fault in faults) + 2
    return "Faults:\n" + "\n".join(f"  {fault.name + ' ' + fault.usage:{width}}{fault.text}" for fault in faults) + (
        "\n\n`fault heal` heals all, `fault heal NAME [NODE|SITE]` only those. All are safe to repeat, and remembered until healed.")


def list_text(lab: Lab) -> str:
    now = active(lab) if lab.exists else []
    return help_text() + "\n\nActive: " + (", ".join(f"{describe(f)} (since {f['since']})" for f in now) or "none")
