"""Values and rules: no I/O, clock, environment, logging, protobuf, gRPC or LMDB."""
