"""gitlab-ctl and what it runs."""
