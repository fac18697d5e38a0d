"""What the lab consists of: two sites (or three), their nodes, addresses and components.

One table, so that the inventory, the host files, the load balancers and the GitLab layer cannot disagree.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

DOMAIN = "lab.test"
SITES = ("tokyo", "seoul", "busan")     # the first is the primary at `up`; the third is there on request
OPERATOR = "geo-ops"

# name after the site, last part of the address, components as the inventory calls them
_NODES = (
    ("lb-1", 10, ("load-balancer",)),
    ("rails-1", 11, ("rails",)),
    ("rails-2", 12, ("rails",)),
    ("sidekiq-1", 15, ("sidekiq",)),
    ("pg-1", 21, ("postgresql",)),
    ("gitaly-1", 31, ("gitaly",)),
    ("redis-1", 41, ("redis",)),
)
# What a site needs besides to be a secondary. The site that begins as primary has it only in a lab made for failing back.
_SECONDARY_EXTRA = {"sidekiq-1": ("logcursor",)}
_SECONDARY_NODES = (("geo-1", 51, ("tracking-db",)),)
# The third site: everything on one node, which is its own front door.
_SMALL_SITE = (("1", 10, ("rails", "sidekiq", "logcursor", "postgresql", "tracking-db", "gitaly", "redis")),)


@dataclass
class Node:
    name: str
    site: str
    number: int                     # last part of the address
    address: str
    components: tuple[str, ...]
    root: Path                      # the node's file system as the host sees it
    pid: int | None = field(default=None, compare=False)   # of its first process, in the host's numbers

    @property
    def fqdn(self) -> str:
        return f"{self.name}.{DOMAIN}"

    @property
    def is_gitlab(self) -> bool:
        """False for the load balancers, which have no Omnibus package."""
        return "load-balancer" not in self.components

    @property
    def port_name(self) -> str:
        """Name of the node's plug in the switch of its site."""
        return f"n{SITES.index(self.site) + 1}-{self.number}"


def site_prefix(net: int, site: str) -> str:
    return f"10.{net}.{SITES.index(site) + 1}.0/24"


def site_url(net: int, site: str) -> str:
    return f"http://10.{net}.{SITES.index(site) + 1}.10"


def operator_address(net: int) -> str:
    return f"10.{net}.0.1"


def nodes_of(net: int, nodes_dir: Path, sites: int = 2, failback: bool = False) -> dict[str, Node]:
    """All nodes by name. With `failback` the first two sites can both be the secondary, so both have the same nodes."""
    nodes: dict[str, Node] = {}
    for index, site in enumerate(SITES[:sites], start=1):
        secondary = index > 1 or failback
        for short, number, components in _SMALL_SITE if index > 2 else _NODES + (_SECONDARY_NODES if secondary else ()):
            if secondary:
                components = components + _SECONDARY_EXTRA.get(short, ())
            name = f"{site}-{short}"
            nodes[name] = Node(name, site, number, f"10.{net}.{index}.{number}", components, nodes_dir / name / "root")
    return nodes
