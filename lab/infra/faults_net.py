"""Network faults: all of them are rules of the lab's router, made anew from the list of active faults each time.

So injecting twice, healing in any order and repairing after a reboot of the machine are the same operation.
"""
from __future__ import annotations

import re

from . import network
from .host import LabError, poll, run
from .lab import Lab
from .topology import site_prefix

DEFAULT_RATE = "256kbit"


def apply(lab: Lab, active: list[dict]) -> None:
    """Makes the router obey the active faults, and only them."""
    _filter(lab, active, replication_syn_only=False)
    _shape(lab, active)


def _filter(lab: Lab, active: list[dict], replication_syn_only: bool) -> None:
    prefixes = {site: site_prefix(lab.net, site) for site in lab.sites}

    def ways(between=None):
        """Every way from one site to another, or only those from and to a given one."""
        return [f"ip saddr {prefixes[one]} ip daddr {prefixes[other]}" for one in lab.sites for other in lab.sites
                if one != other and between in (None, one, other)]

    rules = []
    for fault in active:
        if fault["name"] == "partition":
            rules += [f"{way} drop" for way in ways(fault["target"])]
        elif fault["name"] == "cut-replication":
            syn = "tcp flags & (syn | ack) == syn " if replication_syn_only else ""
            rules += [f"{way} tcp {port} 5432 {syn}drop" for way in ways() for port in ("dport", "sport")]
        elif fault["name"] == "cut-operator":
            rules += [f"ip {end} {lab.operator_address} drop" for end in ("saddr", "daddr")]
        elif fault["name"] == "partition-operator":
            address = lab.node(fault["target"]).address
            rules += [f"ip saddr {lab.operator_address} ip daddr {address} drop", f"ip saddr {address} ip daddr {lab.operator_address} drop"]
    body = "\n".join(f"    {rule}" for rule in rules)
    # Declaring before deleting makes the deletion valid when there is nothing yet; the whole is one transaction.
    run("ip", "netns", "exec", lab.router, "nft", "-f", "-", input=(
        "table inet faults {}\ndelete table inet faults\ntable inet faults {\n  chain forward {\n"
        f"    type filter hook forward priority 0; policy accept;\n{body}\n  }}\n}}\n"))


def _shape(lab: Lab, active: list[dict]) -> None:
    """slow-link: what enters the named site from the others, and the other way round, shares the given rate."""
    slow = next((fault for fault in active if fault["name"] == "slow-link"), None)
    rate = (slow["args"] or [DEFAULT_RATE])[0] if slow else None
    for site in lab.sites:
        switch = network.switch_name(site)
        far = [other for other in lab.sites if slow and other != site and slow["target"] in (site, other)]
        run("tc", "-n", lab.router, "qdisc", "del", "dev", switch, "root", check=False)
        if far:
            run("tc", "-n", lab.router, "-batch", "-", input=(
                f"qdisc add dev {switch} root handle 1: htb default 1\n"
                f"class add dev {switch} parent 1: classid 1:1 htb rate 10gbit quantum 60000\n"
                f"class add dev {switch} parent 1: classid 1:2 htb rate {rate} burst 16k quantum 3000\n"
                f"qdisc add dev {switch} parent 1:2 handle 2: pfifo limit 200\n"
                + "".join(f"filter add dev {switch} parent 1: protocol ip prio 1 u32 match ip src {site_prefix(lab.net, other)} flowid 1:2\n"
                          for other in far)))


def check_rate(rate: str) -> None:
    if not re.fullmatch(r"[1-9][0-9]{0,5}(k|m)bit", rate):
        raise LabError(f"{rate!r} is not a rate: give for example 64kbit, 256kbit or 2mbit")


def cut_replication(lab: Lab, active: list[dict]) -> None:
    """Ends the running replication connections in a way that the standby notices, and lets no new one through.

    A connection that is merely silenced keeps its walreceiver for wal_receiver_timeout (a minute): so new connections are
    blocked first, the senders are ended while their last packet still gets through, and then all is blocked.
    """
    _filter(lab, active, replication_syn_only=True)
    databases = [node for node in lab.nodes.values() if "postgresql" in node.components and node.pid]

    def senders_gone() -> bool:
        ended = [lab.exec(node, ["pkill", "-TERM", "-f", "^postgres: .*walsender"], check=False).returncode for node in databases]
        return all(code != 0 for code in ended)

    poll(senders_gone, 15, "the WAL senders to end", interval=0.2)
    _filter(lab, active, replication_syn_only=False)
