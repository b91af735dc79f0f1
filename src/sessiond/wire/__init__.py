"""Translation between bytes and the core's values, both ways. Generated code is in `_pb`."""
