"""The long-running services: web, Gitaly, Sidekiq, log cursor."""
