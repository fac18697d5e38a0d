"""Installs the GitLab layer into the file system of a node that is not running yet.

Afterwards the node looks as if the package were installed and the first
`gitlab-ctl reconfigure` done, except for the databases: `provision` makes those.
"""

import contextlib
import json
import os
import shutil
import sys
from pathlib import Path

from gitlab import gitlab_rb_template

HERE = Path(__file__).resolve().parent
UNIT = HERE.parent / "infra/files/gitlab-runsvdir.service"
# The node's own code renders its first configuration, so that the two cannot differ.
sys.path.insert(0, str(HERE))

LIBRARY = "opt/gitlab/embedded/lab"
PROGRAMS = {  # launcher: module whose run() it calls
    "gitlab-ctl": "gitlab_lab.ctl.main", "gitlab-rake": "gitlab_lab.rails.rake", "gitlab-rails": "gitlab_lab.rails.runner",
    "puma": "gitlab_lab.app.puma", "gitlab-workhorse": "gitlab_lab.app.workhorse", "nginx": "gitlab_lab.app.nginx",
    "ruby": "gitlab_lab.ruby", "gitaly": "gitlab_lab.app.gitaly", "sidekiq": "gitlab_lab.app.sidekiq", "geo-logcursor": "gitlab_lab.app.logcursor",
}
# Without `site`, which takes as long to load as the rest of a short command; the system's packages are found all the same.
LAUNCHER = """#!/usr/bin/python3 -IS
import sys
sys.path[:0] = ["/opt/gitlab/embedded/lab"]
sys.path.append("/usr/lib/python3/dist-packages")
from {module} import run
run()
"""
POSTGRES = "psql pg_ctl pg_controldata pg_basebackup pg_isready postgres initdb pg_rewind pg_waldump".split()
OTHERS = ["/usr/bin/sv", "/usr/bin/chpst", "/usr/bin/svlogd", "/usr/bin/redis-cli", "/usr/bin/redis-server", "/usr/bin/curl",
          "/usr/bin/git", "/usr/bin/openssl"]
# The package's migrations of the main database; seed.sql has their rows.
MIGRATIONS = ("20260712081533", "20260803114027")
MANIFEST = """gitlab-ee 19.3.0-ee.0

Component               Installed Version   Version GUID
------------------------------------------------------------------------------------
git                     2.39.5              git:lab
postgresql              15                  url:lab
redis                   7.0.15              url:lab
runit                   2.1.2               url:lab
"""


def install(root, _site, node, config):
    """Writes all files of one node below `root`."""
    if "load-balancer" in node.components:
        return
    root = Path(root)
    _programs(root)
    etc = root / "etc/gitlab"
    etc.mkdir(parents=True, exist_ok=True)
    if not (etc / "gitlab.rb").exists():
        _write(etc / "gitlab.rb", gitlab_rb_template.gitlab_rb(node.name, node.site, config), 0o600)
    _write(etc / "gitlab-secrets.json", _secrets(), 0o600)
    (root / "opt/gitlab/lab/faults").mkdir(parents=True, exist_ok=True)
    _first_reconfigure(root, node)


def _write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _programs(root):
    library = root / LIBRARY
    shutil.rmtree(library, ignore_errors=True)
    # Compiled here, once: on a node the git user could not keep what it compiles, and would do so at every start.
    import compileall
    compileall.compile_dir(HERE / "gitlab_lab", quiet=2)
    shutil.copytree(HERE / "gitlab_lab", library / "gitlab_lab")
    for name, module in PROGRAMS.items():
        _write(library / "bin" / name, LAUNCHER.format(module=module), 0o755)
    for wrapper in (HERE / "wrappers").iterdir():
        # gitlab-pg-ctl is used by gitlab-ctl only and is not among the commands of the operator.
        place = "opt/gitlab/embedded/bin" if wrapper.name == "gitlab-pg-ctl" else "opt/gitlab/bin"
        _write(root / place / wrapper.name, wrapper.read_text(), 0o755)
    _link(root / "opt/gitlab/bin/gitlab-ctl", f"/{LIBRARY}/bin/gitlab-ctl")
    for name in ("gitlab-ctl", "gitlab-rake", "gitlab-rails", "gitlab-psql", "gitlab-geo-psql", "gitlab-redis-cli"):
        _link(root / "usr/bin" / name, f"/opt/gitlab/bin/{name}")
    _link(root / "opt/gitlab/embedded/bin/ruby", f"/{LIBRARY}/bin/ruby")
    for name in POSTGRES:
        _link(root / "opt/gitlab/embedded/bin" / name, f"/usr/lib/postgresql/15/bin/{name}")
    for target in OTHERS:
        _link(root / "opt/gitlab/embedded/bin" / os.path.basename(target), target)
    _write(root / "opt/gitlab/version-manifest.txt", MANIFEST)
    _write(root / "opt/gitlab/embedded/cookbooks/package/templates/default/gitlab-runsvdir.service.erb", UNIT.read_text())
    _write(root / "opt/gitlab/embedded/service/gitlab-rails/VERSION", "19.3.0-ee\n")
    for version in MIGRATIONS:
        _write(root / f"opt/gitlab/embedded/service/gitlab-rails/db/schema_migrations/{version}", "")
    for kind, version in (("migrate", "20260618093011_create_file_registry"), ("post_migrate", "20260729140502_add_missing_on_primary")):
        _write(root / f"opt/gitlab/embedded/service/gitlab-rails/ee/db/geo/{kind}/{version}.rb", "")


def _secrets():
    """Equal on all nodes of both sites, as Geo demands. Practice values, the same in every lab."""
    key = "ab5f7e2d9c4b1a6038d7f1e2c3b4a5968778695a4b3c2d1e0f"
    return json.dumps({
        "gitlab_workhorse": {"secret_token": "cHJhY3RpY2UtbGFiLXdvcmtob3JzZS10b2tlbi0zMmI="},
        "gitlab_shell": {"secret_token": key * 2},
        "gitlab_rails": {"secret_key_base": key * 2, "db_key_base": key[::-1] * 2, "otp_key_base": key * 2,
                         "encrypted_settings_key_base": key[::-1] * 2},
    }, indent=2) + "\n"


@contextlib.contextmanager
def as_node(node, root=None):
    """The node's own library, working on the node's files as the host sees them."""
    from gitlab_lab import paths

    before, paths.ROOT = paths.ROOT, str(root or node.root)
    fqdn, paths.fqdn = paths.fqdn, lambda: node.fqdn
    try:
        yield
    finally:
        paths.ROOT, paths.fqdn = before, fqdn


def _first_reconfigure(root, node):
    """What `gitlab-ctl reconfigure` would leave behind, services linked so that they start at boot."""
    from gitlab_lab import attributes, paths
    from gitlab_lab.config import Config
    from gitlab_lab.ctl import reconfigure

    with as_node(node, root):
        config = Config.load()
        reconfigure.apply(config)
        paths.directory(paths.NODES_DIR, 0o700)
        attributes.finish(config.settings, config.services, {})
