"""What GitLab's own pages do not show: `check` on two sites of which one thing is wrong that no percentage counts.

Each is done with the command that does it on a real site, and undone at the end.
"""

import json
import unittest

from support import Story, Tool, lab, until

PAIR = "tokyo->seoul"


class Details(Story):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-main")
        cls.tool = Tool(cls.lab)

    def found(self, check, subject=PAIR):
        answer = self.tool("check", "-o", "json")
        lines = [json.loads(line) for line in answer.out.splitlines()]
        finding = next(line for line in lines if line.get("check") == check and line["subject"] == subject)
        return finding["verdict"], finding["summary"] + " " + (finding.get("remedy") or "")

    def seen(self, check, verdict, *words, subject=PAIR):
        answer, text = self.found(check, subject)
        self.assertEqual(answer, verdict, text)
        self.assertSays(text, *words)

    def undone(self, check, subject=PAIR):
        verdict, text = self.found(check, subject)
        self.assertEqual(verdict, "pass", text)

    def tracking(self, query):
        return self.lab.on("seoul-geo-1", "gitlab-geo-psql", "-Atc", query).strip()

    def test_images_that_nobody_replicates_are_lost_and_no_percentage_says_so(self):
        self.lab.sql("tokyo-pg-1", "insert into container_repositories (project_id, name) values (1, 'web')")
        self.seen("geo.container-registry", "fail", "tokyo has container repositories, and seoul replicates none",
                  "geo_registry_replication_enabled")
        self.lab.sql("tokyo-pg-1", "delete from container_repositories")
        self.undone("geo.container-registry")

    def test_a_tracking_database_behind_its_code(self):
        self.tracking("delete from schema_migrations where version = '20260729140502'")
        self.seen("geo.tracking-schema", "fail", "is at 20260618093011, GitLab there expects 20260729140502", "db:migrate:geo")
        self.tracking("insert into schema_migrations values ('20260729140502')")
        self.undone("geo.tracking-schema")

    def test_a_slot_that_nobody_uses_is_said_with_the_time_that_is_left(self):
        self.lab.sql("tokyo-pg-1", "select pg_create_physical_replication_slot('osaka', true)")
        verdict, text = self.found("replication.orphaned-slots")
        self.assertIn(verdict, ("warn", "fail"), text)
        self.assertSays(text, "slot osaka on tokyo-pg-1 is inactive and holds back",
                       "geo-failover plan drop-slots --from tokyo --to seoul --slot osaka")
        self.lab.sql("tokyo-pg-1", "select pg_drop_replication_slot('osaka')")
        self.undone("replication.orphaned-slots")

    def test_a_setting_that_waits_for_a_restart(self):
        self.lab.sql("seoul-pg-1", "alter system set max_connections = 50")
        self.lab.sql("seoul-pg-1", "select pg_reload_conf()")
        self.seen("database.pending-restart", "warn", "seoul-pg-1 waits for a restart of PostgreSQL to use max_connections")
        self.lab.sql("seoul-pg-1", "alter system reset max_connections")
        self.lab.sql("seoul-pg-1", "select pg_reload_conf()")
        self.undone("database.pending-restart")

    def test_a_configuration_that_was_edited_and_never_applied(self):
        node = "seoul-rails-1"
        self.lab.on(node, "touch", "/etc/gitlab/gitlab.rb")
        self.seen("node.reconfigured", "warn", "gitlab.rb of seoul-rails-1 was changed", "gitlab-ctl reconfigure", subject=node)
        self.lab.on(node, "gitlab-ctl", "reconfigure")
        self.undone("node.reconfigured", node)

    def test_a_node_that_takes_its_site_for_another(self):
        node = "seoul-sidekiq-1"
        self.lab.on(node, "sed", "-i", "s/geo_node_name'] = 'seoul'/geo_node_name'] = 'Seoul'/", "/etc/gitlab/gitlab.rb")
        self.seen("site.node-name", "fail", "seoul-sidekiq-1 takes its site for Seoul", subject="seoul")
        self.lab.on(node, "sed", "-i", "s/geo_node_name'] = 'Seoul'/geo_node_name'] = 'seoul'/", "/etc/gitlab/gitlab.rb")
        self.lab.on(node, "gitlab-ctl", "reconfigure")
        self.undone("site.node-name", "seoul")

    def test_tables_that_an_upgrade_still_rewrites(self):
        self.lab.sql("tokyo-pg-1", "insert into batched_background_migrations (job_class_name, table_name, column_name, status)"
                                   " values ('BackfillLab', 'uploads', 'id', 1)")
        self.seen("gitlab.background-migrations", "warn", "1 background migration of tokyo not finished: BackfillLab on uploads")
        self.lab.sql("tokyo-pg-1", "delete from batched_background_migrations where job_class_name = 'BackfillLab'")
        self.undone("gitlab.background-migrations")

    def test_nobody_can_sign_in_at_a_site_without_its_application(self):
        number = self.lab.sql("tokyo-pg-1", "select oauth_application_id from geo_nodes where name = 'seoul'").strip()
        self.lab.sql("tokyo-pg-1", "update geo_nodes set oauth_application_id = null where name = 'seoul'")
        self.seen("geo.oauth-application", "warn", "nobody can sign in there", "/repair")
        self.lab.sql("tokyo-pg-1", f"update geo_nodes set oauth_application_id = {number} where name = 'seoul'")
        self.undone("geo.oauth-application")
        before = self.lab.sql("tokyo-pg-1", f"select redirect_uri from oauth_applications where id = {number}").strip()
        self.lab.sql("tokyo-pg-1", f"update oauth_applications set redirect_uri = 'https://old.lab.test/oauth/geo/callback' where id = {number}")
        self.seen("geo.oauth-application", "warn", "sends users back to https://old.lab.test/oauth/geo/callback")
        self.lab.sql("tokyo-pg-1", f"update oauth_applications set redirect_uri = '{before}' where id = {number}")
        self.undone("geo.oauth-application")

    def test_what_geo_takes_for_granted_is_asked_of_the_candidates_own_copy(self):
        def now(check, verdict, *words):
            # Replication brings the change in its own time.
            until(lambda: self.found(check)[0] == verdict, what=f"{check} to be {verdict}")
            self.seen(check, verdict, *words)
        self.lab.sql("tokyo-pg-1", "alter table licenses rename to licenses_before; create table licenses (like licenses_before)")
        self.lab.sql("tokyo-pg-1", "update application_settings set enabled_git_access_protocol = 'ssh', authorized_keys_enabled = true,"
                                   " hashed_storage_enabled = false; update projects set storage_version = 1 where id = 2")
        now("geo.license", "fail", "no license is in the database of seoul-pg-1")
        now("geo.http-cloning", "warn", "Geo can copy no repository")
        now("geo.hashed-storage", "warn", "1 project is not in hashed storage", "new projects are not put into hashed storage")
        now("ssh.key-lookup", "warn", "authorized_keys file")
        self.lab.sql("tokyo-pg-1", "drop table licenses; alter table licenses_before rename to licenses")
        self.lab.sql("tokyo-pg-1", "update application_settings set enabled_git_access_protocol = null, authorized_keys_enabled = false,"
                                   " hashed_storage_enabled = true; update projects set storage_version = 2")
        for check in ("geo.license", "geo.http-cloning", "geo.hashed-storage", "ssh.key-lookup"):
            now(check, "pass")

    def test_a_site_that_reads_users_keys_from_a_file(self):
        node, file = "seoul-rails-1", "/etc/ssh/sshd_config.d/gitlab.conf"
        self.lab.on(node, "sed", "-i", "s/AuthorizedKeysCommand /#&/; s/AuthorizedKeysCommandUser/#&/", file)
        self.seen("ssh.key-lookup", "fail", "sshd of seoul-rails-1 does not ask GitLab for users' keys (AuthorizedKeysCommand none)")
        self.lab.on(node, "sed", "-i", "s/#Auth/Auth/", file)
        self.undone("ssh.key-lookup")

    def test_migrations_that_the_database_lacks(self):
        file = "/opt/gitlab/embedded/service/gitlab-rails/db/schema_migrations/20261101000000"
        self.lab.on("seoul-rails-1", "touch", file)
        self.seen("gitlab.schema-migrated", "warn", "1 migration of GitLab on seoul-rails-1 not in the database: 20261101000000")
        self.lab.on("seoul-rails-1", "rm", file)
        self.undone("gitlab.schema-migrated")

    def test_a_candidate_that_would_let_nobody_follow_it(self):
        file = "/var/opt/gitlab/postgresql/data/pg_hba.conf"
        self.lab.on("seoul-pg-1", "sed", "-i", "/replication/s/^/#/", file)
        self.seen("database.admits-secondaries", "warn", "pg_hba.conf of seoul-pg-1 does not let tokyo-pg-1", "md5_auth_cidr_addresses")
        self.lab.on("seoul-pg-1", "sed", "-i", "/replication/s/^#//", file)
        self.undone("database.admits-secondaries")

    def test_another_password_on_one_site_is_said_and_not_told(self):
        change = "s/practice-db/another-password/g"
        files = "/opt/gitlab/embedded/nodes/seoul-rails-1*.json"
        self.lab.on("seoul-rails-1", "sh", "-c", f"sed -i {change} {files}")
        self.seen("passwords.equal", "warn", "gitlab_rails['db_password'] of seoul-rails-1 is not that of tokyo-rails-1")
        self.assertNotIn("another-password", self.tool("check", "-o", "json").text)
        self.lab.on("seoul-rails-1", "sh", "-c", f"sed -i s/another-password/practice-db/g {files}")
        self.undone("passwords.equal")

    # --- Profiles and the loss statement

    def json(self, *argv):
        answer = self.tool("check", "-o", "json", *argv)
        return answer, [json.loads(line) for line in answer.out.splitlines()]

    def test_a_lost_primary_may_be_unknown_and_the_candidate_may_not(self):
        self.addCleanup(self.lab.heal)
        between = ["--from", "tokyo", "--to", "seoul"]
        for node in [name for name in self.lab.nodes if name.startswith("tokyo-")]:
            self.lab.fault("node-down", node)
        answer, lines = self.json("--for", "unplanned", *between)
        verdict = lines[-1]
        open_findings = [(line["check"], line["subject"], line["summary"]) for line in lines
                         if line["type"] == "finding" and line["verdict"] in ("fail", "unknown") and "accepted" not in line]
        self.assertEqual((answer.code, verdict["isReady"], verdict["profile"]), (0, True, "unplanned"), open_findings)
        self.assertGreater(verdict["accepted"], 5)
        loss = next(line for line in lines if line["type"] == "loss")
        self.assertFalse(loss["isNothing"])
        self.assertIn("is not known", loss["bytes"]["unknown"])
        self.assertNotIn("value", loss["bytes"])
        self.assertEqual(loss["projects"]["value"]["namedBy"], "seoul-pg-1")
        self.assertEqual(self.json("--for", "planned", *between)[0].code, 2)
        self.lab.fault("node-down", "seoul-gitaly-1")
        answer, lines = self.json("--for", "unplanned", *between)
        self.assertEqual((answer.code, lines[-1]["isReady"]), (2, False))

    def test_projects_that_were_not_copied_are_named_the_last_pushed_first(self):
        self.addCleanup(self.lab.on, "seoul-sidekiq-1", "gitlab-ctl", "start", "sidekiq")
        self.lab.on("seoul-sidekiq-1", "gitlab-ctl", "stop", "sidekiq")
        # The lab's users push all the time: soon some repositories are newer than their copies.
        pushed = until(lambda: self.tracking("select count(*) from project_repository_registry where state <> 2") not in ("", "0"),
                       60, "a push that is not copied")
        self.assertTrue(pushed)
        answer, lines = self.json()
        self.assertEqual(answer.code, 2, answer)
        lost = next(line for line in lines if line["type"] == "loss")["projects"]["value"]["projects"]
        waiting = set(self.tracking("select project_id from project_repository_registry where state <> 2 or verification_state <> 2").split())
        self.assertLessEqual({str(project["id"]) for project in lost if project["reason"] == "not-synced"}, waiting)
        paths = dict(line.split("|") for line in self.lab.sql(
            "tokyo-pg-1", "select source_id, path from routes where source_type = 'Project'").splitlines())
        self.assertTrue(lost)
        for project in lost:
            self.assertEqual(project["path"], paths[str(project["id"])])
        times = [project["pushedAt"] for project in lost]
        self.assertEqual(times, sorted(times, reverse=True))
        text = self.tool("check", "--loss-detail")
        self.assertSays(text.out, "at this moment would lose:", lost[0]["path"], "not synchronised")


if __name__ == "__main__":
    unittest.main()
