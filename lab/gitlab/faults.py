"""The faults of the GitLab layer. Each function may run twice; each has one that heals.

Called with the lab, the node (or the name of the site, or None) and the
further arguments, as the usage says.
"""

import json
import os

from gitlab import install
from infra import boot
from infra.host import LabError, poll

BIN = "/opt/gitlab/embedded/bin"
FAULT_DIR = "opt/gitlab/lab/faults"
GITLAB_RB = "etc/gitlab/gitlab.rb"
CLUSTER_FILE = "etc/gitlab/gitlab-cluster.json"
KEPT = "opt/gitlab/lab/kept"            # what a fault took away, until it is healed
PITR_FILE = "var/opt/gitlab/postgresql/data/geo-pitr-file"
BREAKING_LINE = "gitlab_rails['broken' = true   # fault reconfigure-fails\n"
FAILED_UPLOAD, MISSING_UPLOADS = 7, (12, 13, 14)


def _node(lab, site, component):
    return next(node for node in lab.nodes.values() if node.site == site and component in node.components)


def _sql(lab, node, sql, geo=False, check=True):
    """What PostgreSQL answers, past gitlab-psql: that one may be under a fault itself."""
    place, port, database = ("geo-postgresql", "5431", "gitlabhq_geo_production") if geo else ("postgresql", "5432", "gitlabhq_production")
    return lab.exec(node, [f"{BIN}/chpst", "-u", "gitlab-psql:gitlab-psql", f"{BIN}/psql", "-h", f"/var/opt/gitlab/{place}", "-p", port,
                           "-d", database, "-v", "ON_ERROR_STOP=1", "-qAtc", sql], check=check).stdout.strip()


def _databases(lab):
    """(site, node of its database, what pg_is_in_recovery says) of every site whose database answers."""
    for site in lab.sites:
        node = _node(lab, site, "postgresql")
        if boot.is_running(lab, node):
            answer = _sql(lab, node, "SELECT pg_is_in_recovery()", check=False)
            if answer:
                yield site, node, answer


def _secondary(lab):
    """The site whose database is a standby; the second one when that cannot be seen."""
    return next((site for site, _, recovery in _databases(lab) if recovery == "t"), lab.sites[1])


def _mark(node, name, arguments=()):
    directory = node.root / FAULT_DIR
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(json.dumps(list(arguments)) + "\n")


def _unmark(node, name):
    (node.root / FAULT_DIR / name).unlink(missing_ok=True)


def _marked(node, name):
    try:
        return json.loads((node.root / FAULT_DIR / name).read_text())
    except (OSError, ValueError):
        return []


# Replication

def pause_replay(lab, _target, _args):
    lab.exec(_node(lab, _secondary(lab), "postgresql"), ["gitlab-ctl", "geo-replication-pause"])


def resume_replay(lab, _target, _args):
    """Also after a promotion, when there is nothing to resume: what is left then is the file. In SQL, so that neither a hung
    command nor a cut network leaves half a pause behind."""
    for _, node, recovery in _databases(lab):
        _sql(lab, node, "SELECT pg_wal_replay_resume()" if recovery == "t" else "UPDATE geo_nodes SET enabled = true WHERE NOT enabled")
    remove_pitr_file(lab, None, [])


def leave_pitr_file(lab, _target, _args):
    """The file of a pause that ended: replay is running, the file names the position of the pause."""
    node = _node(lab, _secondary(lab), "postgresql")
    position = _sql(lab, node, "SELECT pg_last_wal_replay_lsn()")
    path = node.root / PITR_FILE
    path.write_text(position)
    owner = path.parent.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


def remove_pitr_file(lab, _target, _args):
    for site in lab.sites:
        (_node(lab, site, "postgresql").root / PITR_FILE).unlink(missing_ok=True)


def postgresql_down(lab, site, _args):
    lab.exec(_node(lab, site, "postgresql"), ["gitlab-ctl", "stop", "postgresql"], timeout=120)


def postgresql_up(lab, site, _args):
    """A node that is down starts its database when it boots; one whose GitLab is disabled keeps it stopped."""
    node = _node(lab, site, "postgresql")
    if boot.is_running(lab, node) and lab.exec(node, [f"{BIN}/sv", "start", "/opt/gitlab/service/postgresql"], check=False).returncode == 0:
        poll(lambda: _sql(lab, node, "SELECT 1", check=False) == "1", 40, f"the database of {node.name} to answer", interval=0.2)


# Commands that fail, hang or talk nonsense

def break_reconfigure(_lab, node, _args):
    path = node.root / GITLAB_RB
    text = path.read_text()
    if BREAKING_LINE not in text:
        path.write_text(text + BREAKING_LINE)


def mend_reconfigure(_lab, node, _args):
    path = node.root / GITLAB_RB
    path.write_text(path.read_text().replace(BREAKING_LINE, ""))


def hang_command(_lab, node, args):
    if not args:
        raise LabError("hung-command needs a command, quoted as one word: fault hung-command NODE 'gitlab-ctl geo promote'")
    commands = _marked(node, "hung-command")
    _mark(node, "hung-command", [*commands, *(word for word in args if word not in commands)])


def unhang_command(_lab, node, args):
    """Commands that hang already go on hanging, as a real one would."""
    left = [command for command in _marked(node, "hung-command") if command not in args]
    _mark(node, "hung-command", left) if left else _unmark(node, "hung-command")


def hang_probe(lab, node, _args):
    hang_command(lab, node, ["gitlab-ctl status"])


def unhang_probe(lab, node, _args):
    unhang_command(lab, node, ["gitlab-ctl status"])


def _marker(name):
    """Inject and heal of a fault that is only a file which the stand-ins look for."""
    return (lambda _lab, node, args: _mark(node, name, args)), (lambda _lab, node, args: _unmark(node, name))


def hang_service(lab, node, args):
    if not args or not (node.root / "opt/gitlab/sv" / args[0]).is_dir():
        raise LabError(f"hung-service needs a service of {node.name}: fault hung-service NODE SVC")
    services = _marked(node, "hung-service")
    _mark(node, "hung-service", [*services, *(name for name in args if name not in services)])
    _rewrite_control(node, args)


def unhang_service(lab, node, args):
    left = [name for name in _marked(node, "hung-service") if name not in args]
    _mark(node, "hung-service", left) if left else _unmark(node, "hung-service")
    _rewrite_control(node, args)


def _rewrite_control(node, services):
    with install.as_node(node):
        from gitlab_lab.ctl import runit
        for name in services:
            runit.write_control(name)


def _keep(node, path):
    """Puts a file of the node aside, once: a second injection finds only what the first one left there."""
    kept = node.root / KEPT / path.name
    if path.exists() and not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        path.rename(kept)


def _give_back(node, path, broken):
    """Puts it back if the fault's trace is still there; a file that was mended meanwhile stays."""
    kept = node.root / KEPT / path.name
    if not path.exists() or broken(path.read_text()):
        path.unlink(missing_ok=True)
        if kept.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            kept.rename(path)
    kept.unlink(missing_ok=True)


def empty_cluster_file(_lab, node, _args):
    path = node.root / CLUSTER_FILE
    if not path.exists() or path.read_text().strip():
        _keep(node, path)
    path.write_text("")


def remove_cluster_file(_lab, node, _args):
    path = node.root / CLUSTER_FILE
    if path.exists():
        _give_back(node, path, lambda text: not text.strip())
    else:                                   # the operator removed it, as one should
        (node.root / KEPT / path.name).unlink(missing_ok=True)


def _attributes(node):
    return node.root / f"opt/gitlab/embedded/nodes/{node.fqdn}.json"


def _is_stub(text):
    return '"normal"' not in text


def stub_attributes(_lab, node, _args):
    path = _attributes(node)
    if path.exists() and not _is_stub(path.read_text()):
        _keep(node, path)
    path.write_text(json.dumps({"name": node.fqdn}))


def restore_attributes(lab, node, _args):
    """Without a reconfigure: that fails under half of the other faults. Only what another cut reconfigure left needs one."""
    path = _attributes(node)
    _give_back(node, path, _is_stub)
    if not path.exists():
        lab.exec(node, ["gitlab-ctl", "reconfigure"], timeout=300)


# What Geo believes about itself

def _tracking(lab, sql):
    """In every tracking database that is in use; without one there is nothing to break."""
    for node in lab.nodes.values():
        if "tracking-db" in node.components and (node.root / "opt/gitlab/service/geo-postgresql").is_symlink():
            _sql(lab, node, sql, geo=True)


def _mark_sidekiq(name, on):
    def act(lab, target, args):
        sites = [target] if target in lab.sites else lab.sites
        for node in lab.nodes.values():
            if "sidekiq" in node.components and node.site in sites:
                _mark(node, name, args) if on else _unmark(node, name)
    return act


def delete_registry_rows(lab, target, args):
    _mark_sidekiq("missing-registry-rows", True)(lab, target, args)
    _tracking(lab, f"DELETE FROM file_registry WHERE file_id IN {MISSING_UPLOADS}")


def restore_registry_rows(lab, target, args):
    _mark_sidekiq("missing-registry-rows", False)(lab, target, args)
    for number in MISSING_UPLOADS:
        _tracking(lab, "INSERT INTO file_registry (file_id, state, last_synced_at, verification_state, verified_at)"
                       f" VALUES ({number}, 2, now(), 2, now()) ON CONFLICT (file_id) DO UPDATE SET state = 2, verification_state = 2")


def fail_registry_row(lab, _target, _args):
    _tracking(lab, "UPDATE file_registry SET state = 3, retry_count = 5, retry_at = now() + interval '1 hour',"
                   " last_sync_failure = 'The file is missing on the Geo primary site', verification_state = 0"
                   f" WHERE file_id = {FAILED_UPLOAD}")


def mend_registry_row(lab, _target, _args):
    _tracking(lab, "UPDATE file_registry SET state = 2, retry_count = 0, retry_at = NULL, last_sync_failure = NULL, verification_state = 2"
                   f" WHERE file_id = {FAILED_UPLOAD}")


def _fault(name, usage, text, inject, heal, late=False):
    return {"name": name, "usage": usage, "text": text, "inject": inject, "heal": heal, "late": late}


FAULTS = [
    _fault("pause-replay", "", "replay on the standby is paused with gitlab-ctl, which leaves a point-in-time file", pause_replay, resume_replay, late=True),
    _fault("leftover-pitr-file", "", "a point-in-time file lies on the standby although replay is running", leave_pitr_file, remove_pitr_file),
    _fault("postgresql-down", "SITE", "the database of a site is stopped", postgresql_down, postgresql_up),
    _fault("reconfigure-fails", "NODE", "gitlab.rb has a syntax error", break_reconfigure, mend_reconfigure),
    _fault("hung-command", "NODE CMD", "a command never returns, e.g. 'gitlab-ctl geo promote' or 'gitlab-rake gitlab:geo'", hang_command, unhang_command),
    _fault("hung-probe", "NODE", "gitlab-ctl status never returns", hang_probe, unhang_probe),
    _fault("garbage", "NODE", "gitlab-ctl status and gitlab-psql print binary garbage and exit 0", *_marker("garbage")),
    _fault("hung-service", "NODE SVC", "a service ignores TERM", hang_service, unhang_service),
    _fault("empty-cluster-json", "NODE", "gitlab-cluster.json has 0 bytes, as a full disk leaves it", empty_cluster_file, remove_cluster_file),
    _fault("stub-attributes", "NODE", "the attribute file is the stub of an interrupted reconfigure", stub_attributes, restore_attributes,
           late=True),
    _fault("stale-status", "SITE", "the status row of a site is not updated any more", _mark_sidekiq("stale-status", True), _mark_sidekiq("stale-status", False)),
    _fault("missing-registry-rows", "", "three uploads have no registry row; the status still says 100 %", delete_registry_rows, restore_registry_rows, late=True),
    _fault("failed-registry-row", "", "one upload failed to replicate", fail_registry_row, mend_registry_row, late=True),
    _fault("slow-replicator", "", "every Geo job takes five seconds longer", _mark_sidekiq("slow-replicator", True), _mark_sidekiq("slow-replicator", False)),
]
