"""A failover from a machine that does everything wrong: its disk fills in the middle of a record, its terminal goes away, it
sleeps while its network changes, its clock jumps back by a day, and whoever read its output has gone. And a node whose disk is
full when its turn comes, and read-only when it comes again.

One run, told in the order of the tests' names; each leaves it where the next one finds it.
"""

import atexit
import json
import os
import signal
import subprocess
import unittest
from pathlib import Path

from support import Story, Tool, end, entry, group, lab, leave_lab, until
from terminal import Terminal


class BadMachine(Story):
    limit = 500

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-machine")
        cls.tool = Tool(cls.lab)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "practice", cls.tool.state], check=True)
        # Also when the tests are interrupted, and before the folder that it is mounted in is removed.
        atexit.register(subprocess.run, ["umount", "--lazy", cls.tool.state], check=True)
        until(lambda: cls.tool("check").code == 0, what="the lab to be ready")
        cls.plan, cls.digest = cls.tool.plan()

    @classmethod
    def tearDownClass(cls):
        leave_lab()

    def begun(self, where):
        until(lambda: any(entry(r)[0] == "commandStarted" and group(r) == where for r in self.tool.journal()),
              what=f"{where} to begin", interval=0.005)

    def resume(self, *argv, **streams):
        """Goes on without a terminal, and lives on while the story does something to it."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **streams}
        process = self.tool.popen(*argv, stdin=subprocess.DEVNULL, text=True, start_new_session=True, **streams)
        self.addCleanup(end, process)
        return process

    def started(self):
        return {(node, key) for node in self.lab.nodes for _, key, _ in self.lab.jobs(node)}

    def recorded(self):
        return {entry(r)[1]["key"] for r in self.tool.journal() if entry(r)[0] == "commandStarted"}

    def test_1_a_disk_that_fills_in_the_middle_of_a_record_halts_and_starts_nothing_that_is_not_recorded(self):
        process = self.resume("execute", self.plan, "--approve", self.digest)
        self.begun("block-writes")
        ballast = self.tool.state / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        said, _ = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 4, said)
        self.assertSays(said, "No space left on device", "nothing new is started", "geo-failover status")
        ballast.unlink()
        self.assertLessEqual({key for _, key in self.started()}, self.recorded())
        self.assertSays(self.tool("status").out, f"geo-failover resume {self.tool.runs[-1].name}")

    def test_2_a_terminal_that_goes_away_lets_the_step_end_and_begins_no_other(self):
        with Terminal(self.tool, "resume", "--approve", self.digest) as terminal:
            self.begun("stop-application")
            terminal.hang_up()
            self.assertEqual(terminal.exit(), 4, terminal.text)
        status = self.tool.status()
        self.assertFalse(status["isPastPointOfNoReturn"])
        self.assertLessEqual({key for _, key in self.started()}, self.recorded())
        self.assertSays(self.tool("status").out, "geo-failover resume")

    def test_3_a_machine_that_sleeps_goes_on_when_it_wakes_on_another_network(self):
        process = self.resume("resume", "--approve", self.digest)
        jobs = self.lab.files("seoul-pg-1") / "var/lib/geo-failover/jobs"
        until(lambda: any(jobs.glob("*/promote-database*/pid")), what="the promotion to begin", interval=0.005)
        os.kill(process.pid, signal.SIGSTOP)
        # Its connections die meanwhile, and nobody tells it.
        self.lab.fault("cut-operator")
        until(lambda: any(jobs.glob("*/promote-database*/exit")), what="the promotion to end without it")
        self.lab.heal()
        self.lab.fault("full-disk", "seoul-rails-2")
        os.kill(process.pid, signal.SIGCONT)
        said, _ = process.communicate(timeout=400)
        self.assertEqual(process.returncode, 4, said)
        self.assertSays(said, "promote-other-rails FAILED", "/var/lib/geo-failover cannot be written", "No space left on device")
        promotions = [key for node, key in self.started() if key.startswith("promote-database")]
        self.assertEqual(len(promotions), 1, promotions)

    def test_3b_a_node_whose_var_became_read_only_runs_nothing_and_is_named(self):
        """As the kernel leaves a file system in which it found an error."""
        self.lab.heal()
        self.lab.on("seoul-rails-2", "sh", "-c", "mount --bind /var/lib /var/lib && mount -o remount,bind,ro /var/lib")
        self.addCleanup(self.lab.on, "seoul-rails-2", "umount", "/var/lib")
        before = self.lab.jobs("seoul-rails-2")
        answer = self.tool("resume", "--approve", self.digest, "--reason", "there is room again")
        self.assertEqual(answer.code, 4, answer)
        self.assertSays(answer.text, "promote-other-rails FAILED", "/var/lib/geo-failover", "cannot be written", "Read-only file system",
                        "geo-failover resume")
        self.assertEqual(self.lab.jobs("seoul-rails-2"), before)

    def test_4_a_clock_that_goes_back_a_day_stops_nothing_and_every_record_keeps_its_place(self):
        self.lab.heal()
        library, clock = self.tool.state / "set_clock.so", self.tool.state / "clock"
        # Swift brings its own.
        subprocess.run(["clang", "-shared", "-fPIC", "-o", library, Path(__file__).with_name("set_clock.c")], check=True)
        clock.write_text("0\n")
        usual = dict(self.tool.environment)
        self.tool.environment |= {"LD_PRELOAD": str(library), "CLOCK_AHEAD": str(clock)}
        process = self.resume("resume", "--approve", self.digest, "--reason", "the disk is mounted again")
        self.tool.environment = usual
        before = self.tool.journal()
        until(lambda: process.poll() is not None or len(self.tool.journal()) > len(before) + 3, what="the run to go on", interval=0.005)
        clock.write_text("-86400\n")
        until(lambda: process.poll() is not None or len(self.tool.journal()) > len(before) + 12, what="the run to go on", interval=0.005)
        process.terminate()
        said, _ = process.communicate(timeout=400)
        self.assertEqual(process.returncode, 4, said)
        times = [record["at"] for record in self.tool.journal()]
        self.assertEqual(times, sorted(times))
        self.assertGreater(len(times), len(before) + 3)

    def test_5_whoever_read_its_output_has_gone_and_it_finishes(self):
        reads, writes = os.pipe()
        os.close(reads)
        process = self.resume("resume", "--approve", self.digest, "--reason", "none is left broken", stdout=writes, stderr=writes)
        os.close(writes)
        process.wait(timeout=400)
        self.assertTrue(self.tool.status()["isFinished"])
        report = json.loads(self.tool("report", "-o", "json").out.splitlines()[0])
        self.assertGreater(report["outageSeconds"], 1)
        self.assertLess(report["outageSeconds"], 3600)

    def test_6_nothing_was_lost_or_done_twice(self):
        self.lab.wait_for_users_at("seoul")
        self.lab.command("load", "stop")
        code, audit = self.lab.audit()
        self.assertEqual((code, audit["verdict"], audit["writable_now"]), (0, "nothing lost", ["seoul"]), audit)
        keys = [entry(r)[1]["key"] for r in self.tool.journal() if entry(r)[0] == "commandStarted" and entry(r)[1]["key"] != "local"]
        self.assertEqual(len(keys), len(set(keys)), "a key is begun once")
        promotions = [node for node in self.lab.nodes for _, _, command in self.lab.jobs(node) if "geo promote" in command]
        self.assertEqual(len(promotions), len(set(promotions)), promotions)


if __name__ == "__main__":
    unittest.main()
