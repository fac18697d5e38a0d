"""`lab status` and `lab list`: what is up, seen from outside, with nothing changed by looking."""
from __future__ import annotations

import json
import os
from pathlib import Path

from . import boot, faults
from .lab import Lab, all_labs
from .topology import Node


def node_state(lab: Lab, node: Node, broken: set[str]) -> str:
    if node.name in broken:
        return "down (fault)"
    return "up" if boot.is_running(lab, node) else "DOWN"


def services(node: Node) -> list[dict]:
    """Services as runit knows them, read from its files: no program of the node is run, so a hung one cannot hang this."""
    if node.pid is None:
        return []
    found = []
    for directory in ("opt/gitlab/service", "etc/service"):
        base = node.root / directory
        for entry in sorted(base.iterdir()) if base.is_dir() else []:
            if entry.name == "ssh":
                continue
            target = node.root / str(entry.readlink()).lstrip("/") if entry.is_symlink() else entry
            found.append({"name": entry.name, "state": service_state(target)})
    return found


def in_words(service: dict) -> str:
    return service["name"] if service["state"] == "run" else f"{service['name']} ({service['state']})"


def service_state(service: Path) -> str:
    """runit's files outlive a power cut; its fifo, asked as `sv` does, tells whether anyone supervises."""
    try:
        os.close(os.open(service / "supervise/ok", os.O_WRONLY | os.O_NONBLOCK))
        return (service / "supervise/stat").read_text().strip()
    except OSError:
        return "not supervised"


def status(lab: Lab, as_json: bool) -> int:
    if not lab.exists:
        print(json.dumps({"name": lab.name, "up": False}) if as_json else f"Lab {lab.name} is not up. Make it: lab/lab --name {lab.name} up")
        return 1
    broken = faults.nodes_down(lab)
    rows = [(node, node_state(lab, node, broken), services(node)) for node in lab.nodes.values()]
    active = faults.active(lab)
    users_at = (lab.state / "dns").read_text().strip() if (lab.state / "dns").exists() else "nowhere"
    good = lab.config["phase"] == "complete" and all(state != "DOWN" for _, state, _ in rows)
    if as_json:
        print(json.dumps({
            "name": lab.name, "up": good, "phase": lab.config["phase"], "net": f"10.{lab.net}.0.0/16", "pace": lab.pace,
            "state": str(lab.state), "users_at": users_at,
            "nodes": [{"name": n.name, "site": n.site, "address": n.address, "state": s, "services": v} for n, s, v in rows],
            "faults": active}))
        return 0 if good else 1
    complete = "" if lab.config["phase"] == "complete" else "; half made: run `up` again"
    print(f"Lab {lab.name}: 10.{lab.net}.0.0/16, pace {lab.pace}, users at {users_at}{complete}")
    for node, state, running in rows:
        print(f"  {node.name:16} {node.address:12} {state:13} {' '.join(map(in_words, running))}".rstrip())
    print("Faults: " + (", ".join(faults.describe(fault) for fault in active) or "none"))
    return 0 if good else 1


def list_labs(as_json: bool) -> int:
    labs = [lab for lab in all_labs() if lab.exists]
    if as_json:
        print(json.dumps([{"name": lab.name, "net": f"10.{lab.net}.0.0/16", "phase": lab.config["phase"], "state": str(lab.state)} for lab in labs]))
    elif not labs:
        print("No labs. Make one: lab/lab up")
    for lab in labs if not as_json else []:
        alive = sum(boot.is_running(lab, node) for node in lab.nodes.values())
        word = "complete" if lab.config["phase"] == "complete" else "half made"
        print(f"{lab.name:20} 10.{lab.net}.0.0/16  {alive} of {len(lab.nodes)} nodes running, {word}")
    return 0
