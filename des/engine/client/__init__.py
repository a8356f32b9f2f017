"""The client beyond the plain walk: layers of retries, groups, guards, budgets, queues, hedges, routing."""
