"""The programs that stand in for GitLab on the nodes of the practice lab."""
