"""The thin edges: gRPC in, gRPC out. Each handler translates, calls one use case, and translates back."""
