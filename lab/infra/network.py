"""The lab's network: a router in a network namespace of its own, a switch per site, a plug per node, one link to the host.

The router lives in its own namespace so that the host's firewall and forwarding settings neither break the lab nor are
touched by it. All that goes between the sites, or between the operator and a site, passes it: that is where the network
faults are put, and they vanish with it. On the host there is a single interface.
"""
from __future__ import annotations

import contextlib
import json
from pathlib import Path

from .host import LabError, run
from .lab import Lab, all_labs
from .topology import SITES, Node

DEFAULT_NET = 77
NETS = range(78, 100)


def allocate(name: str) -> int:
    """The second part of the lab's addresses. The caller holds the lock of the state's parent directory."""
    taken = {lab.net: f"lab {lab.name}" for lab in all_labs() if lab.exists}
    namespaces = run("ip", "netns", "list").stdout.split()
    routes = {r.get("dst", "") for r in json.loads(run("ip", "-j", "-4", "route", "show").stdout or "[]")}

    def occupied(net: int) -> str | None:
        if net in taken:
            return taken[net]
        if f"geo-lab-{net}" in namespaces:
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


def switch_name(site: str) -> str:
    return f"site{SITES.index(site) + 1}"


def gateway(lab: Lab, site: str) -> str:
    return f"10.{lab.net}.{SITES.index(site) + 1}.1"


def exists(lab: Lab) -> bool:
    return lab.router in run("ip", "netns", "list").stdout.split()


def links(lab: Lab) -> set[str]:
    shown = run("ip", "-n", lab.router, "-j", "link", "show", check=False)
    return {link["ifname"] for link in json.loads(shown.stdout or "[]")} if shown.returncode == 0 else set()


def create(lab: Lab) -> None:
    """Makes the router, its switches and the host's link to it; what is there already stays."""
    if not exists(lab):
        run("ip", "netns", "add", lab.router)
    present = links(lab)
    if "site1" not in present:
        # Forwarding is a setting of the namespace, not of the host.
        run("ip", "netns", "exec", lab.router, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        run("ip", "-n", lab.router, "link", "set", "lo", "up")
    for site in lab.sites:
        switch = switch_name(site)
        if switch not in present:
            run("ip", "-n", lab.router, "-batch", "-", input=(
                f"link add {switch} type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"
                f"addr add {gateway(lab, site)}/24 dev {switch}\n"
                f"link set {switch} up\n"))
    if run("ip", "link", "show", lab.host_link, check=False).returncode != 0:
        far = f"10.{lab.net}.0.254"
        run("ip", "link", "add", lab.host_link, "type", "veth", "peer", "name", "operator", "netns", lab.router)
        run("ip", "-n", lab.router, "-batch", "-", input=f"addr add {far}/24 dev operator\nlink set operator up\n")
        run("ip", "-batch", "-", input=(
            f"addr add {lab.operator_address}/24 dev {lab.host_link}\n"
            f"link set {lab.host_link} up\n"
            f"route add 10.{lab.net}.0.0/16 via {far} dev {lab.host_link} src {lab.operator_address}\n"))


def plug(lab: Lab, node: Node, pid: int) -> None:
    """Connects the network namespace of a starting node. A plug of its former namespace may still be there for a moment."""
    run("ip", "-n", lab.router, "link", "del", node.port_name, check=False)
    # A node keeps its hardware address when it reboots: the others remember it for a while.
    hardware = "02:00:" + ":".join(f"{int(part):02x}" for part in node.address.split("."))
    run("ip", "-n", lab.router, "-batch", "-", input=(
        f"link add {node.port_name} type veth peer name eth0 address {hardware} netns {pid}\n"
        f"link set {node.port_name} master {switch_name(node.site)}\n"
        f"link set {node.port_name} up\n"))
    run("nsenter", "-t", str(pid), "-n", "ip", "-batch", "-", input=(
        "link set lo up\n"
        f"addr add {node.address}/24 dev eth0\n"
        "link set eth0 up\n"
        f"route add default via {gateway(lab, node.site)}\n"))


def unplug(lab: Lab, node: Node) -> None:
    """Takes the plug of a node that lost its power. Its namespace can outlive it for minutes, while the kernel tries to end
    connections whose other side is off too, and would refuse connections as if a machine were there."""
    run("ip", "-n", lab.router, "link", "del", node.port_name, check=False)


def remove(lab: Lab) -> None:
    """Deleting the host's end deletes the other; the namespace takes the switches and all plugs with it."""
    run("ip", "link", "del", lab.host_link, check=False)
    if exists(lab):
        run("ip", "netns", "del", lab.router)
    # `ip netns` mounts its directory on itself the first time and leaves that behind. Not ours while anyone's namespace is in it.
    named = Path("/run/netns")
    if named.is_dir() and not any(named.iterdir()):
        run("umount", str(named), check=False)
        with contextlib.suppress(OSError):
            named.rmdir()
