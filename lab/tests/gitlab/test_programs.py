"""The parts that need no node: gitlab.rb, the attribute and cluster files, runner programs, the audit's arithmetic."""

import contextlib
import io
import os
import re
import tempfile
import unittest
from pathlib import Path

import support  # noqa: F401, makes the packages importable
from gitlab.gitlab_rb_template import gitlab_rb
from gitlab_lab import attributes, cluster_file, config, gitlab_rb as parser, paths
from gitlab_lab.ctl import chef, main as ctl, output, render
from gitlab_lab.rails import runner
from traffic import intervals, logs

SITE = {"url": "http://10.9.1.10", "nodes": {"a": {"address": "10.9.1.11", "components": ["rails"]},
                                            "b": {"address": "10.9.1.21", "components": ["postgresql"]},
                                            "c": {"address": "10.9.1.15", "components": ["sidekiq", "logcursor"]}}}
LAB = {"primary": "tokyo", "net": 9, "sites": {"tokyo": SITE, "seoul": SITE}}


class InADirectory(unittest.TestCase):
    """The node's code on a directory instead of a node."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "etc/gitlab").mkdir(parents=True)
        (self.root / "etc/hostname").write_text("seoul-rails-1.lab.test\n")
        before = paths.ROOT
        paths.ROOT = folder.name
        self.addCleanup(setattr, paths, "ROOT", before)


class GitlabRb(unittest.TestCase):
    def test_every_kind_of_node_gets_its_services(self):
        expected = {"a": ["gitlab-workhorse", "logrotate", "nginx", "puma"], "b": ["logrotate", "postgresql"],
                    "c": ["geo-logcursor", "logrotate", "sidekiq"]}
        for node, services in expected.items():
            read = config.Config(parser.parse(gitlab_rb(node, "seoul", LAB)))
            self.assertEqual(read.services, services)
            self.assertEqual(read.geo_node_name, "seoul")

    def test_a_site_that_may_come_back_is_prepared_and_switched_off(self):
        site = {**SITE, "nodes": {**SITE["nodes"], "d": {"address": "10.9.1.51", "components": ["tracking-db"]}}}
        both = {**LAB, "sites": {"tokyo": site, "seoul": site}}
        for node, services in (("a", set()), ("c", {"geo-logcursor"}), ("d", {"geo-postgresql"})):
            text = gitlab_rb(node, "tokyo", both)
            off, on = (config.Config(parser.parse(t)) for t in (text, re.sub(r"(?m)^(geo_\w+\['enable'\] = )false$", r"\1true", text)))
            self.assertEqual(set(on.services) - set(off.services), services)
            self.assertEqual(set(on.services), set(config.Config(parser.parse(gitlab_rb(node, "seoul", both))).services))
            if node != "d":
                self.assertNotIn("  geo:", render.database_yml(off))
                self.assertIn('host: "10.9.1.51"', render.database_yml(on))

    def test_nested_ruby_values_are_understood(self):
        text = "gitaly['configuration'] = {\n  listen_addr: 'a:1', # here\n  storage: [{ 'name' => \"x\", path: '/p' },],\n}\nroles ['postgres_role']\n"
        self.assertEqual(parser.parse(text)["gitaly"]["configuration"], {"listen_addr": "a:1", "storage": [{"name": "x", "path": "/p"}]})

    def test_an_unreadable_line_is_an_error_with_its_number(self):
        for text in ("external_url 'x'\npuma['a' = 1\n", "external_url 'x'\npuma['a'] = \n", "external_url 'x'\n@@\n"):
            with self.assertRaisesRegex(parser.ConfigError, r"gitlab\.rb:[23]: syntax error"):
                parser.parse(text)
        with self.assertRaisesRegex(parser.ConfigError, "undefined method `pumba'"):
            parser.parse("pumba['a'] = 1\n")

    def test_the_geo_section_of_database_yml_is_there_only_on_a_secondary(self):
        for site, there in (("tokyo", False), ("seoul", True)):
            text = render.database_yml(config.Config(parser.parse(gitlab_rb("a", site, LAB))))
            self.assertEqual("  geo:\n" in text, there)


class Files(InADirectory):
    def test_a_file_that_gitlab_rb_loads_counts_where_it_stands(self):
        paths.write("/etc/gitlab/geo.rb", "puma['port'] = 2\ngeo_logcursor['enable'] = true\n")
        paths.write(paths.GITLAB_RB, "puma['port'] = 1\nfrom_file '/etc/gitlab/geo.rb'\ngeo_logcursor['enable'] = false\n")
        self.assertEqual(parser.load(), {"puma": {"port": 2}, "geo_logcursor": {"enable": False}})
        for text, words in (("@@\n", "/etc/gitlab/geo.rb:1: syntax error"), (None, "geo.rb: No such file")):
            if text:
                paths.write("/etc/gitlab/geo.rb", text)
            else:
                os.unlink(paths.at("/etc/gitlab/geo.rb"))
            with self.assertRaisesRegex(parser.ConfigError, words):
                parser.load()

    def test_a_started_reconfigure_leaves_a_stub_that_promote_refuses(self):
        with self.assertRaisesRegex(attributes.Missing, "^Node attributes JSON file not found in /opt/gitlab/embedded/nodes, has"):
            attributes.load()
        attributes.begin()
        stub = self.root / "opt/gitlab/embedded/nodes/seoul-rails-1.lab.test.json"
        self.assertLess(stub.stat().st_size, 45)
        with self.assertRaisesRegex(attributes.Missing, r"^Attributes not found in /opt/gitlab/embedded/nodes/seoul-rails-1\.lab\.test\.json, has"):
            attributes.load()
        attributes.finish({"external_url": "http://x"}, ["puma"], {})
        self.assertIn("normal", attributes.load())
        self.assertGreater(stub.stat().st_size, 1024)

    def test_an_empty_cluster_file_breaks_with_ruby_s_words(self):
        self.assertEqual(cluster_file.load(), {})
        self.assertTrue(cluster_file.merge({"geo_secondary": {"enable": False}}))
        self.assertEqual((self.root / "etc/gitlab/gitlab-cluster.json").stat().st_mode & 0o777, 0o600)
        (self.root / "etc/gitlab/gitlab-cluster.json").write_text("")
        with self.assertRaisesRegex(cluster_file.Broken, r"^Top level JSON object must be a Hash or Array\. \(actual: NilClass\)$"):
            cluster_file.merge({})

    def test_a_chef_run_prints_as_many_lines_as_the_real_one(self):
        with contextlib.redirect_stdout(io.StringIO()) as stdout, contextlib.redirect_stderr(io.StringIO()) as stderr:
            run = chef.Run(["puma"])
            run.begin()
            run.work(0.5)
            run.work(0.5)
            run.complete()
        self.assertGreater(len(stdout.getvalue().splitlines()), 700)
        self.assertEqual(stderr.getvalue().count("warning: already initialized constant"), 18)
        self.assertRegex(stdout.getvalue(), r"Infra Phase complete, 0/487 resources updated in 01 seconds\n$")

    def test_usage_errors_of_geo_exit_128(self):
        for argv, text in ((["geo"], "parse error: Geo command is not specified."), (["geo", "status"], "Unknown Geo command: status")):
            with contextlib.redirect_stderr(io.StringIO()) as stderr:
                self.assertEqual(ctl.main(argv), 128)
            self.assertEqual(stderr.getvalue().strip(), text)

    def test_result_lines_have_carriage_return_and_colour(self):
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            output.start("Doing")
            output.result("Doing", False)
        self.assertEqual(stdout.getvalue(), "\rDoing:\rDoing: \033[31mNOT OK\033[0m\n")


class Runner(unittest.TestCase):
    def test_unknown_ruby_is_a_name_error(self):
        with contextlib.redirect_stderr(io.StringIO()) as stderr:
            self.assertEqual(runner.main(["runner", "Foo.bar"]), 1)
        self.assertIn("(NameError)", stderr.getvalue())


class Arithmetic(unittest.TestCase):
    def test_two_probes_side_by_side_are_no_overlap(self):
        # tokyo was last seen writable at 10.0; seoul first at 10.1, before tokyo's next probe said no.
        self.assertEqual(intervals.overlaps({"tokyo": [(1.0, 10.0)], "seoul": [(10.1, 20.0)]}), [])

    def test_an_overlap_between_two_yes_of_a_site_is_found(self):
        self.assertEqual(intervals.overlaps({"tokyo": [(1.0, 12.0)], "seoul": [(11.0, 20.0)]}), [(11.0, 12.0, "seoul", "tokyo")])

    def test_the_longest_gap_spans_both_sites(self):
        self.assertEqual(intervals.longest_gap({"tokyo": [(1.0, 10.0)], "seoul": [(14.5, 20.0), (20.5, 30.0)]}), (4.5, 10.0, 14.5))

    def test_the_log_gives_back_the_intervals(self):
        with tempfile.TemporaryDirectory() as folder:
            log = logs.Log(os.path.join(folder, "writable.log"))
            log.add("watcher", "all", "start", "0", at=1)
            log.add("database", "tokyo", "yes", "0.000", at=2)
            log.add("database", "tokyo", "unknown", "4.5", at=5)
            log.add("database", "tokyo", "no", "7.5", at=8)
            log.file.close()
            spans, outer, silent = intervals.writable(Path(folder))
        self.assertEqual(spans["database"], {"tokyo": [(2.0, 4.5)]})
        self.assertEqual(outer["database"], {"tokyo": [(2.0, 5.0)]})
        self.assertEqual(silent, {("database", "tokyo"): 2.5})

    def test_what_was_seen_before_the_load_was_stopped_and_started_again_counts(self):
        with tempfile.TemporaryDirectory() as folder:
            log = logs.Log(os.path.join(folder, "writable.log"))
            for at, *record in ((1, "watcher", "all", "start", "0"), (2, "database", "tokyo", "yes", "0.000"),
                                (10, "database", "tokyo", "unwatched", "9.5"), (51, "watcher", "all", "start", "0"),
                                (52, "database", "tokyo", "yes", "0.000"), (60, "database", "tokyo", "no", "59.8")):
                log.add(*record, at=at)
            log.file.close()
            spans, outer, _ = intervals.writable(Path(folder))
        self.assertEqual(spans["database"], {"tokyo": [(2.0, 9.5), (52.0, 59.8)]})
        self.assertEqual(intervals.longest_gap(outer["database"])[0], 0.0)

    def test_a_torn_last_line_is_left_out(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log"
            path.write_text("t 1 tokyo 5\nt 2 tokyo 6")
            self.assertEqual(logs.read(path, 4), [["t", "1", "tokyo", "5"]])


if __name__ == "__main__":
    unittest.main()
