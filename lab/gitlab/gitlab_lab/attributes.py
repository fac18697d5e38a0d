"""The attribute file that every reconfigure deletes first and writes last.

A reconfigure that ends in between leaves a stub of 30 to 40 bytes, and the
commands that look at the roles of the node refuse to work until the next
complete reconfigure.
"""

import json
import os

from gitlab_lab import paths


class Missing(Exception):
    """The node has no attribute file, or only the stub."""


def file():
    return f"{paths.NODES_DIR}/{paths.fqdn()}.json"


def begin():
    """The start of a reconfigure: only the stub is left."""
    paths.directory(paths.NODES_DIR, 0o700)
    paths.write(file(), json.dumps({"name": paths.fqdn()}), 0o600)


def finish(settings, services, overrides):
    """The end of a complete reconfigure."""
    normal = {
        "gitlab": {name.replace("_", "-"): value for name, value in settings.items() if name != "roles"},
        "roles": {role: {"enable": True} for role in settings.get("roles", [])},
        "package": {"install-dir": "/opt/gitlab", "version": "19.3.0"},
        "runit": {"sv_dir": paths.SV_DIR, "service_dir": paths.SERVICE_DIR, "services": services},
        "monitoring": {name: {"enable": False} for name in ("prometheus", "alertmanager", "node-exporter")},
        "cinc_guid": "8ab4c1b2-5d2e-4f0c-9a53-0b8f7a1c2d3e",
        "tags": [],
    }
    automatic = {
        "fqdn": paths.fqdn(),
        "platform": "debian",
        "platform_version": "12",
        "recipes": ["gitlab-ee", "gitlab-ee::default", "gitlab::default", "gitlab-ee::geo", "package::runit"],
        "roles": [],
        "cookbooks": {name: {"version": "0.0.1"} for name in ("gitlab", "gitlab-ee", "package", "postgresql", "gitaly", "redis")},
    }
    document = {
        "name": paths.fqdn(),
        "chef_environment": "_default",
        "normal": normal,
        "override": overrides,
        "automatic": automatic,
        "run_list": ["recipe[gitlab-ee]"],
    }
    paths.write(file(), json.dumps(document, indent=2) + "\n", 0o600)


def load():
    """The attributes, or the exception that the real commands raise."""
    try:
        names = [name for name in os.listdir(paths.at(paths.NODES_DIR)) if name.endswith(".json")]
    except OSError:
        names = []
    if not names:
        raise Missing(f"Node attributes JSON file not found in {paths.NODES_DIR}, has reconfigure been run yet?")
    try:
        document = json.loads(paths.read(file()))
    except (OSError, ValueError):
        document = {}
    if "normal" not in document:
        raise Missing(f"Attributes not found in {file()}, has reconfigure been run yet?")
    return document
