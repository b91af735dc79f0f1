"""What the published figures come from, in the repository: `python -m benchmarks.ingest`, `.startup` and `.queries`."""
