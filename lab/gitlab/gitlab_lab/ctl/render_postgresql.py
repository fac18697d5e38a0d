"""Configuration of the two PostgreSQL kinds: the application's and the tracking database."""

import os
import signal

from gitlab_lab import paths

COMMON = """# This file is managed by gitlab-ctl. Manual changes will be erased!
listen_addresses = '{listen}'
port = {port}
unix_socket_directories = '{directory}'
max_connections = {connections}
shared_buffers = {buffers}
dynamic_shared_memory_type = posix
logging_collector = off
log_line_prefix = ''
datestyle = 'iso, mdy'
timezone = 'Etc/UTC'
lc_messages = 'C.UTF-8'
default_text_search_config = 'pg_catalog.english'
ssl = on
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
"""

REPLICATION = """
wal_level = replica
hot_standby = on
hot_standby_feedback = off
max_wal_senders = 10
max_replication_slots = {slots}
wal_keep_size = 160MB
max_wal_size = 512MB
checkpoint_timeout = 5min
max_standby_archive_delay = 60s
max_standby_streaming_delay = 60s
wal_log_hints = on

include_if_exists = 'gitlab-geo.conf'
"""

IDENT = """# MAPNAME       SYSTEM-USERNAME         PG-USERNAME
gitlab  git  gitlab
gitlab  root  gitlab-psql
# Default to a 1-1 mapping between system usernames and Postgres usernames
gitlab  /^(.*)$  \\1
"""


def certificate_command(data):
    """Makes the server's self-signed certificate in its data directory, so that a base backup takes it along.
    Its name is `PostgreSQL`: sslmode verify-full never matches a host."""
    return ["/opt/gitlab/embedded/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "3650", "-subj", "/CN=PostgreSQL", "-keyout", f"{data}/server.key", "-out", f"{data}/server.crt"]


def everything(config):
    """Writes into data directories that exist; the first set-up creates them. Returns services to restart."""
    if "postgresql" in config.services:
        paths.directory(paths.PG_DIR, 0o2775, "gitlab-psql")
        _write(paths.PG_DATA, postgresql_conf(config), hba(config))
    if "geo-postgresql" in config.services:
        paths.directory(paths.GEO_PG_DIR, 0o2775, "gitlab-psql")
        _write(paths.GEO_PG_DIR + "/data", geo_postgresql_conf(config), geo_hba(config))
    return set()


def postgresql_conf(config):
    return COMMON.format(
        listen=config.get("postgresql", "listen_address", "127.0.0.1"), port=5432, directory=paths.PG_DIR,
        connections=config.get("postgresql", "max_connections", 100),
        buffers=config.get("postgresql", "shared_buffers", "32MB"),
    ) + REPLICATION.format(slots=config.get("postgresql", "max_replication_slots", 2))


def geo_postgresql_conf(config):
    return COMMON.format(
        listen=config.get("geo_postgresql", "listen_address", "127.0.0.1"), port=5431, directory=paths.GEO_PG_DIR,
        connections=60, buffers="16MB",
    )


def hba(config):
    lines = ["local   all         all                               peer map=gitlab"]
    for cidr in config.get("postgresql", "md5_auth_cidr_addresses", []):
        lines.append(f"host    all         all         {cidr}           md5")
        lines.append(f"host    replication gitlab_replicator {cidr}     md5")
    return "\n".join(lines) + "\n"


def geo_hba(config):
    lines = ["local   all         all                               peer map=gitlab"]
    lines += [f"host    all         all         {cidr}           md5"
              for cidr in config.get("geo_postgresql", "md5_auth_cidr_addresses", [])]
    return "\n".join(lines) + "\n"


def _write(data, conf, access):
    if not os.path.exists(paths.at(data + "/PG_VERSION")):
        return
    is_new = False
    for name, text in (("postgresql.conf", conf), ("pg_hba.conf", access), ("pg_ident.conf", IDENT)):
        is_new |= _content(f"{data}/{name}") != text
        paths.write(f"{data}/{name}", text, 0o600, "gitlab-psql")
    if is_new:
        _reload(data)


def _content(path):
    try:
        with open(paths.at(path), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _reload(data):
    """As Chef notifies `reload postgresql` when a template has changed and the service runs."""
    try:
        with open(paths.at(data + "/postmaster.pid"), encoding="utf-8") as file:
            os.kill(int(file.readline()), signal.SIGHUP)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        pass            # it does not run
