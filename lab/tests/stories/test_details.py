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
        self.assertSays(text, "slot osaka on tokyo-pg-1 is inactive and holds back", "pg_drop_replication_slot('osaka')")
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
        self.lab.sql("tokyo-pg-1", "update geo_nodes set oauth_application_id = null where name = 'seoul'")
        self.seen("geo.oauth-application", "warn", "nobody can sign in there", "/repair")
        self.lab.sql("tokyo-pg-1", "update geo_nodes set oauth_application_id = 1 where name = 'seoul'")
        self.undone("geo.oauth-application")

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
