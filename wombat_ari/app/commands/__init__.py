"""One module for each group of commands of ``wombat-ari``; see ``app/cli`` for their names."""
