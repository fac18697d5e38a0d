"""The files that a reconfigure writes for Rails, Redis and the wrappers."""

import json
import os

from gitlab_lab import paths
from gitlab_lab.ctl import render_postgresql


def everything(config):
    """Writes all files of the node and returns the names of the services to restart."""
    restarts = set()
    paths.directory("/etc/gitlab", 0o775)
    paths.directory("/opt/gitlab/etc", 0o755)
    paths.directory("/var/log/gitlab", 0o755)
    _rc_files(config)
    if config.has_rails:
        restarts |= _rails(config)
    if "gitaly" in config.services:
        restarts |= _gitaly(config)
    if "redis" in config.services:
        _redis(config)
    restarts |= render_postgresql.everything(config)
    _public_attributes(config)
    return restarts


def _rc_files(config):
    paths.write(
        "/opt/gitlab/etc/gitlab-psql-rc",
        f"psql_user='gitlab-psql'\npsql_group='gitlab-psql'\npsql_host='{paths.PG_DIR}'\npsql_port='5432'\n"
        "psql_dbname='gitlabhq_production'\n",
    )
    if config.has_rails:
        paths.write("/opt/gitlab/etc/gitlab-rails-rc", "gitlab_user='git'\ngitlab_group='git'\n")
    if "geo-postgresql" in config.services:
        paths.write(
            "/opt/gitlab/etc/gitlab-geo-psql-rc",
            f"psql_user='gitlab-psql'\npsql_group='gitlab-psql'\npsql_host='{paths.GEO_PG_DIR}'\npsql_port='5431'\n"
            "psql_dbname='gitlabhq_geo_production'\n",
        )
    if "redis" in config.services:
        password = config.get("redis", "password", "")
        paths.write(
            "/opt/gitlab/etc/gitlab-redis-cli-rc",
            f"redis_socket='/var/opt/gitlab/redis/redis.socket'\nREDISCLI_AUTH='{password}'\n",
            0o600,
        )


def database_yml(config):
    """The `geo:` section is there exactly when this site is configured as a secondary."""
    def section(name, database, host, port, user, password):
        return (
            f"  {name}:\n    adapter: postgresql\n    encoding: unicode\n    database: {database}\n"
            f"    username: {json.dumps(user)}\n    password: {json.dumps(password)}\n"
            f"    host: {json.dumps(host)}\n    port: {port}\n    sslmode: prefer\n"
        )

    rails = "gitlab_rails"
    text = "production:\n" + section(
        "main", "gitlabhq_production", config.get(rails, "db_host", paths.PG_DIR), 5432, "gitlab",
        config.get(rails, "db_password", ""),
    )
    if config.get("geo_secondary", "enable"):
        text += section(
            "geo", "gitlabhq_geo_production", config.get("geo_secondary", "db_host", paths.GEO_PG_DIR), 5431,
            "gitlab_geo", config.get("geo_secondary", "db_password", ""),
        )
    return text


def _rails(config):
    """Puma, Sidekiq and the log cursor read these at their start, so a change restarts them."""
    dependents = {"puma", "sidekiq", "geo-logcursor"}
    etc = paths.RAILS_ETC
    rails = "gitlab_rails"
    paths.directory("/var/opt/gitlab/gitlab-rails", 0o755)
    paths.directory(etc, 0o755)
    paths.directory(paths.RAILS_ENV, 0o700)
    paths.write(f"{paths.RAILS_ENV}/HOME", "/var/opt/gitlab", 0o600)
    paths.write(f"{paths.RAILS_ENV}/RAILS_ENV", "production", 0o600)
    password = config.get(rails, "redis_password", "")
    host = config.get(rails, "redis_host", "127.0.0.1")
    changed = [
        paths.write(f"{etc}/database.yml", database_yml(config), 0o640, "root", "git"),
        paths.write(f"{etc}/resque.yml", f"production:\n  url: redis://:{password}@{host}:6379/\n", 0o640, "root", "git"),
        paths.write(
            f"{etc}/gitlab.yml",
            f"production:\n  gitlab:\n    url: {config.external_url}\n"
            f"  geo:\n    node_name: {json.dumps(config.geo_node_name)}\n"
            f"  gitaly:\n    address: {json.dumps(config.gitaly_address)}\n",
            0o640, "root", "git",
        ),
    ]
    return dependents if any(changed) else set()


def _gitaly(config):
    paths.directory("/var/opt/gitlab/git-data", 0o700, "git")
    paths.directory(paths.REPOSITORIES, 0o2770, "git")
    listen = config.get("gitaly", "configuration", {}).get("listen_addr", "127.0.0.1:8075")
    text = f"listen_addr = {json.dumps(listen)}\n\n[[storage]]\nname = \"default\"\npath = \"{paths.REPOSITORIES}\"\n"
    return {"gitaly"} if paths.write("/var/opt/gitlab/gitaly/config.toml", text, 0o640, "git") else set()


def _redis(config):
    paths.directory("/var/opt/gitlab/redis", 0o750, "gitlab-redis")
    password = config.get("redis", "password", "")
    paths.write(
        "/var/opt/gitlab/redis/redis.conf",
        f"bind {config.get('redis', 'bind', '127.0.0.1')}\nport 6379\nunixsocket /var/opt/gitlab/redis/redis.socket\n"
        f"unixsocketperm 770\ndir /var/opt/gitlab/redis\nrequirepass {password}\nsave 900 1\nappendonly yes\n"
        "appendfsync everysec\ndaemonize no\n",
        0o640,
        "gitlab-redis",
    )


def _public_attributes(config):
    document = {"gitlab": {"external-url": config.external_url}, "runit": {"service_dir": paths.SERVICE_DIR}}
    os.makedirs(paths.at("/var/opt/gitlab"), exist_ok=True)
    paths.write("/var/opt/gitlab/public_attributes.json", json.dumps(document, indent=2) + "\n")
