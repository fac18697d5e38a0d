"""geo-replication-pause and -resume: a rake call, an SQL call and the point-in-time file."""

import os

from gitlab_lab import paths
from gitlab_lab.ctl.output import capture, out
from gitlab_lab.ctl.promote_db import PITR_FILE, query

RAKE = "/opt/gitlab/bin/gitlab-rake"


def _database(arguments):
    for argument in arguments:
        if argument.startswith("--db_name="):
            return argument.split("=", 1)[1]
    return "gitlabhq_production"


def pause(arguments):
    database = _database(arguments)
    out("* Pausing replication")
    code, output, errors = capture([RAKE, "gitlab:geo:replication:pause"])
    if code:
        out(f"Rake encountered an error: Unable to pause replication from primary {(errors or output).strip()}")
    try:
        query("SELECT pg_wal_replay_pause();", database)
    except RuntimeError as error:
        out(f"Postgres encountered an error: Unable to pause postgres replication {error}")
        return 1
    out("* Replication paused")
    out("* Create Geo point-in-time recovery file")
    try:
        paths.write(PITR_FILE, query("SELECT pg_last_wal_replay_lsn();", database), 0o644, "gitlab-psql")
    except (OSError, RuntimeError) as error:
        out(f"Geo point-in-time recovery file encountered an error: {error}")
        query("SELECT pg_wal_replay_resume();", database)
        return 1
    return 0


def resume(arguments):
    out("* Resume replication")
    try:
        query("SELECT pg_wal_replay_resume();", _database(arguments))
    except RuntimeError as error:
        out(f"Postgres encountered an error: Unable to resume postgres replication {error}")
        return 1
    code, output, errors = capture([RAKE, "gitlab:geo:replication:resume"])
    if code:
        out(f"Rake encountered an error: Unable to resume replication from primary {(errors or output).strip()}")
        return 1
    out("* Replication resumed")
    out("* Remove Geo point-in-time recovery file")
    try:
        os.unlink(paths.at(PITR_FILE))
    except FileNotFoundError:
        pass
    return 0
