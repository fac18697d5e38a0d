"""What Rails reads at its start: database.yml, resque.yml, gitlab.yml. A process keeps what it read."""

import re

from gitlab_lab import paths


def _flat(name):
    """The `key: value` lines of a small YAML file, with the section they stand in."""
    section, values = "", {}
    for line in paths.read(f"{paths.RAILS_ETC}/{name}").splitlines():
        key, colon, value = line.strip().partition(":")
        if not colon:
            continue
        if not value.strip():
            section = key
        else:
            values[(section, key)] = value.strip().strip('"')
    return values


def databases():
    """{"main": {...}, "geo": {...}}, each as psycopg2 wants it; `geo` only on a site that is configured as secondary."""
    result = {}
    names = {"database": "dbname", "username": "user", "password": "password", "host": "host", "port": "port", "sslmode": "sslmode"}
    for (section, key), value in _flat("database.yml").items():
        if key in names:
            result.setdefault(section, {})[names[key]] = value
    return result


def redis_url():
    return _flat("resque.yml")[("production", "url")]


def redis_address():
    match = re.match(r"redis://:([^@]*)@([^:/]+):(\d+)", redis_url())
    return {"password": match[1] or None, "host": match[2], "port": int(match[3])}


def node_name():
    return _flat("gitlab.yml")[("geo", "node_name")]


def external_url():
    return _flat("gitlab.yml")[("gitlab", "url")]


def gitaly_address():
    return _flat("gitlab.yml")[("gitaly", "address")].removeprefix("tcp://")
