"""Scores and annotations: what people and evaluators say of traces, spans and sessions; its bounds, and how a row sums it up."""
