"""The faults of the GitLab layer. Each function may run twice; each has one that heals.

Called with the lab, the node (or the name of the site, or None) and the
further arguments, as the usage says.
"""

import json

from gitlab import faults_replication, install
from gitlab.asking import KEPT, mark, marked, marker, sql, unmark
from infra.host import LabError

GITLAB_RB = "etc/gitlab/gitlab.rb"
CLUSTER_FILE = "etc/gitlab/gitlab-cluster.json"
BREAKING_LINE = "gitlab_rails['broken' = true   # fault reconfigure-fails\n"
FAILED_UPLOAD, MISSING_UPLOADS = 7, (12, 13, 14)


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
    commands = marked(node, "hung-command")
    mark(node, "hung-command", [*commands, *(word for word in args if word not in commands)])


def unhang_command(_lab, node, args):
    """Commands that hang already go on hanging, as a real one would."""
    left = [command for command in marked(node, "hung-command") if command not in args]
    mark(node, "hung-command", left) if left else unmark(node, "hung-command")


def hang_probe(lab, node, _args):
    hang_command(lab, node, ["gitlab-ctl status"])


def unhang_probe(lab, node, _args):
    unhang_command(lab, node, ["gitlab-ctl status"])


def hang_service(lab, node, args):
    if not args or not (node.root / "opt/gitlab/sv" / args[0]).is_dir():
        raise LabError(f"hung-service needs a service of {node.name}: fault hung-service NODE SVC")
    services = marked(node, "hung-service")
    mark(node, "hung-service", [*services, *(name for name in args if name not in services)])
    _rewrite_control(node, args)


def unhang_service(lab, node, args):
    left = [name for name in marked(node, "hung-service") if name not in args]
    mark(node, "hung-service", left) if left else unmark(node, "hung-service")
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

def _tracking(lab, statement):
    """In every tracking database that is in use; without one there is nothing to break."""
    for node in lab.nodes.values():
        if "tracking-db" in node.components and (node.root / "opt/gitlab/service/geo-postgresql").is_symlink():
            sql(lab, node, statement, geo=True)


def _mark_sidekiq(name, on):
    def act(lab, target, args):
        sites = [target] if target in lab.sites else lab.sites
        for node in lab.nodes.values():
            if "sidekiq" in node.components and node.site in sites:
                mark(node, name, args) if on else unmark(node, name)
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


FAULTS = faults_replication.FAULTS + [
    _fault("reconfigure-fails", "NODE", "gitlab.rb has a syntax error", break_reconfigure, mend_reconfigure),
    _fault("hung-command", "NODE CMD", "a command never returns, e.g. 'gitlab-ctl geo promote' or 'gitlab-rake gitlab:geo'", hang_command, unhang_command),
    _fault("hung-probe", "NODE", "gitlab-ctl status never returns", hang_probe, unhang_probe),
    _fault("garbage", "NODE", "gitlab-ctl status and gitlab-psql print binary garbage and exit 0", *marker("garbage")),
    _fault("hung-service", "NODE SVC", "a service ignores TERM", hang_service, unhang_service),
    _fault("empty-cluster-json", "NODE", "gitlab-cluster.json has 0 bytes, as a full disk leaves it", empty_cluster_file, remove_cluster_file),
    _fault("stub-attributes", "NODE", "the attribute file is the stub of an interrupted reconfigure", stub_attributes, restore_attributes,
           late=True),
    _fault("stale-status", "SITE", "the status row of a site is not updated any more", _mark_sidekiq("stale-status", True), _mark_sidekiq("stale-status", False)),
    _fault("missing-registry-rows", "", "three uploads have no registry row; the status still says 100 %", delete_registry_rows, restore_registry_rows, late=True),
    _fault("failed-registry-row", "", "one upload failed to replicate", fail_registry_row, mend_registry_row, late=True),
    _fault("slow-replicator", "", "every Geo job takes five seconds longer", _mark_sidekiq("slow-replicator", True), _mark_sidekiq("slow-replicator", False)),
]
