"""The filter language and the orders of docs/filters.md, as pure functions of a text and rows.

`lexer` and `grammar` read AIP-160, `column` knows what a name stands for, `literals` what a value, `restriction` what a comparison;
`terms` makes predicates, `narrowing` what an index can tell, `filter` the whole. `order` is AIP-132's order_by.
"""

from sessiond.core.filter.filter import Filter, parse_filter
from sessiond.core.filter.order import Key, Order, parse_order
from sessiond.core.filter.restriction import Percentile

__all__ = ["Filter", "Key", "Order", "Percentile", "parse_filter", "parse_order"]
