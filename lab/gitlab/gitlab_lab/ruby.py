"""Stands in for the package's Ruby, for one program: the digests of a node's passwords, keyed with its secrets.

There is no Ruby in the lab. What any other program would do is not known here, and is refused as a missing Ruby would.
"""

import glob
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
    if "-e" not in arguments or "OpenSSL::HMAC" not in arguments[arguments.index("-e") + 1]:
        print("ruby: not in the lab", file=sys.stderr)
        sys.exit(127)
    secrets, nodes = arguments[-2:]
    with open(secrets) as file:
        key = json.dumps(json.load(file), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    files = glob.glob(nodes + "/*.json")
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
