"""gitlab-rake, gitlab-rails and the data behind them."""
