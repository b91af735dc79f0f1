"""The filter language (AIP-160) and orders (AIP-132) over the table of fields: text -> tests of rows and sort keys."""

from sessiond.core.filter.filter import Filter, Percentile, parse_filter
from sessiond.core.filter.order import Order, parse_order

__all__ = ["Filter", "Order", "Percentile", "parse_filter", "parse_order"]
