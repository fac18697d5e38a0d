"""Makes the databases, the repositories and the cron jobs of a lab whose nodes are running.

Each part looks first whether it is there already, so a second run repairs.
"""

import concurrent.futures
import os
import time
from pathlib import Path

from gitlab.gitlab_rb_template import PASSWORDS, md5_hash

HERE = Path(__file__).resolve().parent
BIN = "/opt/gitlab/embedded/bin"
DATA = "/var/opt/gitlab/postgresql/data"
GEO_DATA = "/var/opt/gitlab/geo-postgresql/data"
UPLOADS, LFS_OBJECTS = 14, 9
PROJECTS = ["canary/canary", "shop/web", "shop/api", "shop/mobile", "shop/infra", "shop/docs"]


def provision(lab):
    """Called once after the nodes were started; ends when both sites work."""
    primary, *secondaries = lab.sites
    find = {(node.site, part): node for node in lab.nodes.values() for part in node.components}
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        waiting = [pool.submit(_tracking_database, lab, find[site, "tracking-db"]) for site in secondaries]
        waiting.append(pool.submit(_repositories, lab, find[primary, "gitaly"]))
        waiting += [pool.submit(_cron, lab, find[site, "sidekiq"], "primary" if site == primary else "secondary") for site in lab.sites]
        _primary_database(lab, find[primary, "postgresql"])
        waiting.append(pool.submit(_backup, lab, find[primary, "rails"]))
        waiting += [pool.submit(_standby, lab, find[site, "postgresql"], find[primary, "postgresql"], site) for site in secondaries]
        for done in waiting:
            done.result()
    _wait_until_ready(lab, find[secondaries[0], "rails"])


def _backup(lab, node):
    """What last night's `gitlab-backup create` left; nothing in the lab reads more than its name and time."""
    lab.exec(node, ["sh", "-ec", "cd /var/opt/gitlab; install -d -m 0700 backups; ls backups | grep -q '_gitlab_backup[.]tar$' && exit;"
                    " tar -cf backups/$(date +%s_%Y_%m_%d)_19.3.0-ee_gitlab_backup.tar -C /opt/gitlab version-manifest.txt"])


def _user(lab, node, argv, **options):
    return lab.exec(node, [f"{BIN}/chpst", "-u", "gitlab-psql:gitlab-psql", *argv], **options)


def _initdb(lab, node, data):
    """Made under another name and renamed: runit is trying to start the server on the final one already."""
    _user(lab, node, [f"{BIN}/initdb", "-D", f"{data}.new", "-U", "gitlab-psql", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                      "-A", "peer", "--data-checksums"])
    _user(lab, node, _render().certificate_command(f"{data}.new"))
    _write_configuration(node, f"{data}.new", data)
    lab.exec(node, ["mv", f"{data}.new", data])


def _render():
    from gitlab import install  # noqa: F401, makes gitlab_lab importable
    from gitlab_lab.ctl import render_postgresql
    return render_postgresql


def _write_configuration(node, directory, data):
    """The files that every reconfigure of this node writes."""
    render = _render()
    from gitlab_lab import gitlab_rb
    from gitlab_lab.config import Config

    config = Config(gitlab_rb.parse((node.root / "etc/gitlab/gitlab.rb").read_text()))
    geo = data == GEO_DATA
    conf = render.geo_postgresql_conf(config) if geo else render.postgresql_conf(config)
    access = render.geo_hba(config) if geo else render.hba(config)
    owner = (node.root / directory.lstrip("/")).stat()
    for name, text in (("postgresql.conf", conf), ("pg_hba.conf", access), ("pg_ident.conf", render.IDENT)):
        path = node.root / directory.lstrip("/") / name
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, owner.st_uid, owner.st_gid)


def _exists(node, data):
    return (node.root / data.lstrip("/") / "PG_VERSION").exists()


def _sql(lab, node, sql, geo=False, database=None, variables=None):
    argv = ["/opt/gitlab/bin/gitlab-geo-psql" if geo else "/opt/gitlab/bin/gitlab-psql", "-v", "ON_ERROR_STOP=1", "-q", "-At"]
    for name, value in (variables or {}).items():
        argv += ["-v", f"{name}={value}"]
    return lab.exec(node, argv + (["-d", database] if database else []), input=sql).stdout.strip()


def _wait(lab, node, what, condition, seconds=40):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{node.name}: {what} did not come within {seconds} s")
        time.sleep(0.2)


def _answers(lab, node, geo=False):
    port, directory = ("5431", "geo-postgresql") if geo else ("5432", "postgresql")
    done = lab.exec(node, [f"{BIN}/pg_isready", "-q", "-h", f"/var/opt/gitlab/{directory}", "-p", port], check=False)
    return done.returncode == 0


def _primary_database(lab, node):
    primary, *secondaries = lab.sites
    if not _exists(node, DATA):
        _initdb(lab, node, DATA)
    _wait(lab, node, "PostgreSQL", lambda: _answers(lab, node))
    if _sql(lab, node, "SELECT count(*) FROM pg_database WHERE datname = 'gitlabhq_production'", database="template1") == "1":
        return
    _sql(lab, node, "SET password_encryption = md5;"
         f"CREATE ROLE gitlab LOGIN PASSWORD 'md5{md5_hash('gitlab', PASSWORDS['db'])}'; GRANT pg_monitor TO gitlab;"
         f"CREATE ROLE gitlab_replicator LOGIN REPLICATION PASSWORD 'md5{md5_hash('gitlab_replicator', PASSWORDS['replication'])}';"
         + "".join(f"SELECT pg_create_physical_replication_slot('{site}');" for site in secondaries), database="template1")
    _sql(lab, node, "CREATE DATABASE gitlabhq_new OWNER gitlab", database="template1")
    _sql(lab, node, "SET ROLE gitlab;\n" + (HERE / "schema/main.sql").read_text() + (HERE / "schema/seed.sql").read_text(),
         database="gitlabhq_new")
    for site in lab.sites:
        _sql(lab, node, "SET ROLE gitlab; INSERT INTO geo_nodes (name, url, internal_url, \"primary\", access_key)"
             " VALUES (:'name', :'url', :'url', :'primary', md5(:'name'))", database="gitlabhq_new",
             variables={"name": site, "url": lab.url(site) + "/", "primary": "t" if site == primary else "f"})
    _sql(lab, node, "ALTER DATABASE gitlabhq_new RENAME TO gitlabhq_production", database="template1")


def _standby(lab, node, primary, slot):
    if not _exists(node, DATA):
        directory = str(Path(DATA).parent)
        entry = f"{primary.address}:5432:*:gitlab_replicator:{PASSWORDS['replication']}\n"
        _user(lab, node, ["sh", "-c", f"umask 077; cat > {directory}/.pgpass"], input=entry)
        _user(lab, node, ["env", f"PGPASSFILE={directory}/.pgpass", f"{BIN}/pg_basebackup", "-h", primary.address, "-U", "gitlab_replicator",
                          "-D", f"{DATA}.new", "-X", "stream", "-c", "fast", "-S", slot, "--no-sync"], timeout=120)
        # As GitLab's documentation has it: the primary's certificate is the root that verify-ca asks for.
        _user(lab, node, ["install", "-D", "-m", "0400", "-T", f"{DATA}.new/server.crt", f"{directory}/.postgresql/root.crt"])
        _write_configuration(node, f"{DATA}.new", DATA)
        conf = ("recovery_target_timeline = 'latest'\n"
                f"primary_conninfo = 'host={primary.address} port=5432 user=gitlab_replicator password={PASSWORDS['replication']} "
                f"sslmode=verify-ca sslcompression=0'\nprimary_slot_name = '{slot}'\n")
        _user(lab, node, ["sh", "-c", f"umask 027; cat > {DATA}.new/gitlab-geo.conf && touch {DATA}.new/standby.signal && chmod 0700 {DATA}.new"],
              input=conf)
        lab.exec(node, ["mv", f"{DATA}.new", DATA])
    _wait(lab, node, "PostgreSQL", lambda: _answers(lab, node))
    _wait(lab, node, "streaming replication", lambda: _sql(
        lab, node, "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'", database="template1") == "1")


def _tracking_database(lab, node):
    if not _exists(node, GEO_DATA):
        _initdb(lab, node, GEO_DATA)
    _wait(lab, node, "the tracking database", lambda: _answers(lab, node, geo=True))
    if _sql(lab, node, "SELECT count(*) FROM pg_database WHERE datname = 'gitlabhq_geo_production'", geo=True, database="template1") == "1":
        return
    _sql(lab, node, f"CREATE ROLE gitlab_geo LOGIN PASSWORD 'md5{md5_hash('gitlab_geo', PASSWORDS['tracking'])}';", geo=True, database="template1")
    _sql(lab, node, "CREATE DATABASE gitlabhq_geo_new OWNER gitlab_geo", geo=True, database="template1")
    tables = (HERE / "gitlab_lab/rails/tracking_schema.sql").read_text() + (HERE / "schema/tracking_seed.sql").read_text()
    _sql(lab, node, "SET ROLE gitlab_geo;\n" + tables, geo=True, database="gitlabhq_geo_new",
         variables={"uploads": UPLOADS, "lfs_objects": LFS_OBJECTS})
    _sql(lab, node, "ALTER DATABASE gitlabhq_geo_new RENAME TO gitlabhq_geo_production", geo=True, database="template1")


REPOSITORY_SCRIPT = """
set -eu
umask 0007
cd /var/opt/gitlab/git-data/repositories
export HOME=/tmp GIT_AUTHOR_NAME=Lab GIT_AUTHOR_EMAIL=dev@lab.test GIT_COMMITTER_NAME=Lab GIT_COMMITTER_EMAIL=dev@lab.test
number=0
for project in "$@"; do
  number=$((number + 1))
  hash=$(printf %s "$number" | sha256sum | cut -c1-64)
  path="@hashed/$(echo "$hash" | cut -c1-2)/$(echo "$hash" | cut -c3-4)/$hash.git"
  [ -e "$path/refs/heads/main" ] && continue
  git init --quiet --bare --initial-branch=main "$path"
  blob=$(echo "# $project" | git --git-dir "$path" hash-object -w --stdin)
  tree=$(printf '100644 blob %s\\tREADME.md\\n' "$blob" | git --git-dir "$path" mktree)
  commit=$(echo "Start $project" | git --git-dir "$path" commit-tree "$tree")
  git --git-dir "$path" update-ref refs/heads/main "$commit"
done
"""


def _repositories(lab, node):
    """One real bare repository per project, with a first commit, where hashed storage puts it."""
    lab.exec(node, [f"{BIN}/chpst", "-u", "git:git", "sh", "-c", REPOSITORY_SCRIPT, "sh", *PROJECTS], timeout=120)


CRON_SCRIPT = """
import sys
sys.path.insert(0, "/opt/gitlab/embedded/lab")
from gitlab_lab.rails import cron
server = cron.client()
server.ping()
if not server.exists("cron_jobs"):
    cron.initialise(server, sys.argv[1])
    server.sadd("queues", "default", "mailers", "geo:geo_sync", "geo:geo_verification")
"""


def _cron(lab, node, role):
    _wait(lab, node, "Redis", lambda: lab.exec(node, ["/usr/bin/python3", "-I", "-c", CRON_SCRIPT, role], check=False).returncode == 0)


def _wait_until_ready(lab, rails):
    """Both sites answer and the secondary has copied everything once."""
    for site in lab.sites:
        _wait(lab, rails, f"site {site}", lambda site=site: lab.exec(
            rails, ["curl", "-sf", "-m", "3", "-o", "/dev/null", lab.url(site) + "/-/readiness"], check=False).returncode == 0)
    query = ("SELECT count(*) FROM geo_nodes n JOIN geo_node_statuses s ON s.geo_node_id = n.id WHERE n.\"primary\" OR"
             " (s.status->>'project_repositories_verified_count')::int = (s.status->>'project_repositories_registry_count')::int")
    node = next(node for node in lab.nodes.values() if node.site == lab.sites[0] and "postgresql" in node.components)
    _wait(lab, node, "the first synchronisation", lambda: _sql(lab, node, query) == str(len(lab.sites)))


