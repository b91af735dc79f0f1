"""What the published figures come from: `python -m benchmarks.ingest` and `python -m benchmarks.startup`, in the repository."""
