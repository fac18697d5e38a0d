"""Who may push and fetch: GitLab's answers, with its texts."""

from gitlab_lab.app.http import MAINTENANCE, as_json

PUSH_IN_MAINTENANCE = "Git push is not allowed because this GitLab instance is currently in (read-only) maintenance mode."
PUSH_READ_ONLY = "You can't push code to a read-only GitLab instance."
NO_PROJECT = "The project you were looking for could not be found or you don't have permission to view it."


def allowed(application, question):
    """Answers workhorse: where the repository is, or why not."""
    rows = application.main.read(
        "SELECT p.id, r.disk_path FROM routes t JOIN projects p ON p.id = t.source_id"
        " JOIN project_repositories r ON r.project_id = p.id WHERE t.source_type = 'Project' AND t.path = %s",
        (question.get("project", ""),))
    if not rows:
        return as_json(404, {"status": False, "message": NO_PROJECT})
    if question.get("action") == "git-receive-pack":
        reason = application.refusal()
        if reason:
            return as_json(403, {"status": False, "message": PUSH_IN_MAINTENANCE if reason == MAINTENANCE else PUSH_READ_ONLY})
    return as_json(200, {"status": True, "project_id": rows[0]["id"], "relative_path": rows[0]["disk_path"] + ".git"})
