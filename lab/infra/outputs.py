"""What `up` writes for the operator and for geo-failover: inventory, hook, the lab's DNS, and the load balancers' settings."""
from __future__ import annotations

import shlex

from .lab import Lab, write_atomic
from .topology import OPERATOR, Node


def write_inventory(lab: Lab) -> None:
    state = lab.state
    lines = [
        f"# Inventory of the practice lab {lab.name}, written by `lab/lab up`.",
        "schema: 1",
        "deployment: lab",
        "objectives: { rto: 15m, rpo: 0s }",
        f"ssh: {{ user: {OPERATOR}, identity: {state}/id_ed25519, known_hosts: {state}/known_hosts, become: sudo }}",
        "database: { via: shell }",
        "sites:",
    ]
    for site in lab.sites:
        lines += [f"  {site}:", f"    url: {lab.url(site)}", f"    geo_node_name: {site}", "    nodes:"]
        here = [node for node in lab.nodes.values() if node.site == site]
        width = max(len(node.name) for node in here) + 1
        lines += [f"      {node.name + ':':{width}} {{ address: {node.address}, components: [{', '.join(node.components)}] }}" for node in here]
    lines += [
        "hooks:",
        f'  point-dns-at: {{ run: [{state}/hooks/point-dns-at, "{{site}}"], time_limit: 30s }}',
        'canary: { repository: "http://{url_host}/canary/canary.git" }',
    ]
    write_atomic(state / "inventory.yaml", "\n".join(lines) + "\n")


def write_dns(lab: Lab) -> None:
    """The site that users are sent to. Kept when it is there: an operator's failover must survive another `up`."""
    if not (lab.state / "dns").exists():
        write_atomic(lab.state / "dns", lab.sites[0] + "\n")


def write_hook(lab: Lab) -> None:
    hooks = lab.state / "hooks"
    hooks.mkdir(exist_ok=True)
    dns = shlex.quote(str(lab.state / "dns"))
    write_atomic(hooks / "point-dns-at", f"""#!/bin/sh
# Sends the lab's users to a site: `point-dns-at SITE`. In the lab, DNS is one file.
set -eu
case "${{1:-}}" in
  {' | '.join(lab.sites)}) ;;
  *) echo "point-dns-at: give one site: {' '.join(lab.sites)}" >&2; exit 64 ;;
esac
temporary=$(mktemp {dns}.XXXXXX)
trap 'rm -f "$temporary"' EXIT
echo "$1" >"$temporary"
chmod 644 "$temporary"
sync "$temporary"
mv "$temporary" {dns}
trap - EXIT
echo "users are now sent to $1"
""", 0o755)


def write_haproxy(lab: Lab, node: Node) -> None:
    """The load balancer of a site: its Rails nodes, asked for readiness; 503 when none is ready."""
    servers = "\n".join(
        f"    server {other.name} {other.address}:80 check"
        for other in lab.nodes.values() if other.site == node.site and "rails" in other.components)
    config = f"""global
    maxconn 512
    stats socket /run/haproxy.sock mode 600 level admin

defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    option redispatch
    retries 2

frontend gitlab
    bind :80
    default_backend rails

backend rails
    balance roundrobin
    option httpchk
    http-check send meth GET uri /-/readiness hdr Host {node.address}
    http-check expect status 200
    default-server inter 1s fastinter 500ms fall 2 rise 1
{servers}
"""
    target = node.root / "etc/haproxy/haproxy.cfg"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(config)
    service = node.root / "etc/service/haproxy"
    service.mkdir(parents=True, exist_ok=True)
    # -W is left out: one process, which runit's TERM ends at once.
    (service / "run").write_text("#!/bin/sh\nexec haproxy -db -q -f /etc/haproxy/haproxy.cfg >>/var/log/haproxy.log 2>&1\n")
    (service / "run").chmod(0o755)
