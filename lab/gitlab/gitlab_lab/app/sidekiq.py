"""sidekiq: workers that wait on the queues in Redis, a scheduler for the cron jobs, a heartbeat."""

import json
import os
import socket
import threading
import time

from gitlab_lab import faults
from gitlab_lab.app import jobs
from gitlab_lab.app.signals import on_term
from gitlab_lab.rails import cron, database
from gitlab_lab.rails.site import Site

WORKERS = 3
ORDINARY = ["default", "mailers"]
GEO = ["geo:geo_sync", "geo:geo_verification"]


class Sidekiq:
    def __init__(self):
        self.main = database.Connection("main", "sidekiq")
        self.geo = database.Connection("geo", "sidekiq")
        self.redis = cron.client(socket_timeout=10)
        self.site = Site(self.main, cache=1.0)
        self.identity = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.busy = 0

    def run(self):
        on_term("sidekiq", self.stopping.set)
        loops = [self.work] * WORKERS + [self.schedule, self.heartbeat]
        threads = [threading.Thread(target=self._forever, args=(loop,), daemon=True) for loop in loops]
        for thread in threads:
            thread.start()
        print(f"Booted Sidekiq {self.identity}", flush=True)
        while not self.stopping.wait(0.5):
            pass
        # Jobs in flight get a few seconds, like Sidekiq's own shutdown timeout.
        deadline = time.monotonic() + 5
        while self.busy and time.monotonic() < deadline:
            time.sleep(0.1)

    def _forever(self, loop):
        """Redis, PostgreSQL or the other site may be away for long, or answer half: say so and try again."""
        while not self.stopping.is_set():
            try:
                loop()
            except Exception as error:  # noqa: BLE001, a thread that ended would be missed silently
                print(f"{loop.__name__}: {type(error).__name__}: {str(error).strip()}", flush=True)
                self.stopping.wait(1)

    def work(self):
        found = self.redis.brpop([f"queue:{name}" for name in ORDINARY + GEO], timeout=2)
        if not found:
            return
        job = json.loads(found[1])
        self._count(1)
        try:
            if faults.active("slow-replicator") and job["queue"].startswith("geo:"):
                self.stopping.wait(5)
            jobs.perform(self, job)
        except Exception as error:  # noqa: BLE001, a failed job must not end the worker
            print(f"{job['class']} failed: {type(error).__name__}: {str(error).strip()}", flush=True)
            if isinstance(error, (cron.Error, database.Error)):
                self.stopping.wait(1)
        finally:
            self._count(-1)

    def _count(self, change):
        with self.lock:
            self.busy += change

    def schedule(self):
        """Runs what is enabled and due. Geo's own jobs run here, others become ordinary work."""
        due = {}
        while not self.stopping.wait(0.5):
            now = time.monotonic()
            names = [name for name, (_, seconds) in cron.JOBS.items() if now >= due.get(name, 0)]
            if not names:
                continue
            for name in names:
                due[name] = now + cron.JOBS[name][1]
                if self.redis.hget(f"cron_job:{name}", "status") != "enabled":
                    continue
                self.redis.hset(f"cron_job:{name}", "last_enqueue_time", time.strftime("%Y-%m-%d %H:%M:%S +0000", time.gmtime()))
                try:
                    jobs.cron(self, name)
                except OSError as error:
                    print(f"{name}: {error}", flush=True)

    def heartbeat(self):
        while not self.stopping.wait(1):
            pipe = self.redis.pipeline()
            pipe.sadd("processes", self.identity)
            pipe.hset(self.identity, mapping={"busy": self.busy, "beat": time.time(), "quiet": "false"})
            pipe.expire(self.identity, 60)
            pipe.execute()
            for process in self.redis.smembers("processes"):
                if not self.redis.exists(process):
                    self.redis.srem("processes", process)


def run():
    Sidekiq().run()
