"""The database part of a promotion, with its point-in-time trap."""

import time

from gitlab_lab import paths
from gitlab_lab.ctl import services
from gitlab_lab.ctl.output import capture, out, result, run, start

PSQL = "/opt/gitlab/bin/gitlab-psql"
PITR_FILE = paths.PG_DATA + "/geo-pitr-file"
GEO_CONF = paths.PG_DATA + "/gitlab-geo.conf"


def query(sql, database="gitlabhq_production"):
    """What the commands ask PostgreSQL; raises with psql's own words."""
    code, output, errors = capture([PSQL, "-d", database, "-c", sql, "-q", "-t"])
    if code:
        raise RuntimeError(errors.strip() or output.strip())
    return output.strip()


def if_in_recovery():
    try:
        answer = query("SELECT pg_is_in_recovery();")
    except RuntimeError as error:
        raise RuntimeError(f"Unable to check if PostgreSQL is in recovery {error}") from error
    if answer != "t":
        return
    message = "Promoting the PostgreSQL to end standby mode and begin read-write operations"
    start(message)
    out()
    promote()
    result(message, True)


def promote():
    """Says that it succeeded without looking: after a point-in-time recovery it may not have."""
    try:
        lsn = paths.read(PITR_FILE).strip()
    except OSError:
        lsn = ""
    time.sleep(paths.pace("promote_pg"))
    if lsn:
        out(f"Recovery to point {lsn} and promoting...")
        paths.write(GEO_CONF, f"recovery_target_lsn = '{lsn}'\nrecovery_target_action = 'promote'\n", 0o640, "gitlab-psql")
        services.restart_and_report("postgresql")
    else:
        out("Promoting the PostgreSQL read-only replica to primary...")
        run(["/opt/gitlab/embedded/bin/gitlab-pg-ctl", "promote"])
    out("The database is successfully promoted!")
