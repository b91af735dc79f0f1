"""Sessions out of OpenTelemetry traces: a receiver, a store and a query service in one small daemon."""
