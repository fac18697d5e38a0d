"""The lab's network: one switch in a network namespace of its own, one plug per node, one link to the host.

The switch lives in its own namespace so that the host's firewall and bridge settings neither break the lab nor are touched
by it, and so that the faults are rules in one place that vanish with it. On the host there is a single interface.
"""
from __future__ import annotations

import json

from .host import LabError, run
from .lab import Lab, all_labs
from .topology import Node

DEFAULT_NET = 77
NETS = range(78, 100)


def allocate(name: str) -> int:
    """The second part of the lab's addresses. The caller holds the lock of the state's parent directory."""
    taken = {lab.net: f"lab {lab.name}" for lab in all_labs() if lab.exists}
    namespaces = run("ip", "netns", "list").stdout
    routes = {r.get("dst", "") for r in json.loads(run("ip", "-j", "-4", "route", "show").stdout or "[]")}

    def occupied(net: int) -> str | None:
        if net in taken:
            return taken[net]
        if f"geo-lab-{net}" in namespaces.split():
            return f"a lab whose state is elsewhere (network namespace geo-lab-{net}; is GEO_LAB_STATE set differently?)"
        if any(dst.startswith(f"10.{net}.") for dst in routes) or "10.0.0.0/8" in routes:
            return "this machine's own network (see: ip route)"
        return None

    if name == "default":
        user = occupied(DEFAULT_NET)
        if user:
            raise LabError(f"10.{DEFAULT_NET}.0.0/16, the address range of the default lab, is in use by {user}. "
                           "Use another name, which gets another range: lab/lab --name NAME up")
        return DEFAULT_NET
    for net in NETS:
        if not occupied(net):
            return net
    raise LabError("no free address range: 10.78.0.0/16 to 10.99.0.0/16 are all in use. "
                   "See `lab/lab list`; `lab/lab --name NAME down` frees one")


def exists(lab: Lab) -> bool:
    return lab.switch in run("ip", "netns", "list").stdout.split()


def create(lab: Lab) -> None:
    """Makes the switch and the host's link to it; what is there already stays."""
    if not exists(lab):
        run("ip", "netns", "add", lab.switch)
    if run("ip", "-n", lab.switch, "link", "show", "lab0", check=False).returncode != 0:
        run("ip", "-n", lab.switch, "-batch", "-", input=(
            "link set lo up\n"
            "link add lab0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"
            "link set lab0 up\n"))
    if run("ip", "link", "show", lab.host_link, check=False).returncode != 0:
        run("ip", "link", "add", lab.host_link, "type", "veth", "peer", "name", "operator", "netns", lab.switch)
        run("ip", "-n", lab.switch, "-batch", "-", input="link set operator master lab0\nlink set operator up\n")
        run("ip", "addr", "add", f"{lab.operator_address}/16", "dev", lab.host_link)
        run("ip", "link", "set", lab.host_link, "up")


def plug(lab: Lab, node: Node, pid: int) -> None:
    """Connects the network namespace of a starting node. Its old plug died with its old namespace, if not yet, it goes now."""
    run("ip", "-n", lab.switch, "link", "del", node.port_name, check=False)
    run("ip", "-n", lab.switch, "-batch", "-", input=(
        f"link add {node.port_name} type veth peer name eth0 netns {pid}\n"
        f"link set {node.port_name} master lab0\n"
        f"link set {node.port_name} up\n"))
    run("nsenter", "-t", str(pid), "-n", "ip", "-batch", "-", input=(
        "link set lo up\n"
        f"addr add {node.address}/16 dev eth0\n"
        "link set eth0 up\n"
        f"route add default via {lab.operator_address}\n"))


def ports(lab: Lab) -> set[str]:
    shown = run("ip", "-n", lab.switch, "-j", "link", "show", "master", "lab0", check=False)
    return {link["ifname"] for link in json.loads(shown.stdout or "[]")} if shown.returncode == 0 else set()


def remove(lab: Lab) -> None:
    """Deleting the host's end deletes the other; the namespace takes the bridge and all plugs with it."""
    run("ip", "link", "del", lab.host_link, check=False)
    if exists(lab):
        run("ip", "netns", "del", lab.switch)
