"""The GitLab layer of the practice lab: what is installed into its nodes."""
