"""The replicated data types of the lab and where their rows are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DataType:
    plural: str
    table: str
    registry: str
    key: str
    states: str
    states_key: str

    @property
    def title(self):
        return self.plural.replace("_", " ").title()


TYPES = [
    DataType("lfs_objects", "lfs_objects", "lfs_object_registry", "lfs_object_id", "lfs_object_states", "lfs_object_id"),
    DataType("uploads", "uploads", "file_registry", "file_id", "upload_states", "upload_id"),
    DataType("job_artifacts", "p_ci_job_artifacts", "job_artifact_registry", "artifact_id", "ci_job_artifact_states", "job_artifact_id"),
    DataType("project_wiki_repositories", "project_wiki_repositories", "project_wiki_repository_registry",
             "project_wiki_repository_id", "wiki_repository_states", "project_wiki_repository_id"),
    DataType("project_repositories", "project_repositories", "project_repository_registry", "project_id",
             "project_repository_states", "project_id"),
]

PROJECT_REPOSITORIES = TYPES[-1]
