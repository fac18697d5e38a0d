"""gitlab-workhorse: Git over HTTP goes to Gitaly after Puma allowed it, everything else to Puma."""

import re

from gitlab_lab.app.http import Answer, call, call_json, serve
from gitlab_lab.rails import settings

ADDRESS = ("127.0.0.1", 8181)
PUMA = "127.0.0.1:8080"
GIT = re.compile(r"/(?P<project>.+?)\.git/(?P<what>info/refs|git-upload-pack|git-receive-pack)")
FORWARDED = ("Content-Type", "Content-Encoding", "Accept", "Accept-Encoding", "Git-Protocol", "Authorization", "User-Agent")
DOWN = "502: GitLab is not responding\n"


class Workhorse:
    def __init__(self):
        self.gitaly = settings.gitaly_address()

    def answer(self, request):
        headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        match = GIT.fullmatch(request.path)
        if match:
            return self.git(request, match, headers)
        if request.path.startswith("/api/v4/internal/"):
            return Answer(404, "404 Not Found\n")
        try:
            status, body, answered = call(PUMA, request.method, request.target, request.body, headers)
        except OSError:
            return Answer(502, DOWN)
        return Answer(status, body, answered.get("Content-Type", "text/plain"))

    def git(self, request, match, headers):
        what = match["what"]
        action = request.query.removeprefix("service=") if what == "info/refs" else what
        try:
            status, permission = call_json(PUMA, "POST", "/api/v4/internal/allowed", {"action": action, "project": match["project"]})
        except OSError:
            return Answer(502, DOWN)
        if status != 200:
            return Answer(status if status in (403, 404) else 503, permission.get("message", "GitLab is not responding") + "\n")
        target = f"/{permission['relative_path']}/{what}" + (f"?{request.query}" if request.query else "")
        try:
            status, body, answered = call(self.gitaly, request.method, target, request.body, headers, timeout=60)
        except OSError:
            return Answer(503, "The git server, Gitaly, is not available at this time. Please contact your administrator.\n")
        if what == "git-receive-pack" and status == 200:
            # The push counts only when its event is recorded: without it no other site would hear of it.
            try:
                recorded, _ = call_json(PUMA, "POST", "/api/v4/internal/post_receive", {"project_id": permission["project_id"]})
            except (OSError, ValueError):
                recorded = 502
            if recorded != 200:
                return Answer(500, "Internal error: the push could not be recorded\n")
        return Answer(status, body, answered.get("Content-Type", "text/plain"), [("Cache-Control", "no-cache")])


def run():
    serve("gitlab-workhorse", ADDRESS, Workhorse().answer)
