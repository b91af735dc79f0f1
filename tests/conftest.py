"""Inputs that hypothesis makes are judged by what comes of them: how fast a machine makes them, beside others, is no failure."""

from hypothesis import HealthCheck, settings

# What holds already is kept: on CI hypothesis makes the same inputs each time.
settings.register_profile("any machine", settings(deadline=None, suppress_health_check=[HealthCheck.too_slow]))
settings.load_profile("any machine")
