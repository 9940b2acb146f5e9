"""Pictures of the views, live. Knows `monitor.domain.views` and a `ViewReader`, nothing else."""
