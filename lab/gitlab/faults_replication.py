"""The faults of replication: pauses, slots, passwords, base backups. Called as the functions of gitlab/faults.py are."""

import json
import os
import re

from gitlab.asking import BIN, KEPT, databases, mark, marker, node_of, secondary, sql
from gitlab.gitlab_rb_template import PASSWORDS, md5_hash
from infra import boot
from infra.host import LabError, poll

PITR_FILE = "var/opt/gitlab/postgresql/data/geo-pitr-file"
RESUME = """DO $$ BEGIN IF pg_is_in_recovery() THEN PERFORM pg_wal_replay_resume();
    ELSE UPDATE geo_nodes SET enabled = true WHERE NOT enabled; END IF; END $$"""
SLOTS = "SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'physical'"


# Pauses

def pause_replay(lab, _target, _args):
    lab.exec(node_of(lab, secondary(lab), "postgresql"), ["gitlab-ctl", "geo-replication-pause"])


def resume_replay(lab, _target, _args):
    """Also after a promotion, when there is nothing to resume: what is left then is the file. In SQL, so that neither a hung
    command nor a cut network leaves half a pause behind."""
    for _, node, _ in databases(lab):
        try:
            sql(lab, node, RESUME)
        except LabError:
            # Stopped since it was asked, as the guard does with a former primary that boots: as one that did not answer.
            if sql(lab, node, "SELECT 1", check=False):
                raise
    remove_pitr_file(lab, None, [])


def leave_pitr_file(lab, _target, _args):
    """The file of a pause that ended: replay is running, the file names the position of the pause."""
    node = node_of(lab, secondary(lab), "postgresql")
    position = sql(lab, node, "SELECT pg_last_wal_replay_lsn()")
    path = node.root / PITR_FILE
    path.write_text(position)
    owner = path.parent.stat()
    os.chown(path, owner.st_uid, owner.st_gid)


def remove_pitr_file(lab, _target, _args):
    for site in lab.sites:
        (node_of(lab, site, "postgresql").root / PITR_FILE).unlink(missing_ok=True)


def postgresql_down(lab, site, _args):
    lab.exec(node_of(lab, site, "postgresql"), ["gitlab-ctl", "stop", "postgresql"], timeout=120)


def postgresql_up(lab, site, _args):
    """A node that is down starts its database when it boots; one whose GitLab is disabled keeps it stopped."""
    node = node_of(lab, site, "postgresql")
    if boot.is_running(lab, node) and lab.exec(node, [f"{BIN}/sv", "start", "/opt/gitlab/service/postgresql"], check=False).returncode == 0:
        poll(lambda: sql(lab, node, "SELECT 1", check=False) == "1", 40, f"the database of {node.name} to answer", interval=0.2)


# What meets a standby that connects, and one that is seeded

def _primaries(lab):
    """The databases that take writes: the settings of replication are theirs."""
    found = [node for _, node, recovery in databases(lab) if recovery == "f"]
    if not found:
        raise LabError("no database takes writes now")
    return found


def drop_slots(lab, _target, _args):
    for node in _primaries(lab):
        kept = node.root / KEPT / "slots"
        names = sorted({*sql(lab, node, SLOTS).split(), *(kept.read_text().split() if kept.exists() else ())})
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text("\n".join(names))

        def gone(node=node):
            # A standby that is connected holds its slot, and connects again at once.
            sql(lab, node, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active")
            sql(lab, node, f"SELECT pg_drop_replication_slot(slot_name) FROM ({SLOTS} AND NOT active) AS idle", check=False)
            return not sql(lab, node, SLOTS)

        poll(gone, 20, f"the slots of {node.name} to be dropped", interval=0.1)


def make_slots(lab, _target, _args):
    """Streaming goes on where it was, as long as the primary still has the WAL."""
    for _, node, _ in databases(lab):
        kept = node.root / KEPT / "slots"
        for name in kept.read_text().split() if kept.exists() else ():
            if name not in sql(lab, node, SLOTS).split():
                sql(lab, node, f"SELECT pg_create_physical_replication_slot('{name}')")
        kept.unlink(missing_ok=True)


def _set_password(lab, password):
    for node in _primaries(lab):
        sql(lab, node, f"ALTER ROLE gitlab_replicator PASSWORD 'md5{md5_hash('gitlab_replicator', password)}'")


def other_password(lab, _target, _args):
    _set_password(lab, PASSWORDS["replication"] + "-changed")


def same_password(lab, _target, _args):
    _set_password(lab, PASSWORDS["replication"])


def slow_backup(_lab, node, args):
    rate = args[0] if args else "2M"
    if not re.fullmatch(r"[1-9][0-9]{0,5}[kM]", rate):
        raise LabError(f"{rate!r} is not a rate: give for example 256k or 2M, bytes a second")
    mark(node, "slow-basebackup", [rate])


def kill_backup(_lab, node, args):
    percent = args[0] if args else "50"
    if not percent.isdigit() or not 0 <= int(percent) <= 99:
        raise LabError(f"{percent!r} is not a percentage between 0 and 99")
    mark(node, "basebackup-killed", [percent])


def _fault(name, usage, text, inject, heal, late=True):
    return {"name": name, "usage": usage, "text": text, "inject": inject, "heal": heal, "late": late}


FAULTS = [
    _fault("pause-replay", "", "replay on the standby is paused with gitlab-ctl, which leaves a point-in-time file", pause_replay, resume_replay),
    _fault("leftover-pitr-file", "", "a point-in-time file lies on the standby although replay is running", leave_pitr_file, remove_pitr_file),
    _fault("slot-missing", "", "the primary's replication slots are dropped: no standby streams, WAL is not kept", drop_slots, make_slots),
    _fault("replication-password", "", "the primary has another password for gitlab_replicator than is known", other_password, same_password),
    _fault("slow-basebackup", "NODE [RATE]", "a base backup to the node is throttled (default 2M bytes a second)", slow_backup, marker("slow-basebackup")[1]),
    _fault("basebackup-killed", "NODE [PERCENT]", "a base backup to the node is killed in the middle (default at 50)", kill_backup,
           marker("basebackup-killed")[1]),
    _fault("postgresql-down", "SITE", "the database of a site is stopped", postgresql_down, postgresql_up, late=False),
]
