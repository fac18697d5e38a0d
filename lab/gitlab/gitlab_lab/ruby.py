"""Stands in for the package's Ruby, for four programs: the digest of a node's secrets, whatever the order of their keys;
those of its passwords, keyed with its secrets; whether a file of settings is Ruby; what the last reconfigure was told.

There is no Ruby in the lab. What any other program would do is not known here, and is refused as a missing Ruby would.
"""

import hashlib
import hmac
import json
import os
import re
import sys

from gitlab_lab import gitlab_rb

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
    elif "RubyVM::InstructionSequence.compile_file" in program and len(rest) == 1:
        compiles(*rest)
    elif "geo_secondary geo_logcursor geo_postgresql" in program and len(rest) == 1:
        applied(*rest)
    else:
        print("ruby: not in the lab", file=sys.stderr)
        sys.exit(127)


def canonical(path):
    with open(path, encoding="utf-8") as file:
        return json.dumps(json.load(file), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def compiles(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        gitlab_rb.parse(text)
    except gitlab_rb.ConfigError as error:
        if "syntax error" in str(error):
            sys.exit("this is no Ruby: line " + ", ".join(re.findall(r":(\d+):", str(error))))


def attributes(nodes):
    names = os.listdir(nodes) if os.path.isdir(nodes) else []
    files = [f"{nodes}/{name}" for name in names if name.endswith(".json")]
    if not files:
        sys.exit("the node was never reconfigured")
    with open(max(files, key=os.path.getmtime)) as file:
        normal = json.load(file).get("normal")
    if normal is None:
        sys.exit("the last reconfigure did not end")
    return {**normal, **normal.get("gitlab", {})}


def applied(nodes):
    everything = attributes(nodes)

    def is_on(*keys):
        found = everything
        for key in keys:
            found = (found.get(key) or found.get(key.replace("_", "-"))) if isinstance(found, dict) else None
        return found is True

    flags = {part: is_on(part, "enable") for part in ("geo_secondary", "geo_logcursor", "geo_postgresql")}
    print(json.dumps({**flags, "patroni['standby_cluster']": is_on("patroni", "standby_cluster", "enable")}))


def passwords(secrets, nodes):
    key, everything, found = canonical(secrets), attributes(nodes), {}
    for part, names in SETTINGS.items():
        for name in names:
            value = everything.get(part, {}).get(name)
            if isinstance(value, str) and value:
                found[f"{part.replace('-', '_')}.{name}"] = hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]
    print(json.dumps(found))
