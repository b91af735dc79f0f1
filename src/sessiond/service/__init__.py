"""The use cases, between the edges and the store. Nothing here knows gRPC or LMDB."""
