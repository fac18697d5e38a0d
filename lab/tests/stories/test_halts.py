"""A failover that a person at a terminal declines, interrupts, and goes on with, and that meets a failed reconfigure.

One run, told in the order of the tests' names; each leaves it where the next one finds it.
"""

import json
import re
import time
import unittest

from support import Story, Tool, entry, group, lab, leave_lab, until
from terminal import Terminal

PROMOTE = "sudo -n gitlab-ctl geo promote --force"


class Halts(Story):
    limit = 400

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-halts")
        cls.tool = Tool(cls.lab)
        cls.said = []
        cls.slow("tokyo-rails-1", "rails_boot", 4)      # time to look at what runs
        until(lambda: cls.tool("check").code == 0, what="the lab to be ready")
        cls.plan, cls.digest = cls.tool.plan()

    @classmethod
    def tearDownClass(cls):
        leave_lab()

    @classmethod
    def slow(cls, node, what, seconds):
        with open(cls.lab.files(node) / "opt/gitlab/lab/pace", "a") as pace:      # of two lines the last counts
            pace.write(f"{what} {seconds}\n")

    def records(self, kind, where=None):
        return [record for record in self.tool.journal() if entry(record)[0] == kind and where in (None, group(record))]

    def begun(self, where):
        """Waits until a command of that group was sent, and has not come back yet."""
        until(lambda: len(self.records("commandStarted", where)) > len(self.records("commandFinished", where)),
              what=f"a command of {where} to run", interval=0.005)

    def promotions(self, node):
        return [command for _, _, command in self.lab.jobs(node)].count(PROMOTE)

    def promotion_ended(self):
        return list((self.lab.files("seoul-pg-1") / "var/lib/geo-failover/jobs").glob("*/promote-database*/exit"))

    def assertNothingIsPromoted(self):
        for node in self.lab.nodes:
            if node.startswith("seoul"):
                self.assertEqual(self.lab.jobs(node), [], node)

    def assertResumable(self, *parts):
        """What `status` says of a halted run; the command it names exists."""
        answer = self.tool("status")
        self.said.append(answer.out)
        self.assertEqual(answer.code, 0, answer)
        self.assertSays(answer.out, "Failover tokyo -> seoul halted", "It is safe to look", f"geo-failover resume {self.tool.runs[0].name}", *parts)
        return self.tool.status()

    def test_1_a_wrong_name_at_the_beginning_declines_and_leaves_nothing(self):
        with Terminal(self.tool, "execute", self.plan) as terminal:
            terminal.expect("This takes tokyo out of service. Type the name of the site to leave to begin. >")
            terminal.type("seoul")
            self.assertEqual(terminal.exit(), 5, terminal.text)
            self.assertIn("declined; nothing was done", terminal.text)
        self.assertEqual(self.tool.runs, [])

    def test_2_one_interrupt_finishes_what_is_in_flight_while_a_second_tool_is_refused(self):
        with Terminal(self.tool, "execute", self.plan) as terminal:
            terminal.expect("Type the name of the site to leave to begin. >")
            terminal.type("tokyo")
            self.begun("block-writes")
            run = self.tool.runs[0].name
            for argv in (["execute", self.plan, "--approve", self.digest], ["resume", "--approve", self.digest]):
                beside = self.tool(*argv)
                self.assertEqual(beside.code, 6, beside)
                self.assertSays(beside.err, run, f"geo-failover status {run}")
            self.assertEqual(len(self.tool.runs), 1)
            self.assertSays(self.tool("status").out, "A process on this machine is executing it now")
            self.begun("stop-application")
            terminal.interrupt()
            self.assertEqual(terminal.exit(), 4, terminal.text)
            self.assertIn("interrupt: nothing new is started; once more to stop waiting", terminal.text)
            self.assertIn("Failover tokyo -> seoul halted", terminal.text)
            self.assertIn(f"geo-failover resume {run}", terminal.text)
        self.assertEqual(len(self.records("commandStarted")), len(self.records("commandFinished")), "what was in flight was waited for")
        self.assertEqual(self.records("stepLeftInDoubt"), [])
        self.assertEqual(self.records("stepStarted", "stop-database"), [])
        status = self.assertResumable("the operator interrupted the run", "The point of no return is not passed")
        self.assertFalse(status["isPastPointOfNoReturn"])
        self.assertEqual((status["running"], status["troubled"]), ([], []))

    def test_3_another_execute_beside_the_halted_run_is_refused(self):
        answer = self.tool("execute", self.plan, "--approve", self.digest)
        self.assertEqual(answer.code, 6, answer)
        self.assertSays(answer.err, "has changed these sites and is not finished", f"geo-failover resume {self.tool.runs[0].name}")
        self.assertEqual(len(self.tool.runs), 1)

    def test_4_a_wrong_name_before_the_point_of_no_return_declines_and_promotes_nothing(self):
        with Terminal(self.tool, "resume") as terminal:
            terminal.expect("Type the name of the site to promote. From here on there is no way back to the former primary. >")
            terminal.type("tokyo")
            self.assertEqual(terminal.exit(), 5, terminal.text)
            self.assertIn("the answer was not `seoul`", terminal.text)
        self.assertNothingIsPromoted()
        self.assertResumable("the answer was not `seoul`", "The point of no return is not passed")

    def test_5a_without_a_terminal_and_approval_nobody_is_asked(self):
        answer = self.tool("resume")
        self.assertEqual(answer.code, 4, answer)
        self.assertSays(answer.err, "nobody is there to answer", "--approve")
        self.assertNothingIsPromoted()

    def test_5b_interrupts_at_the_question_leave_it_unanswered(self):
        with Terminal(self.tool, "resume") as terminal:
            terminal.expect("Type the name of the site to promote.")
            terminal.interrupt()
            terminal.expect("once more to stop waiting")
            terminal.interrupt()
            self.assertEqual(terminal.exit(), 4, terminal.text)
        self.assertNothingIsPromoted()
        self.assertFalse(self.assertResumable("The point of no return is not passed")["isPastPointOfNoReturn"])

    def test_5c_a_terminal_that_goes_away_at_the_question_is_no_answer(self):
        with Terminal(self.tool, "resume") as terminal:
            terminal.expect("Type the name of the site to promote.")
            terminal.hang_up()
            self.assertEqual(terminal.exit(), 4)
        self.assertNothingIsPromoted()
        self.assertResumable("The point of no return is not passed")

    def test_6_two_interrupts_in_a_promotion_leave_it_in_doubt_and_the_node_goes_on(self):
        self.slow("seoul-pg-1", "reconfigure", 30)
        self.lab.fault("reconfigure-fails", "seoul-rails-1")        # for later
        with Terminal(self.tool, "resume") as terminal:
            terminal.expect("Type the name of the site to promote.")
            terminal.type("seoul")
            self.begun("promote-database")
            terminal.interrupt()
            terminal.expect("once more to stop waiting")
            terminal.interrupt()
            self.assertEqual(terminal.exit(), 4, terminal.text)
            self.assertFalse(self.promotion_ended(), "it waits for nothing any more, and the node goes on without it")
            self.assertIn("the operator stopped waiting", terminal.text)
        self.assertEqual(len(self.records("stepLeftInDoubt", "promote-database")), 1)
        status = self.assertResumable("promote-database", "the operator stopped waiting", "It is not safe to start tokyo again")
        self.assertTrue(status["isPastPointOfNoReturn"])
        self.assertEqual([trouble["step"] for trouble in status["troubled"]], ["promote-database"])

    def test_7_resume_waits_for_the_promotion_in_doubt_and_halts_at_a_failed_reconfigure(self):
        """Which exits with 0 where it is `geo promote` that runs it."""
        answer = self.tool("resume", "--approve", self.digest)
        self.assertEqual(self.promotions("seoul-pg-1"), 1, f"the promotion in doubt was to be found, not started again\n{answer}")
        self.assertEqual(answer.code, 4, answer)
        run = self.tool.runs[0].name
        self.assertSays(answer.err, "halted", "promote-first-rails", "seoul-rails-1 $ sudo -n gitlab-ctl reconfigure", "NOT OK",
                        f"geo-failover resume {run}")
        finished = [entry(record)[1]["outcome"] for record in self.records("commandFinished", "promote-first-rails")]
        self.assertEqual(finished[0]["exited"]["status"], 0, "geo promote claims success")
        self.assertNotEqual(finished[-1]["exited"]["status"], 0)
        self.assertEqual(self.records("stepSucceeded", "promote-first-rails"), [])
        self.assertEqual(self.records("stepStarted", "promote-other-rails"), [])
        status = self.assertResumable("promote-first-rails", "The point of no return is passed", "It is not safe to start tokyo again")
        self.assertEqual([trouble["step"] for trouble in status["troubled"]], ["promote-first-rails"])
        # What was seen, of what, and what to do.
        reason = status["troubled"][0]["reason"]
        self.assertSays(reason, "gitlab-ctl reconfigure")
        self.assertSays(self.tool("status").out, "gitlab-ctl reconfigure", "/etc/gitlab/gitlab.rb")

    def test_8_while_it_is_broken_a_resume_halts_at_the_same_step_again(self):
        before, wanted = len(self.tool.journal()), f"geo-failover resume {self.tool.runs[0].name} --reason TEXT"
        self.assertSays(self.tool("status").out, wanted)
        unsaid = self.tool("resume", "--approve", self.digest)
        self.assertEqual(unsaid.code, 5, unsaid)
        self.assertSays(unsaid.err, "promote-first-rails failed; say what was mended", "Nothing was done", wanted)
        self.assertEqual(len(self.tool.journal()), before)
        answer = self.tool("resume", "--approve", self.digest, "--reason", "nothing, in hope")
        self.assertEqual(answer.code, 4, answer)
        self.assertSays(answer.err, "promote-first-rails", f"geo-failover resume {self.tool.runs[0].name}")
        self.assertEqual(self.records("stepStarted", "promote-other-rails"), [])

    def test_9a_after_healing_resume_completes(self):
        self.lab.heal()
        with Terminal(self.tool, "resume", "--approve", self.digest) as terminal:
            terminal.expect("What was mended?")
            terminal.type("gitlab.rb of seoul-rails-1")
            self.assertEqual(terminal.exit(), 0, terminal.text)
            self.assertSays(terminal.text, "Failover tokyo -> seoul finished", "seoul is the primary")
        self.assertSays(self.tool("report").out, "because: gitlab.rb of seoul-rails-1")
        for node in ("seoul-pg-1", "seoul-gitaly-1", "seoul-sidekiq-1", "seoul-rails-2", "seoul-geo-1"):
            self.assertEqual(self.promotions(node), 1, node)
        keys = [entry(record)[1]["key"] for record in self.records("commandStarted") if entry(record)[1]["key"] != "local"]
        self.assertEqual(len(keys), len(set(keys)), "a key is begun once")

    def test_9b_nothing_is_lost_and_never_two_sites_are_writable(self):
        self.lab.wait_for_users_at("seoul")
        self.lab.command("load", "stop")
        code, audit = self.lab.audit()
        self.assertEqual((code, audit["verdict"], audit["writable_now"]), (0, "nothing lost", ["seoul"]), audit)
        for kind in ("writes", "pushes"):
            self.assertGreater(audit[kind]["acknowledged"], 10)

    def test_9c_the_report_tells_every_halt_and_who_decided(self):
        answer = self.tool("report")
        self.assertEqual(answer.code, 0)
        self.assertSays(answer.out, "the operator interrupted the run", "the answer was not `seoul`", "the operator stopped waiting", "promote-first-rails",
                        "the run finished", "RTO reached")
        report = json.loads(self.tool("report", "-o", "json").out.splitlines()[0])
        self.assertTrue(report["isFinished"] and report["isZeroLossProven"])

    def test_9d_every_command_that_was_named_exists(self):
        """The next safe command is one that can be typed."""
        named = set(re.findall(r"(?m)^\s+geo-failover ([a-z]+)", "\n".join(self.said)))
        self.assertIn("resume", named)
        for verb in sorted(named):
            with self.subTest(verb):
                self.assertSays(self.tool(verb, "--help").out, f"USAGE: geo-failover {verb} ")


if __name__ == "__main__":
    unittest.main()
