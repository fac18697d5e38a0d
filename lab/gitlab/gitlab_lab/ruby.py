"""Stands in for the package's Ruby, for two programs: the digest of a node's secrets, whatever the order of their keys, and
those of its passwords, keyed with its secrets.

There is no Ruby in the lab. What any other program would do is not known here, and is refused as a missing Ruby would.
"""

import hashlib
import hmac
import json
import os
import sys

SETTINGS = {
    "postgresql": ("sql_user_password", "sql_replication_password", "pgbouncer_user_password"),
    "gitlab-rails": ("db_password",), "gitlab_rails": ("db_password",), "patroni": ("password", "replication_password"),
}


def run():
    arguments = sys.argv[1:]
    program, *rest = arguments[arguments.index("-e") + 1:] if "-e" in arguments else [""]
    if "OpenSSL::HMAC" in program and len(rest) == 2:
        passwords(*rest)
    elif "Digest::SHA256" in program and len(rest) == 1:
        print(hashlib.sha256(canonical(*rest)).hexdigest())
    else:
        print("ruby: not in the lab", file=sys.stderr)
        sys.exit(127)


def canonical(path):
    with open(path, encoding="utf-8") as file:
        return json.dumps(json.load(file), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def passwords(secrets, nodes):
    key = canonical(secrets)
    names = os.listdir(nodes) if os.path.isdir(nodes) else []
    files = [f"{nodes}/{name}" for name in names if name.endswith(".json")]
    if not files:
        sys.exit("the node was never reconfigured")
    with open(max(files, key=os.path.getmtime)) as file:
        normal = json.load(file).get("normal")
    if normal is None:
        sys.exit("the last reconfigure did not end")
    everything, found = {**normal, **normal.get("gitlab", {})}, {}
    for part, names in SETTINGS.items():
        for name in names:
            value = everything.get(part, {}).get(name)
            if isinstance(value, str) and value:
                found[f"{part.replace('-', '_')}.{name}"] = hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]
    print(json.dumps(found))
