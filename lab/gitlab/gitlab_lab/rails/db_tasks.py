"""The rake tasks of the tracking database, `db:*:geo`. Rails has them only where database.yml has a `geo:` section.

Reference gitlab-geo.md 2.8 and 3.5, R14. [S] The texts are those of ActiveRecord; what it answers is PostgreSQL's.
"""

import os
import re

import psycopg2

from gitlab_lab import paths
from gitlab_lab.rails import database, settings
from gitlab_lab.rails.rake import Abort

MIGRATIONS = "/opt/gitlab/embedded/service/gitlab-rails/ee/db/geo"
SCHEMA = os.path.join(os.path.dirname(__file__), "tracking_schema.sql")
PROTECTED = """ActiveRecord::ProtectedEnvironmentError: You are attempting to run a destructive action against your 'production' database.
If you are sure you want to continue, run the same command with the environment variable:
DISABLE_DATABASE_ENVIRONMENT_CHECK=1"""


def known():
    """The migrations that the package brings: {version: name}."""
    found = {}
    for kind in ("migrate", "post_migrate"):
        for name in os.listdir(paths.at(f"{MIGRATIONS}/{kind}")):
            match = re.fullmatch(r"(\d+)_(\w+)\.rb", name)
            if match:
                found[match[1]] = match[2]
    return dict(sorted(found.items()))


def applied(geo):
    """The versions in the database, or None while it has not even the table for them."""
    if geo.value("SELECT to_regclass('schema_migrations') IS NULL"):
        return None
    return {row["version"] for row in geo.read("SELECT version FROM schema_migrations")}


def needs_migration(geo):
    return set(known()) - (applied(geo) or set())


def _name():
    return settings.databases()["geo"]["dbname"]


def _in_postgres(statement):
    """For what cannot be done from inside the database itself."""
    connection = psycopg2.connect(**{**settings.databases()["geo"], "dbname": "postgres"}, connect_timeout=3)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def create():
    try:
        _in_postgres(f"CREATE DATABASE {_name()}")
        print(f"Created database '{_name()}'")
    except psycopg2.errors.DuplicateDatabase:
        print(f"Database '{_name()}' already exists")
    return 0


def drop():
    if os.environ.get("DISABLE_DATABASE_ENVIRONMENT_CHECK") != "1":
        raise Abort(f"rake aborted!\n{PROTECTED}")
    try:
        _in_postgres(f"DROP DATABASE {_name()}")
        print(f"Dropped database '{_name()}'")
    except psycopg2.errors.InvalidCatalogName:
        print(f"Database '{_name()}' does not exist")
    except psycopg2.errors.ObjectInUse as error:
        # The log cursor and Sidekiq keep connections: they have to be stopped first.
        raise Abort(f"Couldn't drop database '{_name()}'\nrake aborted!\nActiveRecord::StatementInvalid: PG::ObjectInUse: ERROR:  {error}") from error
    return 0


def migrate():
    geo = database.Connection("geo", "rake")
    pending = sorted(needs_migration(geo))
    with geo.transaction():
        if applied(geo) is None:
            with open(SCHEMA, encoding="utf-8") as file:
                geo.query(file.read().replace("%", "%%"))       # the driver takes a single one for a placeholder
        for version in pending:
            title = "".join(word.title() for word in known()[version].split("_"))
            print(f"geo: == {version} {title}: migrating =====================================")
            geo.query("INSERT INTO schema_migrations (version) VALUES (%s)", (version,))
            print(f"geo: == {version} {title}: migrated (0.0071s) ============================\n")
    return 0


def status():
    geo = database.Connection("geo", "rake")
    there = applied(geo)
    if there is None:
        raise Abort("Schema migrations table does not exist yet.")
    print(f"\ndatabase: {_name()}\n\n Status   Migration ID    Migration Name\n" + "-" * 50)
    for version, name in known().items():
        print(f"{'up' if version in there else 'down':^8}  {version:<14}  {name.replace('_', ' ').capitalize()}")
    print()
    return 0


def version():
    print(f"Current version: {max(applied(database.Connection('geo', 'rake')) or {'0'})}")
    return 0


def tasks():
    """None of them on a site that is not configured as a secondary."""
    if "geo" not in settings.databases():
        return {}
    return {"db:create:geo": create, "db:drop:geo": drop, "db:migrate:geo": migrate, "db:migrate:status:geo": status, "db:version:geo": version}
