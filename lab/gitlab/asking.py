"""What faults share: finding nodes, asking databases past their wrappers, and marks that the stand-ins look for."""

import json
import time

from infra import boot
from infra.host import LabError

BIN = "/opt/gitlab/embedded/bin"
FAULT_DIR = "opt/gitlab/lab/faults"
STARTS_WITHIN = 30
KEPT = "opt/gitlab/lab/kept"            # what a fault took away, until it is healed


def node_of(lab, site, component):
    return next(node for node in lab.nodes.values() if node.site == site and component in node.components)


def _is_starting(node, service):
    """Whether runit means the server to run: then it answers soon, after a boot for example."""
    stat = node.root / f"opt/gitlab/sv/{service}/supervise/stat"
    return ((node.root / f"opt/gitlab/service/{service}").is_symlink() and not (stat.exists() and stat.read_text().startswith("down"))
            and (node.root / "etc/systemd/system/multi-user.target.wants/gitlab-runsvdir.service").is_symlink()
            and not (node.root / "etc/systemd/system/gitlab-runsvdir.service").is_symlink())


def sql(lab, node, statement, geo=False, check=True):
    """What PostgreSQL answers, past gitlab-psql: that one may be under a fault itself. Waits for a server that is starting."""
    place, port, database = ("geo-postgresql", "5431", "gitlabhq_geo_production") if geo else ("postgresql", "5432", "gitlabhq_production")
    line = [f"{BIN}/chpst", "-u", "gitlab-psql:gitlab-psql", f"{BIN}/psql", "-h", f"/var/opt/gitlab/{place}", "-p", port,
            "-d", database, "-v", "ON_ERROR_STOP=1", "-qAtc", statement]
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        done = lab.exec(node, line, check=False)
        if done.returncode != 2 or time.monotonic() > deadline or not _is_starting(node, place):
            break
        time.sleep(0.2)
    if check and done.returncode:
        raise LabError(f"the database of {node.name} did not do it: {done.stderr.strip()}")
    return done.stdout.strip()


def databases(lab):
    """(site, node of its database, what pg_is_in_recovery says) of every site whose database answers."""
    for site in lab.sites:
        node = node_of(lab, site, "postgresql")
        if boot.is_running(lab, node):
            answer = sql(lab, node, "SELECT pg_is_in_recovery()", check=False)
            if answer:
                yield site, node, answer


def secondary(lab):
    """The site whose database is a standby; the second one when that cannot be seen."""
    return next((site for site, _, recovery in databases(lab) if recovery == "t"), lab.sites[1])


def mark(node, name, arguments=()):
    directory = node.root / FAULT_DIR
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(json.dumps(list(arguments)) + "\n")


def unmark(node, name):
    (node.root / FAULT_DIR / name).unlink(missing_ok=True)


def marked(node, name):
    try:
        return json.loads((node.root / FAULT_DIR / name).read_text())
    except (OSError, ValueError):
        return []


def marker(name):
    """Inject and heal of a fault that is only a file which the stand-ins look for."""
    return (lambda _lab, node, args: mark(node, name, args)), (lambda _lab, node, args: unmark(node, name))
