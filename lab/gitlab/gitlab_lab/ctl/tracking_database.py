"""What a reconfigure does for the tracking database: makes the server and an empty database, and leaves the tables to Rails.

A site that was never a secondary gets its tracking database this way, and one whose database
was dropped gets it back. `gitlab_rails['auto_migrate'] = false`, so the tables come with `gitlab-rake db:migrate:geo` only.
"""

import errno
import os
import time

from gitlab_lab import paths
from gitlab_lab.ctl import render_postgresql as render, services
from gitlab_lab.ctl.output import capture

BIN = "/opt/gitlab/embedded/bin"
DATA = paths.GEO_PG_DIR + "/data"
DATABASE = "gitlabhq_geo_production"


def _as_owner(*argv):
    code, output, errors = capture([f"{BIN}/chpst", "-u", "gitlab-psql:gitlab-psql", *argv])
    if code:
        raise OSError(code, (errors or output).strip().splitlines()[-1], argv[0])
    return output.strip()


def initialise(config):
    """The data directory, before the server starts on it; only on a running node."""
    if paths.ROOT or "geo-postgresql" not in config.services or os.path.exists(DATA + "/PG_VERSION"):
        return False
    paths.directory(paths.GEO_PG_DIR, 0o2775, "gitlab-psql")
    _as_owner(f"{BIN}/initdb", "-D", DATA, "-U", "gitlab-psql", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-A", "peer", "--data-checksums")
    _as_owner(*render.certificate_command(DATA))
    return True


def _sql(sql, database="template1"):
    return _as_owner(f"{BIN}/psql", "-h", paths.GEO_PG_DIR, "-p", "5431", "-d", database, "-v", "ON_ERROR_STOP=1", "-qAtc", sql)


def create(config, started):
    """The role and the database, once the server answers; says what was made. `started`: this reconfigure enabled the service."""
    if paths.ROOT or "geo-postgresql" not in config.services or not (started or services.running("geo-postgresql")):
        return []                   # stopped by the operator: a reconfigure does not start it
    deadline = time.monotonic() + 30
    while capture([f"{BIN}/pg_isready", "-q", "-h", paths.GEO_PG_DIR, "-p", "5431"])[0]:
        if time.monotonic() > deadline:
            raise OSError(errno.ETIMEDOUT, "PostgreSQL did not answer", DATA)
        time.sleep(0.2)
    made = []
    if not _sql("SELECT 1 FROM pg_roles WHERE rolname = 'gitlab_geo'"):
        _sql(f"CREATE ROLE gitlab_geo LOGIN PASSWORD 'md5{config.get('geo_postgresql', 'sql_user_password', '')}'")
        made.append("postgresql_user[gitlab_geo] action create")
    if not _sql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"):
        _sql(f"CREATE DATABASE {DATABASE} OWNER gitlab_geo")
        made.append(f"postgresql_database[{DATABASE}] action create")
    return made
